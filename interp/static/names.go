package static

import (
	"slices"

	"go.starlark.net/resolve"
	"go.starlark.net/syntax"
)

// A Name is a variable, function, parameter or loaded name of a script.
type Name struct {
	Name  string
	First *syntax.Ident // where it is bound first
	Scope resolve.Scope // [resolve.Global], or of a function or a comprehension
	Home  syntax.Node   // the function or comprehension that it is local to, nil for none
	Defs  []Def
	Uses  []*syntax.Ident
	added []syntax.Expr // what is appended to the list that it is
	loose bool          // the list that it is may be changed in other ways
	asked bool          // the script asks for its type
}

// Kind says how a name comes to its value.
type Kind int

// The ways in which a name gets a value.
const (
	Assigned Kind = iota
	Augmented
	Element // of what a loop goes through
	Function
	Parameter
	Loaded
)

// A Def is one of the places where a name gets a value.
type Def struct {
	Kind  Kind
	Ident *syntax.Ident
	Stmt  syntax.Node // the statement, or the function of a parameter
	Value syntax.Expr // what is assigned, or gone through; a parameter's default
	Path  []int       // which part of it: a, (b, c) = … gives c the path 1, 1
}

// nameOf returns what an identifier names, nil for what a script has not bound
// itself.
func (v *View) nameOf(id *syntax.Ident) *Name {
	if b, ok := id.Binding.(*resolve.Binding); ok && b.First != nil {
		return v.names[b.First]
	}
	return nil
}

// scope is where an identifier's name belongs.
func scope(id *syntax.Ident) resolve.Scope {
	if b, ok := id.Binding.(*resolve.Binding); ok {
		return b.Scope
	}
	return resolve.Undefined
}

// findNames goes through the script once.
func (v *View) findNames() {
	bound := map[*syntax.Ident]bool{}
	var around []syntax.Node // the nodes that are being gone through
	home := func() syntax.Node {
		for _, n := range slices.Backward(around) {
			switch n.(type) {
			case *syntax.DefStmt, *syntax.LambdaExpr, *syntax.Comprehension:
				return n
			}
		}
		return nil
	}
	define := func(id *syntax.Ident, d Def) {
		b, ok := id.Binding.(*resolve.Binding)
		if !ok || b.First == nil {
			return
		}
		n := v.names[b.First]
		if n == nil {
			n = &Name{Name: id.Name, First: b.First, Scope: b.Scope, Home: home()}
			if d.Kind == Parameter {
				n.Home = d.Stmt
			}
			v.names[b.First] = n
		}
		d.Ident = id
		n.Defs = append(n.Defs, d)
		bound[id] = true
	}
	syntax.Walk(v.Script.Tree, func(n syntax.Node) bool {
		if n == nil {
			around = around[:len(around)-1]
			return true
		}
		defer func() { around = append(around, n) }()
		switch n := n.(type) {
		case *syntax.AssignStmt:
			kind := Assigned
			if n.Op != syntax.EQ {
				kind = Augmented
			}
			targets(n.LHS, nil, func(id *syntax.Ident, path []int) {
				define(id, Def{Kind: kind, Stmt: n, Value: n.RHS, Path: path})
			})
		case *syntax.ForStmt:
			targets(n.Vars, nil, func(id *syntax.Ident, path []int) {
				define(id, Def{Kind: Element, Stmt: n, Value: n.X, Path: path})
			})
		case *syntax.ForClause:
			targets(n.Vars, nil, func(id *syntax.Ident, path []int) {
				define(id, Def{Kind: Element, Stmt: n, Value: n.X, Path: path})
			})
		case *syntax.LoadStmt:
			for i, to := range n.To {
				define(to, Def{Kind: Loaded, Stmt: n, Path: []int{i}})
			}
		case *syntax.DefStmt:
			define(n.Name, Def{Kind: Function, Stmt: n})
			params(n, n.Params, define)
		case *syntax.LambdaExpr:
			params(n, n.Params, define)
		}
		return true
	})
	v.findUses(bound)
}

// findUses notes where the names are used, and what is appended to lists.
func (v *View) findUses(bound map[*syntax.Ident]bool) {
	fields := map[*syntax.Ident]bool{} // identifiers that are no names
	steady := map[*syntax.Ident]bool{} // uses that change nothing
	keep := func(list ...syntax.Expr) {
		for _, x := range list {
			if id, ok := x.(*syntax.Ident); ok {
				steady[id] = true
			}
		}
	}
	syntax.Walk(v.Script.Tree, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.DotExpr:
			fields[n.Name] = true
			if !slices.Contains(listChanges, n.Name.Name) {
				keep(n.X)
			}
		case *syntax.IndexExpr:
			keep(n.X, n.Y)
		case *syntax.ForStmt:
			keep(n.X)
		case *syntax.ForClause:
			keep(n.X)
		case *syntax.BinaryExpr:
			if n.Op != syntax.EQ {
				keep(n.X, n.Y)
			}
		case *syntax.UnaryExpr:
			keep(n.X)
		case *syntax.IfStmt:
			keep(n.Cond)
		case *syntax.CallExpr:
			for _, a := range n.Args {
				if kv, ok := a.(*syntax.BinaryExpr); ok && kv.Op == syntax.EQ {
					fields[kv.X.(*syntax.Ident)] = true
				}
			}
			v.noteAppend(n, keep)
			v.noteBuiltin(n, keep)
		case *syntax.AssignStmt:
			if id, ok := n.LHS.(*syntax.Ident); ok && n.Op != syntax.EQ {
				bound[id] = true // x += 1 alone is no use
			}
			if x, ok := n.LHS.(*syntax.IndexExpr); ok {
				if id, ok := innermost(x).(*syntax.Ident); ok && v.nameOf(id) != nil {
					v.nameOf(id).loose = true
				}
			}
		case *syntax.Ident:
			if name := v.nameOf(n); name != nil && !fields[n] && !bound[n] {
				name.Uses = append(name.Uses, n)
			}
		}
		return true
	})
	for _, n := range v.names {
		for _, use := range n.Uses {
			n.loose = n.loose || !steady[use]
		}
	}
}

// listChanges are the methods that change a list; append is followed.
var listChanges = []string{"append", "clear", "extend", "insert", "pop", "remove"}

// innermost is what x[i][j] takes a part of.
func innermost(x *syntax.IndexExpr) syntax.Expr {
	if inner, ok := x.X.(*syntax.IndexExpr); ok {
		return innermost(inner)
	}
	return x.X
}

// noteBuiltin notes that a builtin leaves the lists alone that it is given, and that
// one of these asks for a type.
func (v *View) noteBuiltin(call *syntax.CallExpr, keep func(...syntax.Expr)) {
	fn := call.Fn
	for {
		dot, ok := fn.(*syntax.DotExpr)
		if !ok {
			break
		}
		fn = dot.X // red.ping(nodes), firewall.allow(red, src = nodes)
	}
	id, ok := fn.(*syntax.Ident)
	if !ok {
		return
	}
	own := v.nameOf(id) != nil && fn == call.Fn
	for _, a := range call.Args {
		if kv, ok := a.(*syntax.BinaryExpr); ok && kv.Op == syntax.EQ {
			a = kv.Y
		}
		if !own {
			keep(a)
		}
		if arg, ok := a.(*syntax.Ident); ok && v.nameOf(arg) != nil {
			switch id.Name {
			case "type", "hasattr", "getattr", "dir":
				v.nameOf(arg).asked = true
			}
		}
	}
}

// noteAppend notes what x.append(y) adds to x.
func (v *View) noteAppend(call *syntax.CallExpr, keep func(...syntax.Expr)) {
	dot, ok := call.Fn.(*syntax.DotExpr)
	if !ok || dot.Name.Name != "append" || len(call.Args) != 1 {
		return
	}
	if id, ok := dot.X.(*syntax.Ident); ok {
		if n := v.nameOf(id); n != nil {
			n.added = append(n.added, call.Args[0])
			keep(id)
		}
	}
}

// targets calls f for each name on the left of an assignment.
func targets(x syntax.Expr, path []int, f func(*syntax.Ident, []int)) {
	part := func(list []syntax.Expr) {
		for i, e := range list {
			targets(e, append(path[:len(path):len(path)], i), f)
		}
	}
	switch x := x.(type) {
	case *syntax.Ident:
		f(x, path)
	case *syntax.ParenExpr:
		targets(x.X, path, f)
	case *syntax.TupleExpr:
		part(x.List)
	case *syntax.ListExpr:
		part(x.List)
	}
}

// params calls define for each parameter of a function.
func params(fn syntax.Node, list []syntax.Expr, define func(*syntax.Ident, Def)) {
	for _, p := range list {
		switch p := p.(type) {
		case *syntax.Ident:
			define(p, Def{Kind: Parameter, Stmt: fn})
		case *syntax.BinaryExpr:
			define(p.X.(*syntax.Ident), Def{Kind: Parameter, Stmt: fn, Value: p.Y})
		case *syntax.UnaryExpr:
			if id, ok := p.X.(*syntax.Ident); ok {
				define(id, Def{Kind: Parameter, Stmt: fn, Value: p})
			}
		}
	}
}

// exported is a global name of the script.
func (v *View) exported(name string) *Name {
	for _, b := range v.Script.Tree.Module.(*resolve.Module).Globals {
		if b.First.Name == name {
			return v.names[b.First]
		}
	}
	return nil
}
