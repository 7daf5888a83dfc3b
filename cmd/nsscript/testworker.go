//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"

	"nsscript/builtins"
	"nsscript/builtins/kernel"
	"nsscript/builtins/lab"
	"nsscript/cmd/nsscript/internal/suite"
	"nsscript/interp"
)

// One test is one process: this program, started once more in a sandbox of the
// test's own by `nsscript test` (testbox.go). What the test prints goes to the
// standard output and error; what became of it is told on a pipe.

// fdResult is the worker's descriptor for what became of the test.
const fdResult = 3

// hastyTeardown is how long teardown() may take once the run was interrupted.
const hastyTeardown = 2 * time.Second

func newTestWorker() *cobra.Command {
	var set []string
	var limit time.Duration
	cmd := &cobra.Command{
		Use: "run-test FILE [FUNC]", Short: "Run one test, in the sandbox of which this is a part", Args: cobra.RangeArgs(1, 2), Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if os.Getenv(envWorker) == "" {
				return usage("this is started by `nsscript test`, in a sandbox")
			}
			unix.CloseOnExec(fdResult)
			w := &testWorker{file: args[0], limit: limit}
			if len(args) > 1 {
				w.name = args[1]
			}
			result := w.run(cmd.Context(), set)
			return json.NewEncoder(os.NewFile(fdResult, "result")).Encode(result)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&set, "set", nil, "set a parameter: `NAME=VALUE`")
	f.DurationVar(&limit, "timeout", 0, "the `TIME` it may take")
	return cmd
}

// testPlace is where the lab of a test is built: in the test's own sandbox, whose
// registry is no one else's and goes with it.
type testPlace struct{ registry lab.Registry }

func (p testPlace) private() bool { return true }
func (p testPlace) sole() bool    { return false } // they end with the sandbox

func (p testPlace) open(_ context.Context, m lab.Meta) (dir string, err error) {
	if m.Boot, err = kernel.BootID(); err != nil {
		return "", err
	}
	m.Created, m.PID = time.Now(), os.Getpid()
	dir = p.registry.Path(m.Name)
	return dir, lab.WriteInside(dir, &m)
}

func (p testPlace) settle(_ context.Context, l *lab.Lab, _ bool) error {
	l.Close()
	return nil
}

var _ place = testPlace{}

// testWorker runs one test.
type testWorker struct {
	file, name string
	limit      time.Duration

	*ready
	script  *interp.Script
	result  suite.Result
	skipped bool
}

// errTestTime is the cause of the end of a test that takes too long.
var errTestTime = errors.New("the test's time was over")

func (w *testWorker) run(ctx context.Context, set []string) *suite.Result {
	began := time.Now()
	place := testPlace{lab.Registry{Dir: os.Getenv(envWorker)}}
	if err := w.prepare(ctx, set, place); err != nil {
		w.failed(err)
	} else {
		w.play(ctx)
		w.failed(w.session.Finish())
		w.failed(place.settle(ctx, w.session.Lab(), false))
		w.result.Checks = w.session.Checks()
	}
	w.result.Seconds = time.Since(began).Seconds()
	w.result.Settle(w.skipped)
	return &w.result
}

func (w *testWorker) prepare(ctx context.Context, set []string, at place) error {
	src, err := interp.ReadFile(w.file)
	if err != nil {
		return err
	}
	if w.ready, err = prepare(ctx, &stdout, labName(w.file), src.Path, runOptions{set: set, places: true}, at); err != nil {
		return err
	}
	w.script = w.interp.Read(src)
	return foresee(w.interp, src, w.session, nil)
}

// play runs the top level, and where the test is a function, setup(), it and
// teardown().
func (w *testWorker) play(ctx context.Context) {
	limited, cancel := w.within(ctx, w.limit)
	defer cancel()
	w.session.Use(limited)
	globals, err := w.interp.Run(limited, w.script.Source)
	if w.failed(err) || w.name == "" || w.skipped {
		return
	}
	f, err := w.functions(globals)
	if w.failed(err) || f.test == nil {
		return
	}
	var made starlark.Value = starlark.None
	if f.setup != nil {
		if made, err = w.interp.Call(limited, f.setup); w.failed(err) || w.skipped {
			return
		}
	}
	_, err = w.interp.Call(limited, f.test, given(f.test, made)...)
	w.failed(err)
	if f.teardown == nil {
		return
	}
	last, cancel := w.within(ctx, w.limit)
	if ctx.Err() != nil {
		last, cancel = w.within(context.WithoutCancel(ctx), hastyTeardown)
	}
	defer cancel()
	w.session.Use(last)
	_, err = w.interp.Call(last, f.teardown, given(f.teardown, made)...)
	w.failed(err)
}

func (w *testWorker) within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, limit, errTestTime)
}

// failed notes an error and prints it as it would be in a run. It reports whether
// there was one; that the test was skipped is none.
func (w *testWorker) failed(err error) bool {
	if err == nil {
		return false
	}
	if s := skippedBy(err); s != nil {
		w.skipped, w.result.Reason = true, s.Reason
		fmt.Fprintln(&stdout, skipLine(err))
		return false
	}
	var at *interp.Error
	if errors.As(err, &at) && errors.Is(err, errTestTime) {
		at.Hint = fmt.Sprintf("a test may take %s: --timeout gives it more, --timeout 0 as much as it wants", w.limit)
	}
	var wrongSet *builtins.ParamError
	w.result.Usage = w.result.Usage || errors.As(err, &wrongSet)
	fmt.Fprintln(&stdout, w.result.Add(err).Text)
	var s signaled
	if errors.Is(err, context.Canceled) && errors.As(err, &s) {
		w.result.Outcome = suite.Interrupted
	}
	return true
}

// testFunctions are the functions that a test calls; nil for none.
type testFunctions struct{ setup, test, teardown *starlark.Function }

// functions finds the functions of the test, and what is wrong with them.
func (w *testWorker) functions(globals starlark.StringDict) (f testFunctions, err error) {
	if globals[w.name] == nil {
		w.skipped, w.result.Reason = true, fmt.Sprintf("the top level did not come to the definition of %s", w.name)
		fmt.Fprintf(&stdout, "skipped: %s\n", w.result.Reason)
		return f, nil
	}
	if f.setup, err = functionOf(w.script, globals, suite.Setup, 0); err != nil {
		return f, err
	}
	if f.teardown, err = functionOf(w.script, globals, suite.Teardown, 1); err != nil {
		return f, err
	}
	if f.test, err = functionOf(w.script, globals, w.name, 1); err != nil {
		return f, err
	}
	for name, fn := range map[string]*starlark.Function{w.name: f.test, suite.Teardown: f.teardown} {
		if fn != nil && fn.NumParams() > 0 && f.setup == nil {
			return f, globalProblem(w.script, name, fmt.Sprintf("%s takes what setup() returns, and there is no setup()", name), "define setup(), or leave the parameter out")
		}
	}
	return f, nil
}

// functionOf is one function of a script, which takes so many arguments at most; nil if
// there is none of that name.
func functionOf(script *interp.Script, globals starlark.StringDict, name string, most int) (*starlark.Function, error) {
	v := globals[name]
	if v == nil {
		return nil, nil
	}
	fn, ok := v.(*starlark.Function)
	if !ok {
		tip := fmt.Sprintf("write: def %s():", name)
		if strings.HasPrefix(name, "test_") {
			tip += ", or choose a name that does not begin with test_"
		}
		return nil, globalProblem(script, name, fmt.Sprintf("%s is called as a function, and it is of type %s", name, v.Type()), tip)
	}
	if fn.NumParams() > most {
		takes := "takes no argument"
		if most == 1 {
			takes = "takes nothing, or one argument: what setup() returns"
		}
		return nil, globalProblem(script, name, fmt.Sprintf("%s has %d parameters: %s() %s", name, fn.NumParams(), name, takes), "")
	}
	return fn, nil
}

// globalProblem is an error about a global name of a script.
func globalProblem(script *interp.Script, name, msg, hint string) error {
	for _, id := range script.Globals() {
		if id.Name == name {
			return script.Problem(id, msg, hint)
		}
	}
	return &interp.Error{Msg: filepath.Base(script.Source.Name) + ": " + msg, Hint: hint}
}

// given are the arguments for a function that may take what setup() made.
func given(fn *starlark.Function, made starlark.Value) []starlark.Value {
	if fn.NumParams() == 0 {
		return nil
	}
	return []starlark.Value{made}
}
