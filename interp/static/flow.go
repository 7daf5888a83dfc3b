package static

import (
	"go.starlark.net/syntax"
)

// after tells how a piece of a script ends.
type after struct {
	goesOn bool // what follows may be reached
	breaks bool // the loop around it may be left by a break
}

// block finds statements that are never reached, and tells how the block ends.
func (v *View) block(stmts []syntax.Stmt) after {
	end := after{goesOn: true}
	told := false
	for _, s := range stmts {
		if !end.goesOn && !told {
			v.warn(s, "unreachable", "this is never reached", "")
			told = true
		}
		e := v.stmt(s)
		end.goesOn = end.goesOn && e.goesOn
		end.breaks = end.breaks || e.breaks
	}
	return end
}

func (v *View) stmt(s syntax.Stmt) after {
	switch s := s.(type) {
	case *syntax.ReturnStmt:
		return after{}
	case *syntax.BranchStmt:
		return after{goesOn: s.Token == syntax.PASS, breaks: s.Token == syntax.BREAK}
	case *syntax.ExprStmt:
		return after{goesOn: !v.isFail(s.X)}
	case *syntax.IfStmt:
		t, f := v.block(s.True), v.block(s.False)
		return after{t.goesOn || f.goesOn, t.breaks || f.breaks}
	case *syntax.ForStmt:
		v.block(s.Body)
	case *syntax.WhileStmt:
		body := v.block(s.Body)
		if id, ok := s.Cond.(*syntax.Ident); ok && id.Name == "True" {
			return after{goesOn: body.breaks}
		}
	case *syntax.DefStmt:
		v.checkReturns(s, v.block(s.Body))
	}
	return after{goesOn: true}
}

// isFail reports whether an expression is a call of fail().
func (v *View) isFail(x syntax.Expr) bool {
	call, ok := x.(*syntax.CallExpr)
	if !ok {
		return false
	}
	f := v.ValueOf(call.Fn).Func
	return f != nil && f.Page != nil && f.Page.Name == "fail"
}

// checkReturns finds functions that return a value on some of their ways only.
func (v *View) checkReturns(def *syntax.DefStmt, end after) {
	var with, without syntax.Node
	for _, r := range returnsOf(def) {
		if r.Result != nil {
			with = r
		} else if without == nil {
			without = r
		}
	}
	switch {
	case with == nil:
	case without != nil:
		v.warn(without, "return-value", def.Name.Name+" returns a value elsewhere, and None here", "write: return None")
	case end.goesOn:
		v.warn(def.Name, "return-value", def.Name.Name+" returns a value on some ways, and None where it comes to its end", "end it with: return None")
	}
}
