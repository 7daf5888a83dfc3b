//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"nsscript/builtins"
	"nsscript/builtins/kernel/sandbox"
	"nsscript/cmd/nsscript/internal/course"
)

// An exercise is proved by trials: each builds its network anew, in a sandbox of its own,
// does something in it as a student would, and looks at what the checks say.

// trial is one of them.
type trial struct {
	name   string
	unless bool         // nothing is built at all
	file   string       // what the student has written, "" for nothing
	do     *exerciseJob // what is done, nil for nothing
	want   wanted
	note   bool // what comes out otherwise is a remark, no flaw
}

// wanted is what checks have to say.
type wanted int

const (
	pass     wanted = iota // all hold
	fail                   // at least one does not
	failEach               // none holds
)

// flaw is something that is not as it should be.
type flaw struct {
	What string `json:"what"`
	Note bool   `json:"note,omitempty"` // a remark
}

// proof is what the trials of one exercise came to.
type proof struct {
	Name     string  `json:"name"`
	OK       bool    `json:"ok"`
	Trials   int     `json:"trials"`
	Seconds  float64 `json:"seconds"`
	Findings []flaw  `json:"findings,omitempty"`
}

// trialsOf are the trials of an exercise.
func trialsOf(it *course.Item, e *exerciseScript, cheats []string) []trial {
	answer := func(which string, n int) *exerciseJob {
		job := jobFor(it, "answer")
		job.Answer, job.N, job.Quiet = which, n, true
		return job
	}
	cheat := func(which string) *exerciseJob {
		job := jobFor(it, "cheat")
		job.Answer = which
		return job
	}
	list := []trial{
		{name: "what setup() has built", want: fail},
		{name: "the solution", do: answer("solution", 0), want: pass},
		{name: "a network that is not built", unless: true, want: failEach},
		{name: "an empty network", do: cheat("empty"), want: failEach},
		{name: "everything accepted by every firewall", do: cheat("accept"), want: fail, note: true},
		{name: "all addresses on every lo", do: cheat("lo"), want: fail, note: true},
	}
	for _, name := range cheats {
		list = append(list, trial{name: "the cheat " + name, do: cheat(name), want: fail})
	}
	for i, fn := range e.wrong {
		list = append(list, trial{name: fmt.Sprintf("the wrong answer %q", answerName(fn)), do: answer("wrong", i), want: fail})
	}
	for i, fn := range e.right {
		list = append(list, trial{name: fmt.Sprintf("the right answer %q", answerName(fn)), do: answer("right", i), want: pass})
	}
	return list
}

// prove makes the trials of an exercise, so many at once.
// cheats are done beside the usual ones.
func prove(ctx context.Context, it *course.Item, slots chan struct{}, cheats []string) *proof {
	began := time.Now()
	p := &proof{Name: it.Name}
	e, err := readExercise(ctx, it.Source, networkName(it), builtins.Options{Self: self()})
	if err != nil {
		p.Findings = []flaw{{What: err.Error()}}
		return p
	}
	p.Findings = tooFew(e)
	trials := trialsOf(it, e, cheats)
	p.Trials = len(trials)
	file, err := templateFile(e)
	if err != nil {
		p.Findings = []flaw{{What: err.Error()}}
		return p
	}
	if file != "" {
		defer func() { _ = os.RemoveAll(filepath.Dir(file)) }()
		trials = append(trials, trial{name: "the template as it is given", file: file, want: fail})
	}
	found := make([][]flaw, len(trials))
	var wg sync.WaitGroup
	for i := range trials {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			found[i] = trials[i].run(ctx, it)
		})
	}
	wg.Wait()
	for _, list := range found {
		p.Findings = append(p.Findings, list...)
	}
	p.OK, p.Seconds = true, time.Since(began).Seconds()
	for _, f := range p.Findings {
		p.OK = p.OK && f.Note
	}
	return p
}

// templateFile writes the file that the student completes into a directory of its own, where
// the exercise is to write one.
func templateFile(e *exerciseScript) (string, error) {
	if e.Template == "" {
		return "", nil
	}
	dir, err := os.MkdirTemp("", "nsscript-exercise-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "template.star")
	return path, os.WriteFile(path, []byte(e.Template), 0o644)
}

// tooFew are about what an exercise should have more of.
func tooFew(e *exerciseScript) []flaw {
	const few = 3
	var list []flaw
	if n := len(e.hints); n < few {
		list = append(list, flaw{What: fmt.Sprintf("there are %d hints; students like %d or more", n, few), Note: true})
	}
	if n := len(e.wrong); n < few {
		list = append(list, flaw{What: fmt.Sprintf("there are %d wrong answers; students find %d or more", n, few), Note: true})
	}
	if strings.TrimSpace(e.solution.Doc()) == "" {
		list = append(list, flaw{What: "solution() has no doc string, which explains it", Note: true})
	}
	return list
}

// run makes the trial, and tells what is not as it should be.
func (t *trial) run(ctx context.Context, it *course.Item) []flaw {
	if ctx.Err() != nil {
		return []flaw{{What: t.name + ": interrupted"}}
	}
	wrong := func(format string, args ...any) []flaw {
		return []flaw{{What: t.name + ": " + fmt.Sprintf(format, args...), Note: t.note}}
	}
	checked, printed, err := t.inside(ctx, it)
	if err != nil {
		var status *exitError
		if errors.As(err, &status) && printed != "" {
			return []flaw{{What: t.name + ": " + printed}}
		}
		return []flaw{{What: t.name + ": " + err.Error()}}
	}
	switch {
	case t.want == pass && !checked.passed():
		return wrong("the checks do not hold%s", details(checked))
	case t.want == fail && checked.passed():
		return wrong("all checks hold")
	case t.want == failEach && checked.passed():
		return []flaw{{What: t.name + ": all checks hold"}}
	case t.want == failEach:
		var list []flaw
		for _, k := range checked.Checks {
			if k.OK {
				list = append(list, flaw{What: fmt.Sprintf("%s: the check %q holds", t.name, k.Name), Note: true})
			}
		}
		return list
	}
	return nil
}

// details are the checks that do not hold, as they would be printed.
func details(r *exerciseResult) string {
	var b strings.Builder
	p := checkPrinter{out: &b}
	for _, k := range r.failed() {
		p.check(k)
	}
	if r.Wrong != "" {
		p.ended(errors.New(r.Wrong))
	}
	return "\n" + strings.TrimRight(b.String(), "\n")
}

// inside does what the trial consists of, and returns what the checks say, and what was
// printed on the way.
func (t *trial) inside(ctx context.Context, it *course.Item) (checked *exerciseResult, printed string, err error) {
	box, err := sandbox.Start(ctx, sandbox.Options{User: hostRights() != nil, Label: "nsscript: exercise test"})
	if err != nil {
		return nil, "", err
	}
	out, err := receive()
	if err != nil {
		return nil, "", errors.Join(err, box.Kill(context.WithoutCancel(ctx)))
	}
	var text bytes.Buffer
	out.into(&text)
	checked, err = t.steps(box, it, out.w)
	err = errors.Join(err, box.Kill(context.WithoutCancel(ctx)), out.w.Close())
	out.finish()
	return checked, strings.TrimSpace(text.String()), err
}

func (t *trial) steps(box *sandbox.Sandbox, it *course.Item, out *os.File) (checked *exerciseResult, err error) {
	if !t.unless {
		job := jobFor(it, "build")
		job.Alone, job.File = true, t.file
		if _, err := workIn(box, job, out); err != nil {
			return nil, err
		}
	}
	if t.do != nil {
		if _, err := workIn(box, t.do, out); err != nil {
			return nil, err
		}
	}
	job := jobFor(it, "check")
	job.Quiet = true
	checked, err = workIn(box, job, out)
	if err != nil || t.want != pass || !checked.passed() {
		return checked, err
	}
	return workIn(box, job, out) // checks leave nothing
}

func newExerciseTest(o *exerciseOptions) *cobra.Command {
	var jobs int
	var strict, asJSON bool
	var cheats []string
	cmd := &cobra.Command{
		Use: "test [N|NAME|FILE|DIR …]", Short: "Prove exercises: that their checks hold for right answers, and for no others",
		Long: `Prove exercises: that their checks hold for right answers, and for no others.

Each exercise is tried in sandboxes of their own: its checks must fail on what setup() has
built, where nothing is built or everything was taken away, and after each function of wrong; they
must pass, twice, after solution() and after each function of right. Without an argument all
exercises of the course are proved.

Remarks are about what is better otherwise: a single check that holds where nothing is built, checks that hold once
every firewall accepts everything or when lo has all addresses, few hints or wrong answers. They do not count as
faults without --strict.`,
		ValidArgsFunction: o.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if jobs < 1 {
				return usage("-j wants how many trials to make at once, 1 or more")
			}
			for _, name := range cheats {
				if name != "forward" {
					return usage("--cheat knows forward, and not %q", name)
				}
			}
			items, err := o.items(args)
			if err != nil {
				return err
			}
			return proveAll(cmd.Context(), items, cheats, jobs, strict, asJSON)
		},
	}
	f := cmd.Flags()
	f.IntVarP(&jobs, "jobs", "j", runtime.NumCPU(), "make so many trials at once: `N`")
	f.BoolVar(&strict, "strict", false, "remarks count as faults")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.StringArrayVar(&cheats, "cheat", nil, "the checks must not hold after this `CHEAT` either: forward")
	return cmd
}

func proveAll(ctx context.Context, items []course.Item, cheats []string, jobs int, strict, asJSON bool) error {
	slots := make(chan struct{}, jobs)
	var proofs []*proof
	bad := 0
	for i := range items {
		p := prove(ctx, &items[i], slots, cheats)
		p.OK = p.OK && !(strict && len(p.Findings) > 0)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !p.OK {
			bad++
		}
		proofs = append(proofs, p)
		if !asJSON {
			printProof(p)
		}
	}
	if asJSON {
		if err := printJSON(proofs); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(os.Stderr, "%d %s: %d as they should be, %d not\n", len(proofs), plural(len(proofs), "exercise"), len(proofs)-bad, bad)
	}
	if bad > 0 {
		return &exitError{status: exitFailed}
	}
	return nil
}

func printProof(p *proof) {
	mark := checkPrinter{color: colorful(os.Stdout)}
	sign := mark.in(green, "✓")
	if !p.OK {
		sign = mark.in(red, "✗")
	}
	fmt.Fprintf(&stdout, "%s %s (%d trials, %.1f s)\n", sign, p.Name, p.Trials, p.Seconds)
	for _, f := range p.Findings {
		kind := ""
		if f.Note {
			kind = "remark: "
		}
		fmt.Fprintf(&stdout, "    %s%s\n", kind, strings.ReplaceAll(f.What, "\n", "\n      "))
	}
}
