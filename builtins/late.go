package builtins

import (
	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

// lateError is an error of a call that had returned: what it asked for was put off.
type lateError struct {
	error // as the call would have returned it
	stack starlark.CallStack
}

func (e *lateError) Unwrap() error { return e.error }

// Stack returns the calls at the place where it was asked for.
func (e *lateError) Stack() starlark.CallStack { return e.stack }

// blame makes an error that comes later one of this call.
func (c *call) blame() func(error) error {
	stack := c.thread.CallStack()
	return func(err error) error { return &lateError{error: c.b.wrap(err), stack: stack} }
}

// later applies an operation to the lab, at the latest when something looks.
func (c *call) later(o op.Waiting) error { return c.lab.Later(c.ctx, c.pos(), o, c.blame) }

// CatchUp does what was put off.
func (s *Session) CatchUp() error {
	if s.lab.Planned() {
		return nil
	}
	return s.lab.System().CatchUp()
}

// callBack calls a function of the script, as if nothing that it does were put off.
func (c *call) callBack(fn starlark.Value) (starlark.Value, error) {
	v, err := starlark.Call(c.thread, fn, nil, nil)
	if late := c.lab.CatchUp(c.ctx); late != nil {
		return nil, late // it was asked for before
	}
	return v, err
}
