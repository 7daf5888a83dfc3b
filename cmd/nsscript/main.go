// Command nsscript runs network labs: scripts that make Linux network
// namespaces, cables, bridges, routes, NAT, firewalls and processes, and look at
// what passes through them.
//
// Each subcommand is one short file of this package. A lab stands on the
// machine itself when root runs it, else in a sandbox (package sandbox): then
// the command that the user typed is a client, which starts itself once more
// inside as a worker (worker.go).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"nsscript/builtins"
	"nsscript/builtins/kernel"
	"nsscript/builtins/near"
	"nsscript/builtins/op"
	"nsscript/interp"
)

// The exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1 // the script or a check failed
	exitUsage       = 2 // wrong usage
	exitMissing     = 3 // the machine lacks a right, a program or a kernel feature
	exitInterrupted = 130
	exitTerminated  = 143
)

func main() {
	begin()
	// The first thread stays as it is, with the process' own namespaces, while
	// all work is done on others: /proc/PID/ns shows the first thread's, and it
	// is the one thread that Go cannot end.
	runtime.LockOSThread()
	status := make(chan int)
	go func() { status <- run(os.Args[1:]) }()
	os.Exit(<-status)
}

// exitError ends the command with a status, after an error was shown or where
// there is none to show.
type exitError struct {
	status int
	err    error // shown if not nil
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// run runs a command line and returns its exit status.
func run(args []string) int {
	ctx, stop := interruptible()
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	status := report(ctx, err)
	if err := stdout.failure(); err != nil && status == exitOK {
		return report(ctx, err)
	}
	return status
}

// signaled is the cause of a context that a signal ended.
type signaled struct{ sig os.Signal }

func (s signaled) Error() string {
	if s.sig == os.Interrupt {
		return "interrupted"
	}
	return "ended by " + s.sig.String()
}

// interruptible returns a context that Ctrl-C and SIGTERM end. Further signals
// change nothing, up to the end of the process: what was begun is taken back in
// peace.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ch := make(chan os.Signal, 1)
	t := &taken{}
	// A reader that goes away (| head) must not end a run halfway: writing to it
	// is an error then, not the end.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	go func() {
		for sig := range ch {
			if !t.handle(sig) {
				cancel(signaled{sig})
			}
		}
	}()
	return context.WithValue(ctx, takenKey{}, t), func() { cancel(nil) }
}

// taken is what an interactive session does with signals in place of the command.
type taken struct {
	mu sync.Mutex
	do func(os.Signal)
}

type takenKey struct{}

func (t *taken) handle(sig os.Signal) bool {
	t.mu.Lock()
	do := t.do
	t.mu.Unlock()
	if do == nil {
		return false
	}
	do(sig)
	return true
}

// onSignal has the signals of the command whose context this is handled by do; nil
// gives them back.
func onSignal(ctx context.Context, do func(os.Signal)) {
	if t, ok := ctx.Value(takenKey{}).(*taken); ok {
		t.mu.Lock()
		t.do = do
		t.mu.Unlock()
	}
}

// report shows an error and returns the exit status it stands for.
func report(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	var ee *exitError
	if errors.As(err, &ee) && ee.err == nil {
		return ee.status
	}
	var s signaled
	if errors.Is(err, context.Canceled) && errors.As(context.Cause(ctx), &s) {
		var at *interp.Error
		if !errors.As(err, &at) {
			err = s // what it was the end of is known
		}
	}
	show(os.Stderr, err)
	if ee != nil {
		return ee.status
	}
	return statusOf(ctx, err)
}

// show prints an error in the one form that all errors have.
func show(w io.Writer, err error) {
	var se *interp.Error
	if errors.As(err, &se) {
		fmt.Fprintln(w, se.Format(colorful(os.Stderr)))
		return
	}
	fmt.Fprintf(w, "nsscript: error: %v\n", err)
	var h interp.Hinter
	if errors.As(err, &h) && h.Hint() != "" {
		fmt.Fprintf(w, "   hint: %s\n", h.Hint())
	}
}

// statusOf is the exit status for an error.
func statusOf(ctx context.Context, err error) int {
	var s signaled
	if errors.As(context.Cause(ctx), &s) {
		if s.sig == os.Interrupt {
			return exitInterrupted
		}
		return exitTerminated
	}
	var wrongSet *builtins.ParamError
	if errors.As(err, &wrongSet) {
		return exitUsage
	}
	var missing *kernel.MissingError
	if errors.As(err, &missing) || errors.Is(err, kernel.ErrNotLinux) || lacksSandbox(err) {
		return exitMissing
	}
	return exitFailed
}

// usage is an error of how the command was called.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "nsscript",
		Short:         "Network labs as programs: Linux namespaces, cables, bridges, routes, NAT, firewalls",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%w (see `%s --help`)", err, cmd.CommandPath())
	})
	root.AddCommand(commands()...)
	wrapArgs(root)
	return root
}

// unknownCommand is the error of a first argument that is no command.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	tip := near.Hint(names, args[0])
	if strings.HasSuffix(args[0], ".star") || strings.HasPrefix(args[0], "@") {
		tip = "a script is run by: nsscript run " + args[0]
	}
	return &op.Error{Msg: fmt.Sprintf("there is no command %q", args[0]), Tip: tip}
}

// wrapArgs turns a wrong number of arguments and an unknown subcommand into
// errors of usage.
func wrapArgs(cmd *cobra.Command) {
	check := cmd.Args
	cmd.Args = func(c *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		if err := check(c, args); err != nil {
			var told *op.Error
			if errors.As(err, &told) {
				return usage("%w", err)
			}
			return usage("%w (see `%s --help`)", err, c.CommandPath())
		}
		return nil
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
}
