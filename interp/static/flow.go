package static

import (
	"go.starlark.net/syntax"
)

// after tells how a piece of a script ends.
type after struct {
	goesOn bool // what follows may be reached
	breaks bool // the loop around it may be left by a break
}

// flow follows a script from statement to statement.
type flow struct {
	view *View
	warn bool // tell what is never reached
}

// block finds statements that are never reached, and tells how the block ends.
func (f *flow) block(stmts []syntax.Stmt) after {
	end := after{goesOn: true}
	told := false
	for _, s := range stmts {
		if !end.goesOn && !told && f.warn {
			f.view.warn(s, "unreachable", "this is never reached", "")
			told = true
		}
		e := f.stmt(s)
		end.goesOn = end.goesOn && e.goesOn
		end.breaks = end.breaks || e.breaks
	}
	return end
}

func (f *flow) stmt(s syntax.Stmt) after {
	switch s := s.(type) {
	case *syntax.ReturnStmt:
		return after{}
	case *syntax.BranchStmt:
		return after{goesOn: s.Token == syntax.PASS, breaks: s.Token == syntax.BREAK}
	case *syntax.ExprStmt:
		return after{goesOn: !f.view.isFail(s.X)}
	case *syntax.IfStmt:
		yes, no := f.block(s.True), f.block(s.False)
		return after{yes.goesOn || no.goesOn, yes.breaks || no.breaks}
	case *syntax.ForStmt:
		f.block(s.Body)
	case *syntax.WhileStmt:
		body := f.block(s.Body)
		if id, ok := s.Cond.(*syntax.Ident); ok && id.Name == "True" {
			return after{goesOn: body.breaks}
		}
	case *syntax.DefStmt:
		if end := f.block(s.Body); f.warn {
			f.view.checkReturns(s, end)
		}
	}
	return after{goesOn: true}
}

// isFail reports whether an expression is a call of fail() or skip(), or of a
// function of the script that always comes to one.
func (v *View) isFail(x syntax.Expr) bool {
	call, ok := x.(*syntax.CallExpr)
	if !ok {
		return false
	}
	f := v.ValueOf(call.Fn).Func
	if f == nil {
		return false
	}
	if def, ok := f.Node.(*syntax.DefStmt); ok {
		return f.View.neverReturns(def)
	}
	return f.Page != nil && (f.Page.Name == "fail" || f.Page.Name == "skip")
}

func (v *View) neverReturns(def *syntax.DefStmt) bool {
	type question struct{ def *syntax.DefStmt }
	return once(v.known, question{def}, func() Value {
		if len(returnsOf(def)) > 0 || (&flow{view: v}).block(def.Body).goesOn {
			return Value{}
		}
		return typed("never")
	}).Type == "never"
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
