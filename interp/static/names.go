package static

import (
	"go.starlark.net/resolve"
	"go.starlark.net/syntax"
)

// A Name is a variable, function, parameter or loaded name of a script.
type Name struct {
	Name  string
	First *syntax.Ident // where it is bound first
	Scope resolve.Scope // [resolve.Global], or of a function or a comprehension
	Defs  []Def
	Uses  []*syntax.Ident
	added []syntax.Expr // what is appended to the list that it is
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
	define := func(id *syntax.Ident, d Def) {
		b, ok := id.Binding.(*resolve.Binding)
		if !ok || b.First == nil {
			return
		}
		n := v.names[b.First]
		if n == nil {
			n = &Name{Name: id.Name, First: b.First, Scope: b.Scope}
			v.names[b.First] = n
		}
		d.Ident = id
		n.Defs = append(n.Defs, d)
		bound[id] = true
	}
	syntax.Walk(v.Script.Tree, func(n syntax.Node) bool {
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
			v.funcs = append(v.funcs, n)
			define(n.Name, Def{Kind: Function, Stmt: n})
			params(n, n.Params, define)
		case *syntax.LambdaExpr:
			v.funcs = append(v.funcs, n)
			params(n, n.Params, define)
		}
		return true
	})
	v.findUses(bound)
}

// findUses notes where the names are used, and what is appended to lists.
func (v *View) findUses(bound map[*syntax.Ident]bool) {
	fields := map[*syntax.Ident]bool{} // identifiers that are no names
	syntax.Walk(v.Script.Tree, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.DotExpr:
			fields[n.Name] = true
		case *syntax.CallExpr:
			for _, a := range n.Args {
				if kv, ok := a.(*syntax.BinaryExpr); ok && kv.Op == syntax.EQ {
					fields[kv.X.(*syntax.Ident)] = true
				}
			}
			v.noteAppend(n)
		case *syntax.AssignStmt:
			if id, ok := n.LHS.(*syntax.Ident); ok && n.Op != syntax.EQ {
				bound[id] = true // x += 1 alone is no use
			}
		case *syntax.Ident:
			if name := v.nameOf(n); name != nil && !fields[n] && !bound[n] {
				name.Uses = append(name.Uses, n)
			}
		}
		return true
	})
}

// noteAppend notes what x.append(y) adds to x.
func (v *View) noteAppend(call *syntax.CallExpr) {
	dot, ok := call.Fn.(*syntax.DotExpr)
	if !ok || dot.Name.Name != "append" || len(call.Args) != 1 {
		return
	}
	if id, ok := dot.X.(*syntax.Ident); ok {
		if n := v.nameOf(id); n != nil {
			n.added = append(n.added, call.Args[0])
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
