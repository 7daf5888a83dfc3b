package static

import (
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"nsscript/builtins/doc"
)

// A Value is what is known of a value.
type Value struct {
	Type string // "" where it is not known
	// Guess says that the value may be of another type after all: nothing is held
	// against it.
	Guess bool
	Func  *Func     // of a function
	Page  *doc.Page // of what the reference describes
}

// A Func is a function that can be called.
type Func struct {
	Name      string
	Signature string
	Args      []doc.Arg
	Page      *doc.Page   // of a builtin
	Node      syntax.Node // of a script: a *syntax.DefStmt or *syntax.LambdaExpr
	View      *View       // of that script
	returns   string
}

// ValueOf returns what is known of an expression of the script.
func (v *View) ValueOf(x syntax.Expr) Value {
	return once(v.known, x, func() Value { return v.infer(x) })
}

// once finds something out once. What is asked for while it is being found out is
// not known.
func once(k *known, what any, find func() Value) Value {
	if val, ok := k.values[what]; ok {
		return val
	}
	k.values[what] = Value{}
	val := find()
	if len(val.Type) > longestType {
		val.Type = base(val.Type)
	}
	k.values[what] = val
	return val
}

// longestType is how long the name of a type may be: a tuple of tuples of tuples
// doubles with each.
const longestType = 200

func (v *View) typeOf(x syntax.Expr) string { return v.ValueOf(x).Type }

// certain is the type of an expression, "" where that is a guess.
func (v *View) certain(x syntax.Expr) string {
	if val := v.ValueOf(x); !val.Guess {
		return val.Type
	}
	return ""
}

func typed(t string) Value { return Value{Type: t} }

// derived is a value of which no more is certain than of those that it comes from.
func (v *View) derived(t string, from ...syntax.Expr) Value {
	val := Value{Type: t}
	for _, x := range from {
		val.Guess = val.Guess || v.ValueOf(x).Guess
	}
	return val
}

func (v *View) infer(x syntax.Expr) Value {
	switch x := x.(type) {
	case *syntax.ParenExpr:
		return v.ValueOf(x.X)
	case *syntax.Literal:
		return typed(map[syntax.Token]string{syntax.STRING: "string", syntax.BYTES: "bytes", syntax.INT: "int", syntax.FLOAT: "float"}[x.Token])
	case *syntax.Ident:
		return v.ident(x)
	case *syntax.DotExpr:
		return v.attr(x)
	case *syntax.CallExpr:
		val := v.called(x)
		val.Guess = val.Guess || v.ValueOf(x.Fn).Guess
		return val
	case *syntax.IndexExpr:
		return v.derived(v.index(x), x.X)
	case *syntax.SliceExpr:
		if t := v.typeOf(x.X); base(t) != "tuple" {
			return v.derived(t, x.X)
		}
		return typed("tuple")
	case *syntax.ListExpr:
		return v.derived(listOf(v.joined(x.List)), x.List...)
	case *syntax.TupleExpr:
		return v.derived(v.tuple(x.List), x.List...)
	case *syntax.DictExpr:
		return typed("dict")
	case *syntax.Comprehension:
		if x.Curly {
			return typed("dict")
		}
		return v.derived(listOf(v.typeOf(x.Body)), x.Body)
	case *syntax.CondExpr:
		return v.derived(join(v.typeOf(x.True), v.typeOf(x.False)), x.True, x.False)
	case *syntax.LambdaExpr:
		return Value{Type: "function", Func: v.function("lambda", x, x.Params)}
	case *syntax.UnaryExpr:
		if x.Op == syntax.NOT {
			return typed("bool")
		}
		return v.derived(v.typeOf(x.X), x.X)
	case *syntax.BinaryExpr:
		return v.derived(v.binary(x), x.X, x.Y)
	}
	return Value{}
}

func (v *View) joined(list []syntax.Expr) string {
	types := make([]string, len(list))
	for i, e := range list {
		types[i] = v.typeOf(e)
	}
	return join(types...)
}

func (v *View) tuple(list []syntax.Expr) string {
	types := make([]string, len(list))
	for i, e := range list {
		if types[i] = v.typeOf(e); types[i] == "" || len(alternatives(types[i])) > 1 {
			return "tuple"
		}
	}
	return "tuple[" + strings.Join(types, ", ") + "]"
}

func (v *View) binary(x *syntax.BinaryExpr) string {
	l, r := v.typeOf(x.X), v.typeOf(x.Y)
	switch x.Op {
	case syntax.EQL, syntax.NEQ, syntax.LT, syntax.GT, syntax.LE, syntax.GE, syntax.IN, syntax.NOT_IN:
		return "bool"
	case syntax.AND, syntax.OR:
		return join(l, r)
	case syntax.PERCENT:
		if l == "string" {
			return l
		}
	case syntax.SLASH:
		return "float"
	case syntax.PLUS:
		if base(l) == "list" && base(r) == "list" {
			return listOf(join(elementOf(l), elementOf(r)))
		}
	case syntax.STAR:
		if l == "string" || base(l) == "list" {
			return l
		}
	}
	switch {
	case l == r && (l == "int" || l == "float" || l == "string"):
		return l
	case (l == "int" || l == "float") && (r == "int" || r == "float"):
		return "float"
	}
	return ""
}

// ident is what a name stands for.
func (v *View) ident(id *syntax.Ident) Value {
	switch scope(id) {
	case resolve.Predeclared, resolve.Universal:
		switch id.Name {
		case "True", "False":
			return typed("bool")
		case "None":
			return typed("None")
		}
		return v.known.described(v.known.library.Page(id.Name))
	}
	if n := v.nameOf(id); n != nil {
		return v.named(n)
	}
	return Value{}
}

// described is what a page of the reference describes.
func (k *known) described(p *doc.Page) Value {
	switch {
	case p == nil:
		return Value{}
	case p.Callable():
		name := p.Name
		if p.Kind == doc.Method {
			_, name, _ = doc.CutName(name)
		}
		return Value{Type: "function", Page: p, Func: &Func{Name: name, Signature: p.Signature, Args: p.Args, Page: p, returns: p.Returns.Type}}
	case p.Kind == doc.Value && p.Returns.Type != "":
		return Value{Type: p.Returns.Type, Page: p}
	}
	return Value{Type: p.Name, Page: p}
}

// named is what all that is assigned to a name has in common. Where the script asks
// for the type of a name, or changes it by += and the like, that is a guess, and
// where it is None: something else may be meant to come.
func (v *View) named(n *Name) Value { return once(v.known, n, func() Value { return v.nameValue(n) }) }

func (v *View) nameValue(n *Name) Value {
	var types []string
	var one Value
	guess := n.asked
	for _, d := range n.Defs {
		if d.Kind == Augmented {
			guess = guess || v.typeOf(d.Value) != one.Type || base(one.Type) == "list" || base(one.Type) == "tuple"
			continue
		}
		one = v.defined(n, d)
		guess = guess || one.Guess || one.Type == "None"
		types = append(types, one.Type)
	}
	if len(types) != 1 {
		one = typed(join(types...))
	}
	one.Guess = guess
	return one
}

// defined is what a name is worth by one of its definitions.
func (v *View) defined(n *Name, d Def) Value {
	switch d.Kind {
	case Function:
		def := d.Stmt.(*syntax.DefStmt)
		return Value{Type: "function", Func: v.function(def.Name.Name, def, def.Params)}
	case Loaded:
		return v.loaded(d)
	case Parameter:
		return Value{}
	}
	if list, ok := d.Value.(*syntax.ListExpr); ok && d.Kind == Assigned && len(d.Path) == 0 {
		all := append(list.List[:len(list.List):len(list.List)], n.added...)
		val := v.derived(listOf(v.joined(all)), all...)
		val.Guess = val.Guess || n.loose
		return val
	}
	val := v.ValueOf(d.Value)
	guess := val.Guess || holds(val.Type) && (n.loose || len(n.added) > 0)
	if d.Kind == Element {
		val = typed(elementOf(val.Type))
	}
	for _, i := range d.Path {
		val = typed(partOf(val.Type, i))
	}
	val.Guess = guess
	return val
}

// holds reports whether a type is that of a list whose elements are known: they may
// be changed.
func holds(t string) bool { return strings.Contains(t, "list[") }

func (v *View) loaded(d Def) Value {
	m, name := v.loadedName(d)
	if name == nil {
		return Value{}
	}
	return m.named(name)
}

// loadedName is the name, and the module that defines it, of a loaded one.
func (v *View) loadedName(d Def) (*View, *Name) {
	st := d.Stmt.(*syntax.LoadStmt)
	m := v.module(st)
	if m == nil {
		return nil, nil
	}
	return m, m.exported(st.From[d.Path[0]].Name)
}

// function describes a function of the script.
func (v *View) function(name string, node syntax.Node, params []syntax.Expr) *Func {
	f := &Func{Name: name, Node: node, View: v}
	var texts []string
	byName := false
	for _, p := range params {
		texts = append(texts, v.Script.Text(p))
		a := doc.Arg{ByName: byName}
		switch p := p.(type) {
		case *syntax.Ident:
			a.Name = p.Name
		case *syntax.BinaryExpr:
			a.Name, a.Optional, a.Default = p.X.(*syntax.Ident).Name, true, v.Script.Text(p.Y)
		case *syntax.UnaryExpr:
			byName = true
			id, ok := p.X.(*syntax.Ident)
			if !ok {
				continue
			}
			a = doc.Arg{Name: id.Name, Rest: p.Op.String(), ByName: true, Optional: true}
		}
		f.Args = append(f.Args, a)
	}
	f.Signature = name + "(" + strings.Join(texts, ", ") + ")"
	return f
}

// Returns is what is known of what a function returns.
func (f *Func) Returns() Value {
	switch n := f.Node.(type) {
	case *syntax.LambdaExpr:
		return f.View.ValueOf(n.Body)
	case *syntax.DefStmt:
		return f.View.returned(n)
	}
	if f.returns == "any" {
		return Value{}
	}
	return typed(f.returns)
}

// returned is what the return statements of a function, and its end, have in common.
func (v *View) returned(def *syntax.DefStmt) Value {
	return once(v.known, def, func() Value { return v.bodyValue(def) })
}

func (v *View) bodyValue(def *syntax.DefStmt) Value {
	types := []string{}
	guess := false
	for _, r := range returnsOf(def) {
		if r.Result == nil {
			types = append(types, "None")
		} else {
			types = append(types, v.typeOf(r.Result))
			guess = guess || v.ValueOf(r.Result).Guess
		}
	}
	if (&flow{view: v}).block(def.Body).goesOn {
		types = append(types, "None")
	}
	return Value{Type: join(types...), Guess: guess}
}

// returnsOf lists the return statements of a function, without those of functions
// inside it.
func returnsOf(def *syntax.DefStmt) []*syntax.ReturnStmt {
	var list []*syntax.ReturnStmt
	for _, s := range def.Body {
		syntax.Walk(s, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.DefStmt, *syntax.LambdaExpr:
				return false
			case *syntax.ReturnStmt:
				list = append(list, n)
			}
			return true
		})
	}
	return list
}

// called is what is known of a call's result.
func (v *View) called(call *syntax.CallExpr) Value {
	f := v.ValueOf(call.Fn).Func
	if f == nil {
		return Value{}
	}
	if f.Page != nil && len(call.Args) > 0 {
		in := v.typeOf(call.Args[0])
		switch f.Page.Name {
		case "sorted", "reversed", "list":
			return v.derived(listOf(elementOf(in)), call.Args[0])
		case "set", "tuple":
			return typed(f.Page.Name)
		case "enumerate":
			if e := elementOf(in); e != "" && len(alternatives(e)) == 1 {
				return v.derived("list[tuple[int, "+e+"]]", call.Args[0])
			}
		case "zip":
			return v.derived("list["+v.zipped(call.Args)+"]", call.Args...)
		}
	}
	return f.Returns()
}

func (v *View) zipped(args []syntax.Expr) string {
	types := make([]string, len(args))
	for i, a := range args {
		if types[i] = elementOf(v.typeOf(a)); types[i] == "" || len(alternatives(types[i])) > 1 {
			return "tuple"
		}
	}
	return "tuple[" + strings.Join(types, ", ") + "]"
}

func (v *View) index(x *syntax.IndexExpr) string {
	t := v.typeOf(x.X)
	if len(alternatives(t)) != 1 {
		return ""
	}
	switch base(t) {
	case "tuple":
		if lit, ok := x.Y.(*syntax.Literal); ok {
			if i, ok := lit.Value.(int64); ok {
				return partOf(t, int(i))
			}
		}
		return elementOf(t)
	case "list", "range":
		return elementOf(t)
	case "string":
		return "string"
	}
	return ""
}

// attr is what stands behind a dot.
func (v *View) attr(x *syntax.DotExpr) Value {
	t := v.typeOf(x.X)
	if t == "None" {
		return Value{}
	}
	val := v.memberOf(t, x.Name.Name)
	val.Guess = val.Guess || v.ValueOf(x.X).Guess
	return val
}

// member is a field or method of a type.
func (k *known) member(of, name string) Value {
	of = base(of)
	if m, ok := k.library.Member(of, name); ok {
		if m.Page == nil {
			t := m.Arg.Type
			if t == "any" {
				t = ""
			}
			return typed(t)
		}
		if m.Page.Kind == doc.Module {
			return Value{Type: of + "." + name, Page: m.Page}
		}
		return k.described(m.Page)
	}
	if t, ok := stringMethods[name]; ok && of == "string" {
		return Value{Type: "function", Func: &Func{Name: name, Signature: name + "(…)", Args: []doc.Arg{{Name: "args", Rest: "*", Optional: true}, {Name: "kwargs", Rest: "**", Optional: true}}, returns: t}}
	}
	return Value{}
}

// stringMethods are the types of what the methods of strings return.
var stringMethods = map[string]string{
	"capitalize": "string", "count": "int", "endswith": "bool", "find": "int", "format": "string", "index": "int", "isalnum": "bool",
	"isalpha": "bool", "isdigit": "bool", "islower": "bool", "isspace": "bool", "istitle": "bool", "isupper": "bool", "join": "string",
	"lower": "string", "lstrip": "string", "partition": "tuple[string, string, string]", "removeprefix": "string", "removesuffix": "string",
	"replace": "string", "rfind": "int", "rindex": "int", "rpartition": "tuple[string, string, string]", "rsplit": "list[string]",
	"rstrip": "string", "split": "list[string]", "splitlines": "list[string]", "startswith": "bool", "strip": "string", "title": "string", "upper": "string",
}

// attrNames are the names of a type's fields and methods, nil where they are not
// known.
func (k *known) attrNames(t string) []string {
	var names []string
	for _, m := range k.library.Members(base(t)) {
		names = append(names, m.Name)
	}
	if names != nil {
		return names
	}
	var of starlark.Value
	switch base(t) {
	case "string":
		of = starlark.String("")
	case "bytes":
		of = starlark.Bytes("")
	case "list":
		of = &starlark.List{}
	case "dict":
		of = &starlark.Dict{}
	case "set":
		of = &starlark.Set{}
	case "int", "float", "bool", "None", "function", "tuple", "range":
		return []string{}
	default:
		of = k.in.Predeclared(t) // a module of Starlark's own
	}
	if h, ok := of.(starlark.HasAttrs); ok {
		return h.AttrNames()
	}
	return nil
}
