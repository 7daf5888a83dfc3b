package interp

import (
	"context"
	"errors"
	"reflect"
	"runtime/debug"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// stepsPerLook is how many steps Starlark makes between two looks at the depth
// of calls. A step is some nanoseconds, a look some more.
const stepsPerLook = 1000

// Why a thread was stopped; Starlark reports it behind the first of these.
const (
	cancelled       = "Starlark computation cancelled: "
	stopInterrupted = "interrupted"
	stopTooDeep     = "too deep"
)

// Run runs a script and returns its global names. When the context is done the
// script ends, within microseconds where it computes, and when the builtin
// returns where it waits. The error is an *[Error]; that of an ended script is
// context.Canceled or the context's other error, and the context's cause.
func (in *Interp) Run(ctx context.Context, src Source) (starlark.StringDict, error) {
	f, e := in.prepare(src)
	if e != nil {
		return nil, e
	}
	var globals starlark.StringDict
	e = in.onThread(ctx, src.Name, func(thread *starlark.Thread) (err error) {
		globals, err = f.prog.Init(thread, in.predeclared)
		return err
	})
	if e != nil {
		return globals, e
	}
	return globals, nil
}

// Call calls a function, such as one that a script has defined. The error is an
// *[Error].
func (in *Interp) Call(ctx context.Context, fn starlark.Value, args ...starlark.Value) (starlark.Value, error) {
	var v starlark.Value
	e := in.onThread(ctx, "call", func(thread *starlark.Thread) (err error) {
		v, err = starlark.Call(thread, fn, args, nil)
		return err
	})
	if e != nil {
		return nil, e
	}
	return v, nil
}

// Chunk runs one input of an interactive session: it sees the names in globals,
// and adds and changes names there, also when it fails halfway. It returns the
// value of its last statement where that is an expression, and None where not.
// The error is an *[Error].
func (in *Interp) Chunk(ctx context.Context, src Source, globals starlark.StringDict) (starlark.Value, error) {
	opts := Dialect()
	opts.LoadBindsGlobally = true
	f, e := in.parse(opts, src, "")
	if e == nil {
		e = in.link(f, nil, map[*file]bool{})
	}
	if e != nil {
		return nil, e
	}
	f.nodes() // of the tree as it was written
	valued := keepValue(f.tree)

	env := make(starlark.StringDict, len(in.predeclared)+len(globals))
	for name, v := range in.predeclared {
		env[name] = v
	}
	for name, v := range globals {
		env[name] = v
	}
	e = in.onThread(ctx, src.Name, func(thread *starlark.Thread) error {
		err := starlark.ExecREPLChunk(f.tree, thread, env)
		var undefined resolve.ErrorList
		if errors.As(err, &undefined) {
			return in.resolveError(f, undefined, globals.Keys())
		}
		return err
	})
	value, ok := env[chunkValue]
	if !ok || !valued {
		value = starlark.None
	}
	delete(env, chunkValue)
	for name, v := range env {
		if globals[name] != nil || !same(v, in.predeclared[name]) {
			globals[name] = v
		}
	}
	if e != nil {
		return nil, e
	}
	return value, nil
}

// chunkValue is a name that no script can write.
const chunkValue = "(value)"

// keepValue makes a chunk keep the value of its last expression.
func keepValue(tree *syntax.File) bool {
	n := len(tree.Stmts)
	if n == 0 {
		return false
	}
	x, ok := tree.Stmts[n-1].(*syntax.ExprStmt)
	if !ok {
		return false
	}
	start := syntax.Start(x.X)
	tree.Stmts[n-1] = &syntax.AssignStmt{
		OpPos: start, Op: syntax.EQ,
		LHS: &syntax.Ident{NamePos: start, Name: chunkValue}, RHS: x.X,
	}
	return true
}

// same reports whether two values are one.
func same(v, w starlark.Value) bool {
	return w != nil && reflect.ValueOf(v).Comparable() && reflect.ValueOf(w).Comparable() && v == w
}

// onThread calls f with a new thread that ends with the context, and explains
// its error.
func (in *Interp) onThread(ctx context.Context, name string, f func(*starlark.Thread) error) (e *Error) {
	thread := &starlark.Thread{Name: name, Print: in.opts.Print, Load: in.load, OnMaxSteps: in.look}
	thread.SetLocal("context", ctx)
	thread.SetMaxExecutionSteps(stepsPerLook)
	if ctx.Err() != nil {
		thread.Cancel(stopInterrupted)
	}
	defer context.AfterFunc(ctx, func() { thread.Cancel(stopInterrupted) })()
	defer func() {
		if v := recover(); v != nil {
			e = internalError(&Panic{Value: v, Stack: debug.Stack()})
			e.Pos = syntax.MakePosition(&name, 0, 0)
		}
	}()
	if err := in.caughtUp(f(thread)); err != nil {
		return in.explain(ctx, err)
	}
	return nil
}

// caughtUp does what was put off by a script that has ended, with an error or without.
func (in *Interp) caughtUp(err error) error {
	if in.opts.CatchUp == nil {
		return err
	}
	late := in.opts.CatchUp()
	var first Late
	if err == nil || errors.As(late, &first) {
		return late
	}
	return err
}

// Explain puts an error of a function that a builtin has called in words, with its
// place.
func (in *Interp) Explain(ctx context.Context, err error) *Error { return in.explain(ctx, err) }

// look stops a thread whose calls are too deep. Starlark has no other place to
// check: a script that recurses through a builtin such as sorted does so on one
// thread, so its calls count alike.
func (in *Interp) look(thread *starlark.Thread) {
	thread.SetMaxExecutionSteps(thread.ExecutionSteps() + stepsPerLook)
	if thread.CallStackDepth() > in.opts.MaxDepth {
		thread.Cancel(stopTooDeep)
	}
}
