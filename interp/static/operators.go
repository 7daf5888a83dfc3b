package static

import (
	"fmt"

	"go.starlark.net/syntax"

	"nsscript/builtins/doc"
	"nsscript/interp"
)

// checkOperator finds values that an operator cannot join, and comparisons whose
// answer is always the same.
func (v *View) checkOperator(x *syntax.BinaryExpr) {
	l, r := v.certain(x.X), v.certain(x.Y)
	if len(alternatives(l)) != 1 || len(alternatives(r)) != 1 {
		return
	}
	a, b := v.kindOf(l), v.kindOf(r)
	switch x.Op {
	case syntax.PLUS:
		if a == b && joinable[a] || a == "" || b == "" {
			return
		}
		hint := ""
		if a == "string" || b == "string" {
			other := x.X
			if a == "string" {
				other = x.Y
			}
			hint = fmt.Sprintf("to join them as text, write: str(%s)", v.Script.Text(other))
		}
		v.report(x, fmt.Sprintf("%s and %s do not go together with +", interp.WithArticle(l), interp.WithArticle(r)), hint)
	case syntax.EQL, syntax.NEQ:
		if a != b && a != "" && b != "" && a != "None" && b != "None" {
			v.warn(x, "compare-types", fmt.Sprintf("%s is never equal to %s", interp.WithArticle(l), interp.WithArticle(r)), v.truthHint(x, b))
		}
	}
}

// truthHint helps where a result is compared with True.
func (v *View) truthHint(x *syntax.BinaryExpr, right string) string {
	if right == "bool" {
		return "a result is true by itself: if " + v.Script.Text(x.X) + ":"
	}
	return ""
}

// joinable are the kinds of values of which two are joined or added by +.
var joinable = map[string]bool{"string": true, "number": true, "list": true, "tuple": true, "bytes": true}

// kindOf is a type as operators see it, "" for one that may be anything.
func (v *View) kindOf(t string) string {
	switch b := base(t); b {
	case "int", "float":
		return "number"
	case "Link", "Bridge":
		return "Link"
	case "string", "bytes", "list", "tuple", "dict", "bool", "None", "function":
		return b
	default:
		if p := v.known.library.Page(b); p != nil && p.Kind == doc.Type {
			return b
		}
	}
	return ""
}

// checkAssign finds assignments that cannot work: to fields, and of a wrong number
// of values.
func (v *View) checkAssign(s *syntax.AssignStmt) {
	if dot, ok := s.LHS.(*syntax.DotExpr); ok {
		v.checkSet(dot)
		return
	}
	var targets []syntax.Expr
	switch lhs := unparen(s.LHS).(type) {
	case *syntax.TupleExpr:
		targets = lhs.List
	case *syntax.ListExpr:
		targets = lhs.List
	default:
		return
	}
	t := v.certain(s.RHS)
	if len(alternatives(t)) != 1 {
		return
	}
	if base(t) == "tuple" && len(parts(t)) > 0 && len(parts(t)) != len(targets) {
		v.report(s.LHS, fmt.Sprintf("there are %d names for %d values", len(targets), len(parts(t))), "")
		return
	}
	switch base(t) {
	case "int", "float", "bool", "None", "string", "Namespace", "Link", "Bridge", "Address":
		v.report(s.RHS, fmt.Sprintf("%s is one value, for %d names", interp.WithArticle(t), len(targets)), "")
	}
}

// checkSet finds fields that cannot be set.
func (v *View) checkSet(dot *syntax.DotExpr) {
	t := v.certain(dot.X)
	if alts := alternatives(t); len(alts) != 1 || v.known.library.Page(base(t)) == nil {
		return
	}
	if _, field, ok := v.FieldOf(dot); ok {
		v.report(dot.Name, fmt.Sprintf("the field %q of %s cannot be set", field.Name, interp.WithArticle(t)), v.known.library.Setter(base(t), field.Name))
	}
}

func unparen(x syntax.Expr) syntax.Expr {
	for {
		p, ok := x.(*syntax.ParenExpr)
		if !ok {
			return x
		}
		x = p.X
	}
}
