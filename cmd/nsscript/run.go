//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"nsscript/builtins"
	"nsscript/builtins/lab"
	"nsscript/interp"
)

// runOptions are the flags of run.
type runOptions struct {
	code    string
	set     []string
	rm      bool
	sandbox bool
	closed  bool
	keep    bool
	explain bool
	json    bool
	places  bool // of checks that fail

	progress *runProgress // nil for none
}

func newRun() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run FILE|@EXAMPLE|-",
		Short: "Build a lab and leave it up; running it again replaces it",
		Args:  cobra.MaximumNArgs(1), ValidArgsFunction: completeScripts,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkScript(cmd, args, o.code); err != nil {
				return err
			}
			return runLab(cmd.Context(), args, o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.code, "code", "c", "", "run this `CODE`")
	f.StringArrayVar(&o.set, "set", nil, "set a parameter of the script: `NAME=VALUE`")
	f.BoolVar(&o.rm, "rm", false, "take the lab down at the end")
	f.BoolVar(&o.sandbox, "sandbox", false, "build in a private host namespace, also as root")
	f.BoolVar(&o.closed, "untrusted", false, "build a stranger's lab in a sandbox that holds none of your files and processes")
	f.BoolVar(&o.keep, "keep", false, "leave what a failing script has built")
	f.BoolVar(&o.explain, "explain", false, "print before each step the command that does the same")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	return cmd
}

// runLab runs a script here, or in a sandbox of its own.
func runLab(ctx context.Context, args []string, o runOptions) error {
	if w, ok := asWorker(); ok {
		return runScript(ctx, args, o, w)
	}
	if o.closed {
		return runUntrusted(ctx, args, o)
	}
	if rights := hostRights(); o.sandbox || rights != nil {
		return runInSandbox(ctx)
	}
	return runScript(ctx, args, o, &hostPlace{registry: lab.DefaultRegistry(), alone: true})
}

// place is where a lab is built: on the host or in a sandbox.
type place interface {
	// private says that the host namespace is the lab's own.
	private() bool
	// sole says that the programs of this process are all of the lab's, and to be
	// ended with it should the process be killed.
	sole() bool
	// open takes a lab's name.
	open(ctx context.Context, m lab.Meta) (dir string, err error)
	// settle ends the building: the lab stays up, or is taken down.
	settle(ctx context.Context, l *lab.Lab, stay bool) error
}

// outcome is what run --json prints.
type outcome struct {
	Lab    string           `json:"lab"`
	Up     bool             `json:"up"`
	Status int              `json:"status"`
	Checks []builtins.Check `json:"checks"`
	Params []builtins.Param `json:"params,omitempty"`
	// Skipped is why skip() ended the script, nil where it did not.
	Skipped *string  `json:"skipped,omitempty"`
	Error   *failure `json:"error,omitempty"`
}

type failure struct {
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Pos     string `json:"pos,omitempty"`
}

// scriptGC is how much the heap of a script grows between two collections, in percent of
// what is used: with Go's 100, loops that make thousands of things take half as long again
// where there are few processors.
const scriptGC = 200

// runScript runs a script in this process.
func runScript(ctx context.Context, args []string, o runOptions, at place) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(scriptGC)
	}
	src, name, origin, err := source(args, o.code)
	if err != nil {
		return err
	}
	out := io.Writer(&stdout)
	if o.json {
		out = os.Stderr
	}
	o.progress = newRunProgress(o)
	r, err := prepare(ctx, out, name, origin, o, at)
	if err != nil {
		o.progress.stop()
		return err
	}
	err = foresee(r.interp, src, r.session, r.params)
	if err == nil {
		_, err = r.interp.Run(ctx, src)
	}
	if err == nil {
		err = r.session.Finish()
	}
	o.progress.stop()
	return finish(ctx, r.session, at, o, err)
}

// prepare makes a lab that is not begun yet, and the language for it.
func prepare(ctx context.Context, out io.Writer, name, origin string, o runOptions, at place) (*ready, error) {
	params, err := parseSets(o.set)
	if err != nil {
		return nil, err
	}
	explain := explainer()
	l, err := lab.New(lab.Options{
		Name: name, Private: at.private(), Sole: at.sole(), Done: o.progress.count,
		Open: func(ctx context.Context, name, description string) (string, error) {
			return at.open(ctx, lab.Meta{Name: name, Description: description, Origin: origin})
		},
	})
	if err != nil {
		return nil, err
	}
	if o.explain {
		l.ExplainTo(explain)
	}
	return language(ctx, o.progress.over(out, os.Stdout), builtins.Options{
		Lab: l, Err: o.progress.over(os.Stderr, os.Stderr), Lend: o.progress.lend, Style: builtins.Style{Color: colorful(os.Stdout) && !o.json, Places: o.places}, Params: params, Self: self(), Explain: explain, Width: columns(),
	}), nil
}

// explainer prints the commands of each step on stderr, so that they can be
// collected and run by a shell.
func explainer() func(string, []string) {
	return func(_ string, commands []string) {
		for _, c := range commands {
			fmt.Fprintln(os.Stderr, c)
		}
	}
}

// finish ends a run: it decides whether the lab stays, says so, and returns how
// the run ended.
func finish(ctx context.Context, s *builtins.Session, at place, o runOptions, err error) error {
	l := s.Lab()
	if cerr := s.StopCaptures(""); err == nil {
		err = cerr
	}
	stay := l.Built() && (err == nil && !o.rm || err != nil && o.keep)
	if stay {
		// After Ctrl-C something can be put off still.
		if late := errors.Join(l.CatchUp(context.WithoutCancel(ctx)), l.System().CatchUp()); late != nil {
			err = errors.Join(err, late)
		}
	}
	skipped := skippedBy(err)
	switch {
	case skipped != nil && !o.json:
		fmt.Fprintln(os.Stderr, skipLine(err))
	case err != nil && !o.json:
		show(os.Stderr, err)
	}
	// What was begun is taken back also after Ctrl-C.
	settled := at.settle(context.WithoutCancel(ctx), l, stay)
	status := exitOK
	if err != nil && skipped == nil {
		status = statusOf(ctx, err)
		var ee *exitError
		if errors.As(err, &ee) {
			status = ee.status
		}
	}
	failed := 0
	for _, c := range s.Checks() {
		if !c.OK {
			failed++
		}
	}
	if status == exitOK && (failed > 0 || settled != nil) {
		status = exitFailed
	}
	if o.json {
		return errors.Join(settled, printOutcome(s, stay && settled == nil, status, err))
	}
	if settled != nil {
		doing := "taking the lab %q down: %w"
		if stay {
			doing = "leaving the lab %q up: %w"
		}
		return fmt.Errorf(doing, l.Name(), settled)
	}
	summarize(s, o, stay, failed, err)
	return &exitError{status: status}
}

func summarize(s *builtins.Session, o runOptions, stay bool, failed int, err error) {
	l := s.Lab()
	comment := ""
	if o.explain {
		comment = "# "
	}
	if n := len(s.Checks()); n > 0 {
		fmt.Fprintf(os.Stderr, "%s%d %s: %d passed, %d failed\n", comment, n, plural(n, "check"), n-failed, failed)
	}
	switch {
	case stay:
		fmt.Fprintf(os.Stderr, "%slab %s is up; take it down with: nsscript down %s\n", comment, l.Name(), l.Name())
	case err != nil && l.Built():
		fmt.Fprintf(os.Stderr, "%slab %s was taken back; --keep leaves it, to look at\n", comment, l.Name())
	}
}

// failureOf is an error as JSON has it.
func failureOf(err error) *failure {
	var se *interp.Error
	if errors.As(err, &se) {
		return &failure{Message: se.Msg, Hint: se.Hint, Pos: se.Pos.String()}
	}
	f := &failure{Message: err.Error()}
	var h interp.Hinter
	if errors.As(err, &h) {
		f.Hint = h.Hint()
	}
	return f
}

func printOutcome(s *builtins.Session, stay bool, status int, err error) error {
	res := outcome{Lab: s.Lab().Name(), Up: stay, Status: status, Checks: s.Checks(), Params: s.Params()}
	if res.Checks == nil {
		res.Checks = []builtins.Check{}
	}
	if skipped := skippedBy(err); skipped != nil {
		res.Skipped = &skipped.Reason
	} else if err != nil {
		res.Error = failureOf(err)
	}
	enc := json.NewEncoder(&stdout)
	enc.SetIndent("", "  ")
	if err := enc.Encode(res); err != nil {
		return err
	}
	return &exitError{status: status}
}
