package static

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/syntax"

	"nsscript/interp"
)

// Problems returns what is wrong with the script, errors and warnings in their
// order. The names of the warnings are those of buildifier where it has the same;
// a comment `# buildifier: disable=NAME` on the line, or on one of its own above,
// turns one off.
func (v *View) Problems() []*interp.Error {
	if v.Script.Tree == nil {
		return v.Script.Errors
	}
	v.problems = slices.Clone(v.Script.Errors)
	syntax.Walk(v.Script.Tree, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			v.checkCall(n)
		case *syntax.DotExpr:
			v.checkAttr(n)
		case *syntax.BinaryExpr:
			v.checkOperator(n)
		case *syntax.AssignStmt:
			v.checkAssign(n)
		case *syntax.ForStmt:
			v.checkLoop(n.X)
		case *syntax.ForClause:
			v.checkLoop(n.X)
		case *syntax.DictExpr:
			v.checkKeys(n)
		case *syntax.DefStmt:
			v.checkEffects(n.Body, true)
		case *syntax.IfStmt:
			v.checkEffects(n.True, false)
			v.checkEffects(n.False, false)
		}
		switch n := n.(type) {
		case *syntax.ForStmt:
			v.checkEffects(n.Body, false)
		case *syntax.WhileStmt:
			v.checkEffects(n.Body, false)
		}
		return true
	})
	v.checkEffects(v.Script.Tree.Stmts, true)
	(&flow{view: v, warn: true}).block(v.Script.Tree.Stmts)
	for _, n := range v.names {
		v.checkName(n)
	}
	slices.SortStableFunc(v.problems, func(a, b *interp.Error) int {
		return cmp.Or(interp.CompareErrors(a, b), strings.Compare(a.Warning, b.Warning), strings.Compare(a.Msg, b.Msg))
	})
	return v.problems
}

// disabled reports whether a comment turns a warning off.
func (v *View) disabled(line int, category string) bool {
	for _, n := range []int{line, line - 1} {
		text := v.Script.Line(n)
		code, comment, ok := strings.Cut(text, "#")
		if n < line && strings.TrimSpace(code) != "" || !ok {
			continue
		}
		for word := range strings.FieldsFuncSeq(comment, func(r rune) bool { return r == ' ' || r == ',' }) {
			if word == "disable="+category || word == category && strings.Contains(comment, "disable=") {
				return true
			}
		}
	}
	return false
}

// checkEffects finds statements that do nothing.
func (v *View) checkEffects(stmts []syntax.Stmt, documented bool) {
	for i, s := range stmts {
		st, ok := s.(*syntax.ExprStmt)
		if !ok {
			continue
		}
		if _, text := literalString(st.X); text && (i == 0 && documented || strings.Contains(v.Script.Text(st.X), `"""`)) {
			continue // it describes something
		}
		if calls(st.X) {
			continue
		}
		switch x := st.X.(type) {
		case *syntax.BinaryExpr:
			hint := ""
			if _, name := x.X.(*syntax.Ident); name && x.Op == syntax.EQL {
				hint = "to assign, write: ="
			}
			v.warn(x, "no-effect", "this has no effect: its result is not used", hint)
		default:
			hint := ""
			if _, lambda := x.(*syntax.LambdaExpr); v.ValueOf(x).Type == "function" && !lambda {
				hint = "to call it, write: " + v.Script.Text(x) + "(…)"
			}
			v.warn(x, "no-effect", "this has no effect: its value is not used", hint)
		}
	}
}

// calls reports whether a function is called for an expression.
func calls(x syntax.Expr) bool {
	found := false
	syntax.Walk(x, func(n syntax.Node) bool {
		switch n.(type) {
		case *syntax.CallExpr:
			found = true
		case *syntax.LambdaExpr:
			return false
		}
		return !found
	})
	return found
}

// checkName finds what is wrong with a name as a whole.
func (v *View) checkName(n *Name) {
	first := n.Defs[0]
	if n.Scope == resolve.Global {
		v.checkShadow(n)
		v.checkRedefined(n)
	}
	v.checkOrder(n)
	if first.Kind == Augmented && n.Scope != resolve.Global {
		v.report(first.Ident, fmt.Sprintf("%q is used before it has a value", n.Name), fmt.Sprintf(
			"an assignment to %q anywhere in a function makes it a name of that function alone; pass the value in as an argument, and return the new one", n.Name))
		return
	}
	if len(n.Uses) > 0 || strings.HasPrefix(n.Name, "_") {
		return
	}
	switch {
	case first.Kind == Loaded:
		if _, there := v.loadedName(first); there == nil {
			return // that is told already
		}
		v.warn(first.Ident, "load", fmt.Sprintf("%q is loaded, and never used", n.Name), "leave it out")
	case first.Kind == Parameter, first.Kind == Element:
	case n.Scope != resolve.Global:
		v.checkUnused(n, first)
	case v.isProgram() && !byConvention(n.Name):
		v.checkUnused(n, first)
	}
}

// checkUnused finds variables that are never read. One that holds the result of
// a call is kept: what it names was made. Of a tuple all have to be unused.
func (v *View) checkUnused(n *Name, d Def) {
	if len(d.Path) > 0 {
		return
	}
	if d.Kind == Function {
		v.warn(d.Ident, "unused-variable", fmt.Sprintf("the function %q is never called", n.Name), "")
		return
	}
	for _, e := range v.Script.Errors {
		if strings.Contains(e.Msg, fmt.Sprintf("%q is used before", n.Name)) {
			return
		}
	}
	if n.Scope == resolve.Global {
		for _, d := range n.Defs {
			if d.Value != nil && calls(d.Value) {
				return
			}
		}
	}
	hint := "leave it out"
	if _, ok := d.Value.(*syntax.CallExpr); ok {
		hint = "the call alone will do; a name that begins with _ may be unused"
	}
	v.warn(d.Ident, "unused-variable", fmt.Sprintf("%q is never used", n.Name), hint)
}

// isProgram reports whether the script does something, and does not only define
// what others load.
func (v *View) isProgram() bool {
	for _, s := range v.Script.Tree.Stmts {
		switch s := s.(type) {
		case *syntax.ExprStmt:
			if call, ok := s.X.(*syntax.CallExpr); ok {
				if f := v.ValueOf(call.Fn).Func; f != nil && f.Page != nil && f.Page.Name == "exercise" {
					return false
				}
				return true
			}
		case *syntax.ForStmt, *syntax.WhileStmt, *syntax.IfStmt:
			return true
		}
	}
	return false
}

// byConvention reports whether a name is called or read by others than the script:
// tests and exercises.
func byConvention(name string) bool {
	return strings.HasPrefix(name, "test_") ||
		slices.Contains([]string{"setup", "teardown", "checks", "solution", "hints", "wrong"}, name)
}

// checkShadow finds global names that hide a builtin.
func (v *View) checkShadow(n *Name) {
	d := n.Defs[0]
	if d.Kind == Element || d.Kind == Loaded {
		return
	}
	p := v.known.library.Page(n.Name)
	if p == nil || p.Kind == "type" {
		return
	}
	v.warn(d.Ident, "redefined-builtin", fmt.Sprintf("from here on %q is no longer the %s of that name", n.Name, p.Kind), "choose another name")
}

// checkRedefined finds functions that are defined twice.
func (v *View) checkRedefined(n *Name) {
	var before *syntax.Ident
	for _, d := range n.Defs {
		if d.Kind != Function {
			continue
		}
		if before != nil && slices.Contains(v.Script.Tree.Stmts, syntax.Stmt(d.Stmt.(*syntax.DefStmt))) {
			v.warn(d.Ident, "redefined-function", fmt.Sprintf("the function %q is defined twice: first in line %d", n.Name, before.NamePos.Line), "")
		}
		before = d.Ident
	}
}

// checkOrder finds names that are used where they have no value yet.
func (v *View) checkOrder(n *Name) {
	start := n.First.NamePos
	for _, d := range n.Defs {
		if d.Kind == Parameter || d.Kind == Element {
			return
		}
	}
	for _, use := range n.Uses {
		if !before(use.NamePos, start) || v.runsLater(use, n.First) {
			continue
		}
		v.report(use, fmt.Sprintf("%q is used before it has a value", n.Name), fmt.Sprintf("it gets its value further down, in line %d", start.Line))
	}
}

func before(p, q syntax.Position) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Col < q.Col
}

// runsLater reports whether a use may run after what stands further down: in a
// loop, or in a function that is inside the one of the name.
func (v *View) runsLater(use, first *syntax.Ident) bool {
	inner, looped := v.depth(use)
	outer, _ := v.depth(first)
	return looped || inner > outer
}

// depth is how many functions are around an identifier, and whether a loop is.
func (v *View) depth(id *syntax.Ident) (funcs int, looped bool) {
	for _, n := range enclosing(v.Script.Tree, id.NamePos) {
		switch n := n.(type) {
		case *syntax.ForStmt, *syntax.WhileStmt:
			looped = true
		case *syntax.LambdaExpr:
			funcs++
		case *syntax.DefStmt:
			if n.Name != id {
				funcs++
			}
		}
	}
	return funcs, looped
}
