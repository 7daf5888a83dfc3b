package static

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/syntax"

	"nsscript/builtins/near"
	"nsscript/interp"
)

// checkAttr finds fields and methods that a value does not have.
func (v *View) checkAttr(x *syntax.DotExpr) {
	alts := alternatives(v.certain(x.X))
	if len(alts) == 0 {
		return
	}
	var names []string
	for _, alt := range alts {
		has := v.known.attrNames(alt)
		if has == nil || slices.Contains(has, x.Name.Name) {
			return
		}
		names = append(names, has...)
	}
	words := make([]string, len(alts))
	for i, alt := range alts {
		words[i] = interp.WithArticle(alt)
	}
	what := strings.Join(words, " or ")
	if val := v.ValueOf(x.X); val.Page != nil && !val.Page.Callable() {
		what = v.Script.Text(x.X)
	}
	hint := v.known.library.OtherMember(base(alts[0]), x.Name.Name)
	if hint == "" {
		hint = near.Name(names, x.Name.Name)
		if hint != "" {
			hint = near.DidYouMean(hint)
		} else {
			hint = interp.AttrHint(alts[0], x.Name.Name)
		}
	}
	v.report(x.Name, fmt.Sprintf("%s has no field or method %q", what, x.Name.Name), hint)
}

// checkLoop finds loops through what has no elements.
func (v *View) checkLoop(x syntax.Expr) {
	t := v.certain(x)
	if t == "" || len(alternatives(t)) > 1 {
		return
	}
	hint := ""
	switch base(t) {
	case "int":
		hint = fmt.Sprintf("write: range(%s)", v.Script.Text(x))
	case "string":
		hint = "the characters are x.elems()"
	case "function":
		hint = "call it: " + v.Script.Text(x) + "()"
	case "float", "bool", "None", "Namespace", "Link", "Bridge", "Address":
	default:
		return
	}
	v.report(x, interp.WithArticle(t)+" has no elements to go through", hint)
}
