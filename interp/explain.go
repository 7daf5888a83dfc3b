package interp

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// explain turns what Starlark returned into an Error.
func (in *Interp) explain(ctx context.Context, err error) *Error {
	stack, cause := unwind(err)
	var inner *Error
	if errors.As(cause, &inner) { // of a script that a builtin ran, or of a chunk's names
		e := *inner
		e.Calls = append(e.Calls[:len(e.Calls):len(e.Calls)], in.calls(stack)...)
		return &e
	}
	e := &Error{Msg: cause.Error(), Err: cause}
	var p *Panic
	var h Hinter
	switch {
	case errors.As(cause, &p):
		e = internalError(p)
	case isTooDeep(cause):
		stack = in.tooDeep(e, stack)
	case ctx.Err() != nil:
		interrupted(ctx, e)
	case errors.As(cause, &h):
		e.Hint = h.Hint()
	}
	stack = in.refused(e, stack)
	called := in.function(cause, stack)
	if called != nil {
		stack = stack[:len(stack)-1]
	}
	in.place(e, stack, called)
	return e
}

// refused has a function of an embedded module that calls fail() refuse what it was
// given as a builtin does: the error stands where a script called it, and what comes
// after "hint: " on a line of its own is the hint.
func (in *Interp) refused(e *Error, stack starlark.CallStack) starlark.CallStack {
	if len(stack) < 2 || stack[len(stack)-1].Name != "fail" || stack[len(stack)-1].Pos.Line > 0 {
		return stack
	}
	inside := func(c starlark.CallFrame) bool { return strings.HasPrefix(c.Pos.Filename(), std) }
	n := len(stack) - 1
	for n > 0 && inside(stack[n-1]) {
		n--
	}
	if n == len(stack)-1 || n == 0 {
		return stack
	}
	e.Msg = strings.TrimPrefix(e.Msg, "fail: ")
	e.Msg, e.Hint, _ = strings.Cut(e.Msg, "\nhint: ")
	return stack[:n]
}

// unwind returns the calls at the place of the failure, outermost first, and
// what failed there. A builtin that calls back and wraps the error makes it pass
// through several EvalErrors; the innermost has the full stack, unless it is of
// another thread.
func unwind(err error) (starlark.CallStack, error) {
	var explained *Error
	var late Late
	if !errors.As(err, &explained) && errors.As(err, &late) {
		return late.Stack(), late.Unwrap()
	}
	var stack starlark.CallStack
	cause := err
	for {
		var ee *starlark.EvalError
		if !errors.As(cause, &ee) {
			return stack, cause
		}
		if len(stack) > 0 && len(ee.CallStack) >= len(stack) && ee.CallStack[0] == stack[0] {
			stack = nil
		}
		stack = append(stack, ee.CallStack...)
		if ee.Unwrap() == nil {
			return stack, ee
		}
		cause = ee.Unwrap()
	}
}

// interrupted words the end of a script whose context is done. A builtin that
// was stopped may say so in its own words, such as that a process was killed.
func interrupted(ctx context.Context, e *Error) {
	msg := "interrupted"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		msg = "interrupted: its time was over"
	}
	if e.Msg != cancelled+stopInterrupted && !errors.Is(e.Err, ctx.Err()) && !errors.Is(e.Err, context.Cause(ctx)) {
		msg += " (" + e.Msg + ")"
	}
	e.Msg, e.Err = msg, errors.Join(ctx.Err(), context.Cause(ctx), e.Err)
}

// starlarkTooDeep is Starlark's own end to recursion, at 100000 calls.
const starlarkTooDeep = "Starlark stack overflow"

// isTooDeep reports whether a failure is that of endless recursion: found by
// [Interp.look], or by Starlark on a thread of a builtin's own.
func isTooDeep(cause error) bool {
	return cause.Error() == cancelled+stopTooDeep || cause.Error() == starlarkTooDeep
}

// tooDeep words endless recursion, and returns the stack without the innermost
// function, so that the place is that of a call.
func (in *Interp) tooDeep(e *Error, stack starlark.CallStack) starlark.CallStack {
	limit := in.opts.MaxDepth
	if e.Msg == starlarkTooDeep {
		limit = 100_000
	}
	e.Msg = fmt.Sprintf("recursion is too deep (more than %d calls)", limit)
	if len(stack) < 2 {
		return stack
	}
	name := stack[len(stack)-1].Name
	e.Hint = "is there a case in which it stops calling itself?"
	if name != "lambda" && name != "<toplevel>" {
		e.Hint = fmt.Sprintf("is there a case in which %s stops calling itself?", name)
	}
	return stack[:len(stack)-1]
}

// A function is a Starlark function that was called with wrong arguments. It is
// the innermost of the stack, though it has not begun.
type function struct {
	file   *file
	name   string
	params []syntax.Expr
	pos    syntax.Position
}

// function returns the function that refused its arguments, nil where something
// else failed.
func (in *Interp) function(cause error, stack starlark.CallStack) *function {
	if len(stack) < 2 || !refusal().MatchString(cause.Error()) {
		return nil
	}
	top := stack[len(stack)-1]
	f := in.fileAt(top.Pos)
	if f == nil || !strings.HasPrefix(cause.Error(), "function "+top.Name+" ") {
		return nil
	}
	fn := &function{file: f, name: top.Name}
	syntax.Walk(f.tree, func(n syntax.Node) bool { // the innermost is met last
		switch n := n.(type) {
		case *syntax.DefStmt:
			if n.Name.Name == top.Name && contains(n, top.Pos) {
				fn.params, fn.pos = n.Params, n.Name.NamePos
			}
		case *syntax.LambdaExpr:
			if top.Name == "lambda" && contains(n, top.Pos) {
				fn.params, fn.pos = n.Params, n.Lambda
			}
		}
		return true
	})
	return fn
}

func contains(n syntax.Node, pos syntax.Position) bool {
	start, end := n.Span()
	return !before(pos, start) && before(pos, end)
}

func before(p, q syntax.Position) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Col < q.Col
}

// place sets where the error is: at the innermost place of a script. The message
// is put in words for what is there.
func (in *Interp) place(e *Error, stack starlark.CallStack, called *function) {
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if top.Pos.Line == 0 {
			continue // a builtin
		}
		f := in.fileAt(top.Pos)
		if f == nil {
			e.Pos = top.Pos
			break
		}
		m := f.mark(top.Pos)
		(&scene{file: f, node: m.node, called: called, at: &m.span}).reword(e)
		e.point(f.src.Name, f.lines, m.span)
		e.Calls = in.calls(stack)
		return
	}
	(&scene{called: called}).reword(e)
	e.Calls = in.calls(stack)
}

// calls returns the places of the calls of scripts on a stack, innermost first.
func (in *Interp) calls(stack starlark.CallStack) []Call {
	var calls []Call
	for i := len(stack) - 1; i >= 0; i-- {
		pos := stack[i].Pos
		if pos.Line == 0 {
			continue
		}
		c := Call{Pos: pos, Name: stack[i].Name}
		if f := in.fileAt(pos); f != nil {
			m := f.mark(pos)
			c.Pos = syntax.MakePosition(&f.src.Name, int32(m.line), int32(m.col))
			_, c.Load = m.node.(*syntax.LoadStmt)
		}
		calls = append(calls, c)
	}
	return calls
}
