package interp

import (
	"errors"
	"fmt"
	"runtime/debug"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// A Panic is the cause of an [Error] for a fault in a builtin.
type Panic struct {
	Value any    // what it panicked with
	Stack []byte // the Go stack
}

// Error returns the panic's value.
func (p *Panic) Error() string { return fmt.Sprintf("internal error: %v", p.Value) }

// Unwrap returns the panic's value where that is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// internalError is the error of a fault that is not the script's.
func internalError(p *Panic) *Error {
	return &Error{
		Msg:  p.Error(),
		Hint: "this is a fault of the program, not of the script; a report with the script would help",
		Err:  p,
	}
}

// guard returns a builtin whose panics are errors, so that they have a position
// in the script: when a panic has reached [Interp.Run], Starlark has forgotten
// where it was. The builtins of a module are guarded too; other values come back
// as they are.
func guard(v starlark.Value) starlark.Value {
	switch v := v.(type) {
	case *starlark.Builtin:
		return guardBuiltin(v)
	case *starlarkstruct.Module:
		members := make(starlark.StringDict, len(v.Members))
		for name, m := range v.Members {
			members[name] = guard(m)
		}
		return &starlarkstruct.Module{Name: v.Name, Members: members}
	}
	return v
}

// joined returns the error of a builtin that called back. One from this thread
// stays as it was: it knows all calls, and to wrap it again at each level of a
// deep recursion would cost much. One from a thread of the builtin's own is
// wrapped, so that Starlark adds the calls of this thread.
func joined(thread *starlark.Thread, err error) error {
	var ee *starlark.EvalError
	if !errors.As(err, &ee) || len(ee.CallStack) == 0 {
		return err
	}
	depth := thread.CallStackDepth()
	if len(ee.CallStack) >= depth && ee.CallStack[0] == thread.CallFrame(depth-1) {
		return ee
	}
	return fmt.Errorf("%w", err)
}

func guardBuiltin(b *starlark.Builtin) *starlark.Builtin {
	g := starlark.NewBuiltin(b.Name(), func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (v starlark.Value, err error) {
		defer func() {
			if p := recover(); p != nil {
				v, err = nil, &Panic{Value: p, Stack: debug.Stack()}
			}
		}()
		v, err = b.CallInternal(thread, args, kwargs)
		return v, joined(thread, err)
	})
	if recv := b.Receiver(); recv != nil {
		g = g.BindReceiver(recv)
	}
	return g
}
