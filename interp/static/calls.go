package static

import (
	"fmt"
	"strings"

	"go.starlark.net/syntax"

	"nsscript/builtins/doc"
	"nsscript/interp"
)

// checkCall finds out whether a call can work.
func (v *View) checkCall(call *syntax.CallExpr) {
	fn := v.ValueOf(call.Fn)
	if v.misplaced(call) || fn.Guess {
		return
	}
	if fn.Func == nil {
		if t := fn.Type; t != "" && t != "function" && len(alternatives(t)) == 1 {
			v.report(call.Fn, fmt.Sprintf("%s is %s, not a function, and cannot be called", v.Script.Text(call.Fn), interp.WithArticle(t)), "")
		}
		return
	}
	f := fn.Func
	args := arguments(call)
	if wrong := doc.Takes(f.Signature, f.Args, 0, args.Call); wrong != nil && !(args.Open && wrong.Name < 0 && args.Positional == 0) {
		at := syntax.Node(call.Fn)
		if wrong.Name >= 0 {
			at = args.names[wrong.Name]
		}
		if f.Node != nil && wrong.Tip == "the call is "+f.Signature {
			wrong.Tip += f.defined()
		}
		v.report(at, f.Name+": "+wrong.Msg, wrong.Tip)
		return
	}
	v.checkArgs(f, args)
}

// misplaced reports whether the order of a call's arguments was told to be wrong.
func (v *View) misplaced(call *syntax.CallExpr) bool {
	named := false
	for _, a := range call.Args {
		kv, ok := a.(*syntax.BinaryExpr)
		if ok && kv.Op == syntax.EQ {
			named = true
		} else if _, star := a.(*syntax.UnaryExpr); named && !star {
			return true
		}
	}
	return false
}

// checkArgs finds out whether values can be the arguments that they are given for.
func (v *View) checkArgs(f *Func, args given) {
	positional := 0
	var wrong []syntax.Expr
	var wants []doc.Arg
	for i, x := range args.values {
		name := ""
		if id := args.nameOf[i]; id != nil {
			name = id.Name
		}
		arg, ok := f.arg(name, positional)
		if name == "" {
			positional++
		}
		have := v.certain(x)
		if !ok || accepts(arg.Type, have) || arg.Optional && strings.Contains(have, "None") {
			continue
		}
		wrong, wants = append(wrong, x), append(wants, arg)
	}
	if len(wrong) == 2 && accepts(wants[0].Type, v.typeOf(wrong[1])) && accepts(wants[1].Type, v.typeOf(wrong[0])) {
		v.reportArg(f, wants[0], wrong[0], fmt.Sprintf("are %q and %q in each other's place?", wants[0].Name, wants[1].Name))
		return
	}
	for i, x := range wrong {
		hint := ""
		if name, ok := literalString(x); ok {
			hint = v.unquoted(wants[i].Type, name)
		}
		v.reportArg(f, wants[i], x, hint)
	}
}

// reportArg reports a value that cannot be an argument's.
func (v *View) reportArg(f *Func, a doc.Arg, x syntax.Expr, hint string) {
	got := oneOf(v.typeOf(x))
	if lit, ok := x.(*syntax.Literal); ok {
		got = lit.Raw
	}
	v.report(x, fmt.Sprintf("%s: argument %q: want %s, got %s", f.Name, a.Name, oneOf(a.Type), got), hint)
}

// defined says where a function of a script stands.
func (f *Func) defined() string {
	start, _ := f.Node.Span()
	return fmt.Sprintf(", defined at %s", start)
}

// arg is the argument of a name, or where that is "", of a place.
func (f *Func) arg(name string, place int) (doc.Arg, bool) {
	for _, a := range f.Args {
		switch {
		case a.Rest != "":
		case name != "" && a.Name == name:
			return a, true
		case name == "" && !a.ByName:
			if place == 0 {
				return a, true
			}
			place--
		}
	}
	return doc.Arg{}, false
}

// given are the arguments of a call.
type given struct {
	doc.Call
	names  []*syntax.Ident // as in Call.Names
	values []syntax.Expr   // without *args and **kwargs
	nameOf []*syntax.Ident // of each value, nil for one without a name
}

func arguments(call *syntax.CallExpr) given {
	var g given
	for _, a := range call.Args {
		switch a := a.(type) {
		case *syntax.BinaryExpr:
			if a.Op == syntax.EQ {
				id := a.X.(*syntax.Ident)
				g.Names = append(g.Names, id.Name)
				g.names = append(g.names, id)
				g.values = append(g.values, a.Y)
				g.nameOf = append(g.nameOf, id)
				continue
			}
		case *syntax.UnaryExpr:
			if a.Op == syntax.STAR || a.Op == syntax.STARSTAR {
				g.Open = true
				continue
			}
		}
		g.Positional++
		g.values = append(g.values, a)
		g.nameOf = append(g.nameOf, nil)
	}
	return g
}

// unquoted is the hint for a name in quotes where the value itself is wanted.
func (v *View) unquoted(want, name string) string {
	for _, n := range v.names {
		if n.Name == name && v.named(n).Type != "" && accepts(want, v.named(n).Type) {
			return "without quotes: " + name
		}
	}
	if accepts(want, "Namespace") {
		return fmt.Sprintf("a namespace is made first: namespace(%q)", name)
	}
	return ""
}

func literalString(x syntax.Expr) (string, bool) {
	lit, ok := x.(*syntax.Literal)
	if !ok || lit.Token != syntax.STRING {
		return "", false
	}
	return lit.Value.(string), true
}

// oneOf words a type that may be several.
func oneOf(t string) string {
	alts := alternatives(t)
	for i, alt := range alts {
		if alts[i] = interp.WithArticle(alt); alt == "bool" {
			alts[i] = "True or False"
		}
	}
	if len(alts) == 1 {
		return alts[0]
	}
	return strings.Join(alts[:len(alts)-1], ", ") + " or " + alts[len(alts)-1]
}

// checkKeys finds keys that a dict has twice, which ends a script.
func (v *View) checkKeys(d *syntax.DictExpr) {
	type key struct {
		token syntax.Token
		value any
	}
	seen := map[key]bool{}
	for _, e := range d.List {
		lit, ok := e.(*syntax.DictEntry).Key.(*syntax.Literal)
		if !ok {
			continue
		}
		if seen[key{lit.Token, lit.Value}] {
			v.report(lit, fmt.Sprintf("this dict has the key %s twice", lit.Raw), "")
		}
		seen[key{lit.Token, lit.Value}] = true
	}
}
