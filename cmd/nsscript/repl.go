//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"go.starlark.net/starlark"

	"nsscript/builtins"
	"nsscript/builtins/kernel"
	"nsscript/builtins/lab"
	"nsscript/builtins/op"
	"nsscript/interp"
	"nsscript/interp/repl"
)

func newRepl() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "repl [FILE|@EXAMPLE]",
		Short: "Build a lab line by line, from nothing or from what a script has built",
		Args:  cobra.MaximumNArgs(1), ValidArgsFunction: completeScripts,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "-" {
				return usage("the session's lines come from the standard input already (see `%s --help`)", cmd.CommandPath())
			}
			return runRepl(cmd.Context(), args, o)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.set, "set", nil, "set a parameter of the script: `NAME=VALUE`")
	f.BoolVar(&o.sandbox, "sandbox", false, "build in a private host namespace, also as root")
	f.BoolVar(&o.explain, "explain", false, "print before each step the command that does the same")
	return cmd
}

// runRepl runs a session here, or in a sandbox of its own.
func runRepl(ctx context.Context, args []string, o runOptions) error {
	if w, ok := asWorker(); ok {
		return runSession(ctx, args, o, w, w.registry)
	}
	if rights := hostRights(); o.sandbox || rights != nil {
		return runInSandbox(ctx)
	}
	r := lab.DefaultRegistry()
	return runSession(ctx, args, o, &hostPlace{registry: r, alone: true}, r)
}

func runSession(ctx context.Context, args []string, o runOptions, at place, r lab.Registry) error {
	src, name, origin := interp.Source{}, freeName(r, "repl"), "an interactive session of "+time.Now().Format("2006-01-02 15:04:05")
	if len(args) > 0 {
		var err error
		if src, name, origin, err = source(args, o.code); err != nil {
			return err
		}
	}
	if names, err := r.Names(); err == nil && len(args) > 0 && slices.Contains(names, name) {
		fmt.Fprintf(os.Stderr, "the lab %s that is up is built anew, in its place\n", name)
	}
	ready, err := prepare(ctx, &stdout, name, origin, o, at)
	if err != nil {
		return err
	}
	ctx, interrupt := sessionContext(ctx)
	globals := starlark.StringDict{}
	if len(args) > 0 {
		runCtx, stop := context.WithCancelCause(ctx)
		interrupt.set(func() { stop(signaled{os.Interrupt}) })
		if globals, err = runFirst(runCtx, ready, src); err != nil {
			return finish(runCtx, ready.session, at, o, err)
		}
	}
	s, err := newConsole(ready, globals, string(src.Text), interrupt)
	if err != nil {
		return errors.Join(err, at.settle(context.WithoutCancel(ctx), ready.session.Lab(), false))
	}
	if isatty.IsTerminal(os.Stdin.Fd()) {
		leaving := "Ctrl-D leaves"
		if len(args) > 0 {
			leaving = "Ctrl-D leaves, and takes the lab down unless keep() was called"
		}
		fmt.Fprintf(&stdout, "help() tells how to begin; %s.\n", leaving)
	}
	defer ready.session.SetConsole(s)()
	return leaveSession(ctx, ready.session, s, at, s.Run(ctx))
}

// runFirst runs the script that a session starts from.
func runFirst(ctx context.Context, r *ready, src interp.Source) (starlark.StringDict, error) {
	if err := foresee(r.interp, src, r.session, r.params); err != nil {
		return nil, err
	}
	r.session.Use(ctx)
	return r.interp.Run(ctx, src)
}

// leaveSession takes the lab of a session down, unless it is to stay.
func leaveSession(ctx context.Context, s *builtins.Session, r *repl.Session, at place, err error) error {
	l := s.Lab()
	stay := r.Kept() && l.Built() && ctx.Err() == nil && err == nil
	if stay {
		err = s.Finish()
	}
	if settled := at.settle(context.WithoutCancel(ctx), l, stay); settled != nil {
		return errors.Join(err, fmt.Errorf("ending the session's lab %q: %w", l.Name(), settled))
	}
	if stay {
		fmt.Fprintf(os.Stderr, "lab %s is up; take it down with: nsscript down %s\n", l.Name(), l.Name())
	}
	failed := slices.ContainsFunc(s.Checks(), func(c builtins.Check) bool { return !c.OK })
	switch {
	case repl.Failed(err), err == nil && failed && !isatty.IsTerminal(os.Stdin.Fd()):
		return &exitError{status: exitFailed}
	case ctx.Err() != nil:
		return &exitError{status: statusOf(ctx, ctx.Err())}
	}
	return err
}

// freeName returns the name itself, or with a number behind it, that no lab has.
func freeName(r lab.Registry, name string) string {
	names, err := r.Names()
	if err != nil {
		return name // to take it will tell what is wrong
	}
	free := name
	for i := 2; slices.Contains(names, free); i++ {
		free = fmt.Sprintf("%s-%d", name, i)
	}
	return free
}

// interrupts is what Ctrl-C does in a session.
type interrupts struct {
	mu sync.Mutex
	do func()
}

func (i *interrupts) set(do func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.do = do
}

func (i *interrupts) happen() {
	i.mu.Lock()
	do := i.do
	i.mu.Unlock()
	do()
}

// sessionContext returns a context that ends with the command's, but not by Ctrl-C,
// which stops only what the session runs at the moment.
func sessionContext(ctx context.Context) (context.Context, *interrupts) {
	i := &interrupts{do: func() {}}
	own, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	onSignal(ctx, func(sig os.Signal) {
		if sig == os.Interrupt || sig == syscall.SIGQUIT {
			i.happen()
			return
		}
		cancel(signaled{sig})
	})
	return own, i
}

// newConsole makes the session over a lab.
func newConsole(r *ready, globals starlark.StringDict, base string, i *interrupts) (*repl.Session, error) {
	lib, err := library()
	if err != nil {
		return nil, err
	}
	return repl.New(repl.Config{
		Interp: r.interp, Globals: globals, Library: lib, Lab: &sessionLab{r.session}, Display: builtins.Display,
		Out: &stdout, Err: os.Stderr, Style: docStyle, Base: base, History: historyFile(),
		OnInterrupt: i.set, Programs: sync.OnceValue(kernel.Programs),
	}), nil
}

// historyFile is in the user's state directory (XDG Base Directory Specification);
// "" where there is none.
func historyFile() string {
	dir := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "nsscript", "history")
}

// interactWith is interact(): a session with the names that a script sees at that
// place.
func interactWith(r *ready) func(*starlark.Thread) error {
	return func(thread *starlark.Thread) error {
		ctx, _ := thread.Local("context").(context.Context)
		globals := starlark.StringDict{}
		frame := thread.DebugFrame(1)
		if fn, ok := frame.Callable().(*starlark.Function); ok {
			globals = fn.Globals()
			for i := range frame.NumLocals() {
				if b, v := frame.Local(i); v != nil {
					globals[b.Name] = v
				}
			}
		}
		own, interrupt := sessionContext(ctx)
		s, err := newConsole(r, globals, "", interrupt)
		if err != nil {
			return err
		}
		defer r.session.Use(ctx)
		defer onSignal(ctx, nil)
		defer r.session.SetConsole(s)()
		return s.Run(own)
	}
}

// sessionLab is what a session asks of a lab.
type sessionLab struct{ s *builtins.Session }

var _ repl.Lab = (*sessionLab)(nil)

func (l *sessionLab) Title() string {
	where := "root"
	if l.s.Lab().Private() {
		where = "sandbox"
	}
	return l.s.Lab().Name() + " (" + where + ")"
}

func (l *sessionLab) Use(ctx context.Context) { l.s.Use(ctx) }
func (l *sessionLab) Steps() int              { return l.s.Lab().Steps() }

func (l *sessionLab) Rewind(ctx context.Context, steps int, force bool) (int, error) {
	defer l.s.Undone()
	return l.s.Lab().Rewind(ctx, steps, force)
}

func (l *sessionLab) Place(v starlark.Value) bool {
	_, ok := v.(*builtins.Namespace)
	return ok
}

func (l *sessionLab) PlaceNamed(name string) starlark.Value {
	if n := l.s.NamespaceNamed(name); n != nil {
		return n
	}
	return nil
}

func (l *sessionLab) Command(_ context.Context, place starlark.Value, line string, terminal bool) (int, error) {
	return l.s.Command(place.(*builtins.Namespace), line, terminal)
}

func (l *sessionLab) Names(kind string, place starlark.Value) []string {
	switch kind {
	case "namespace":
		return append(l.s.Lab().System().Names(), op.Host)
	case "feature":
		return kernel.Features()
	case "interface":
		if n, ok := place.(*builtins.Namespace); ok {
			names, err := n.Links()
			if err == nil {
				return names
			}
		}
	}
	return nil
}
