package static

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/syntax"

	"nsscript/builtins/doc"
	"nsscript/interp"
	"nsscript/interp/complete"
)

// Scope returns what completion asks about the names that can be used at a
// position.
func (v *View) Scope(pos syntax.Position) complete.Scope { return scopeAt{v, pos} }

type scopeAt struct {
	v   *View
	pos syntax.Position
}

func (s scopeAt) Names() []complete.Item {
	var list []complete.Item
	own := map[string]bool{}
	for _, n := range s.v.Visible(s.pos) {
		own[n.Name] = true
		list = append(list, itemOf(n.Name, s.v.named(n)))
	}
	for _, name := range s.v.known.in.Names() {
		if !own[name] {
			list = append(list, itemOf(name, s.v.known.described(s.v.known.library.Page(name))))
		}
	}
	return list
}

func itemOf(name string, val Value) complete.Item {
	item := complete.Item{Name: name, Kind: complete.Variable, Detail: val.Type, Page: val.Page}
	switch {
	case val.Func != nil:
		item.Kind, item.Detail = complete.Function, val.Func.Signature
	case val.Page != nil && val.Page.Kind == doc.Module:
		item.Kind, item.Detail = complete.Module, ""
	}
	return item
}

func (s scopeAt) Members(of []interp.Step) []complete.Item {
	var list []complete.Item
	for _, alt := range alternatives(s.v.Follow(of, s.pos).Type) {
		for _, name := range s.v.known.attrNames(alt) {
			item := itemOf(name, s.v.known.member(alt, name))
			if m, ok := s.v.known.library.Member(base(alt), name); ok && m.Page == nil {
				item.Kind, item.Arg = complete.Field, m.Arg
			}
			list = append(list, item)
		}
	}
	return list
}

func (s scopeAt) Called(call *interp.CallSite) *complete.Callee {
	if call == nil {
		return nil
	}
	f := s.v.Follow(call.Fn, s.pos).Func
	if f == nil {
		return nil
	}
	c := &complete.Callee{Signature: f.Signature, Args: f.Args, Page: f.Page}
	if f.Page != nil {
		c.Name = f.Page.Name
	}
	return c
}

// Follow returns what is known of a chain such as red.link("eth0").addrs at a
// position.
func (v *View) Follow(steps []interp.Step, pos syntax.Position) Value {
	var val Value
	for i, s := range steps {
		switch {
		case i == 0 && s.Name == "": // a string
			val = typed("string")
			continue
		case i == 0:
			val = v.lookup(s.Name, pos)
		case s.Name == "":
			val = typed(v.pick(val.Type, s.Index))
			continue
		default:
			val = v.memberOf(val.Type, s.Name)
		}
		if s.Call {
			if val.Func == nil {
				return Value{}
			}
			val = val.Func.Returns()
		}
	}
	return val
}

// lookup is what a name stands for at a position.
func (v *View) lookup(name string, pos syntax.Position) Value {
	var found *Name
	for _, n := range v.Visible(pos) {
		if n.Name == name && (found == nil || found.Scope == resolve.Global) {
			found = n
		}
	}
	if found != nil {
		return v.named(found)
	}
	return v.known.described(v.known.library.Page(name))
}

// memberOf is a field or method of a value, None left aside.
func (v *View) memberOf(t, name string) Value {
	var types []string
	var first, one Value
	same := true // a method that a Link and a Bridge have is one
	for _, alt := range alternatives(t) {
		if alt == "None" {
			continue
		}
		one = v.known.member(alt, name)
		if types = append(types, one.Type); len(types) == 1 {
			first = one
		}
		same = same && one.Page != nil && one.Page == first.Page
	}
	if len(types) == 1 || same {
		return one
	}
	return typed(join(types...))
}

// pick is the type of t[index].
func (v *View) pick(t, index string) string {
	if len(index) == 1 && index[0] >= '0' && index[0] <= '9' {
		return partOf(t, int(index[0]-'0'))
	}
	return elementOf(t)
}

func (s scopeAt) Named(kind complete.Kind, _ *interp.CallSite) []string {
	switch kind {
	case complete.Namespaces:
		return append(s.v.literals("namespace", 0, ""), "host")
	case complete.Interfaces:
		return append(append(s.v.literals("", -1, "name"), s.v.literals("", -1, "peer")...), append(s.v.literals("bridge", 0, ""), "lo")...)
	case complete.Features:
		return nil
	}
	return nil
}

// literals are the strings that the script gives to a function by position, or to
// any by name.
func (v *View) literals(fn string, place int, name string) []string {
	if v.Script.Tree == nil {
		return nil
	}
	found := map[string]bool{}
	syntax.Walk(v.Script.Tree, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok {
			return true
		}
		if id, ok := call.Fn.(*syntax.Ident); ok && id.Name == fn && place >= 0 && place < len(call.Args) {
			if text, ok := literalString(call.Args[place]); ok {
				found[text] = true
			}
		}
		for _, a := range call.Args {
			if kv, ok := a.(*syntax.BinaryExpr); ok && kv.Op == syntax.EQ && kv.X.(*syntax.Ident).Name == name {
				if text, ok := literalString(kv.Y); ok {
					found[text] = true
				}
			}
		}
		return true
	})
	return slices.Sorted(maps.Keys(found))
}

func (s scopeAt) Modules() []string  { return s.v.known.in.StdModules() }
func (s scopeAt) Programs() []string { return nil }
func (s scopeAt) Topics() []string   { return s.v.known.library.Names() }

func (s scopeAt) Exports(module string) []string {
	return s.v.known.in.ExportsTo(s.v.Script.Source, module)
}

func (s scopeAt) Dir() string {
	if path := s.v.Script.Source.Path; path != "" {
		return filepath.Dir(path)
	}
	return "."
}

// FieldOf is the field that stands behind a dot, as the reference describes it.
func (v *View) FieldOf(x *syntax.DotExpr) (of string, field doc.Arg, ok bool) {
	for _, alt := range alternatives(v.typeOf(x.X)) {
		of, _, _ := strings.Cut(alt, "[")
		if m, ok := v.known.library.Member(of, x.Name.Name); ok && m.Page == nil {
			return of, m.Arg, true
		}
	}
	return "", doc.Arg{}, false
}
