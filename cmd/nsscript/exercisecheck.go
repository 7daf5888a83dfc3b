//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"nsscript/cmd/nsscript/internal/course"
	"nsscript/cmd/nsscript/internal/markdown"
)

func newExerciseCheck(o *exerciseOptions) *cobra.Command {
	var walks bool
	cmd := o.command("check", "Say what holds, and what does not", func(cmd *cobra.Command, s *student, it *course.Item) error {
		ok, err := checkNow(cmd.Context(), s, it, walks)
		if err == nil && !ok {
			err = &exitError{status: exitFailed}
		}
		return err
	})
	cmd.Flags().BoolVarP(&walks, "verbose", "v", false, "follow the packets of what does not hold, and show where they end")
	return cmd
}

// checkNow checks the exercise, and reports whether all holds. A network that the student
// writes is built anew first.
func checkNow(ctx context.Context, s *student, it *course.Item, walks bool) (bool, error) {
	var n *exerciseNet
	var err error
	if file := s.record(it).File; file != "" {
		if n, err = raise(ctx, s, it, file); err != nil {
			return false, errors.Join(err, s.tried(it, false))
		}
	} else if n, err = s.network(it); err != nil {
		return false, err
	}
	job := jobFor(it, "check")
	job.Walks = walks
	r, err := n.work(job)
	if err != nil {
		return false, err
	}
	before := s.record(it).Done()
	if err := s.tried(it, r.passed()); err != nil {
		return false, err
	}
	s.conclude(it, r, walks, before)
	return r.passed(), nil
}

// tried notes one more try.
func (s *student) tried(it *course.Item, passed bool) error {
	return s.note(it, func(r *course.Record) {
		if r.Done() {
			return
		}
		if r.Tries++; passed {
			r.Solved = time.Now()
		}
	})
}

// conclude says what the checks have come to, and how to go on.
func (s *student) conclude(it *course.Item, r *exerciseResult, walks, before bool) {
	style := checkPrinter{color: colorful(os.Stdout)}
	if !r.passed() {
		more := " check -v follows the packets;"
		if walks {
			more = ""
		}
		if n, all := len(r.failed()), len(r.Checks); n > 0 {
			fmt.Fprintf(&stdout, "\n%d of %d %s %s not hold yet.%s hint gives a hint.\n", n, all, plural(all, "check"), map[bool]string{true: "does", false: "do"}[n == 1], more)
		}
		return
	}
	fmt.Fprintf(&stdout, "\n%s", style.in(bold, fmt.Sprintf("Exercise %d is solved.", it.N)))
	if rec := s.record(it); !before && !rec.Shown {
		fmt.Fprintf(&stdout, " It took %s, %d %s and %d %s.", spoken(rec.Seconds()), rec.Tries, plural(rec.Tries, "check"), rec.Hints, plural(rec.Hints, "hint"))
	}
	fmt.Fprintln(&stdout)
	if next := s.course.After(it); next != nil {
		fmt.Fprintln(&stdout, "Go on with:         nsscript exercise next")
	} else {
		fmt.Fprintln(&stdout, "That was the last:  nsscript exercise list shows what is left")
	}
	fmt.Fprintln(&stdout, "One way to do it:   nsscript exercise solve")
}

// spoken is a length of time as a person says it.
func spoken(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()+0.5))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func newExerciseHint(o *exerciseOptions) *cobra.Command {
	return o.command("hint", "Give the next hint", func(cmd *cobra.Command, s *student, it *course.Item) error {
		e, err := s.read(cmd.Context(), it)
		if err != nil {
			return err
		}
		if len(e.hints) == 0 {
			fmt.Fprintln(&stdout, "This exercise has no hints. nsscript exercise solve shows how it can be done.")
			return nil
		}
		given := s.record(it).Hints
		if given < len(e.hints) {
			given++
			if err := s.note(it, func(r *course.Record) { r.Hints = given }); err != nil {
				return err
			}
		} else {
			fmt.Fprintf(os.Stderr, "that were all; nsscript exercise solve shows how it can be done\n\n")
		}
		style := checkPrinter{color: colorful(os.Stdout)}
		for i, text := range e.hints[:given] {
			head := fmt.Sprintf("Hint %d of %d", i+1, len(e.hints))
			if i < given-1 {
				head += ", again"
			}
			if i > 0 {
				fmt.Fprintln(&stdout)
			}
			fmt.Fprintf(&stdout, "%s\n%s", style.in(bold, head), markdown.Render(dedent(text), markdown.Options{Width: textWidth(), Color: style.color}))
		}
		return nil
	})
}

func newExerciseSolve(o *exerciseOptions) *cobra.Command {
	return o.command("solve", "Explain the solution, and apply it to the network", func(cmd *cobra.Command, s *student, it *course.Item) error {
		return solve(cmd.Context(), s, it)
	})
}

// solve shows how the exercise can be done, does it in a network as it was given, and
// shows that all holds then.
func solve(ctx context.Context, s *student, it *course.Item) error {
	e, err := s.read(ctx, it)
	if err != nil {
		return err
	}
	if err := outsideLabs(); err != nil {
		return err
	}
	style := checkPrinter{color: colorful(os.Stdout)}
	fmt.Fprintf(&stdout, "%s\n\n", style.in(bold, "The solution"))
	if doc := e.docOf(e.solution); doc != "" {
		fmt.Fprintf(&stdout, "%s\n", markdown.Render(doc, markdown.Options{Width: textWidth(), Color: style.color}))
	}
	fmt.Fprintf(&stdout, "%s\n\n%s\n\n", style.in(bold, "In nsscript"), style.in(faint, indent(e.bodyOf(e.solution))))
	if err := s.note(it, func(r *course.Record) { r.Shown = r.Shown || !r.Done() }); err != nil {
		return err
	}
	n, err := raise(ctx, s, it, "")
	if err != nil {
		return err
	}
	fmt.Fprintf(&stdout, "%s\n\n", style.in(bold, "By hand, and so it is done now, in a network as it was given"))
	job := jobFor(it, "answer")
	job.Answer = "solution"
	if _, err := n.work(job); err != nil {
		return err
	}
	fmt.Fprintln(&stdout)
	r, err := n.work(jobFor(it, "check"))
	if err != nil {
		return err
	}
	if !r.passed() {
		return &exitError{exitFailed, fmt.Errorf("the solution does not hold here: that is a fault of the exercise, or of this machine")}
	}
	fmt.Fprintf(&stdout, "\nLook at it: nsscript exercise shell. To do it yourself, nsscript exercise reset builds the network as it was.\n")
	return nil
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(text, "\n", "\n    ")
}

func newExerciseWatch(o *exerciseOptions) *cobra.Command {
	return o.command("watch", "Check again whenever the network or your script changes", func(cmd *cobra.Command, s *student, it *course.Item) error {
		return watchExercise(cmd.Context(), s, it)
	})
}

// lookEvery is the time between two looks at what a watched exercise depends on.
const lookEvery = 700 * time.Millisecond

// watchExercise checks until the exercise is solved.
func watchExercise(ctx context.Context, s *student, it *course.Item) error {
	screen := isatty.IsTerminal(os.Stdout.Fd())
	last := ""
	for {
		seen, err := s.state(it)
		if err != nil {
			return err
		}
		if seen != last {
			if screen {
				fmt.Fprint(&stdout, "\x1b[2J\x1b[H") // a clear screen (ECMA-48, ED and CUP)
			}
			fmt.Fprintf(&stdout, "%s\n\n", time.Now().Format(time.TimeOnly))
			ok, err := checkNow(ctx, s, it, false)
			var shown *exitError
			if err != nil && (ctx.Err() != nil || !errors.As(err, &shown) || shown.err != nil) {
				return err
			}
			if ok {
				return nil
			}
			fmt.Fprintln(&stdout, "Waiting for a change; Ctrl-C ends.")
			if last, err = s.state(it); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(lookEvery):
		}
	}
}

// state is what a change is told by: the student's script, or else the network.
func (s *student) state(it *course.Item) (string, error) {
	if file := s.record(it).File; file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("your script: %w", err)
		}
		return "script: " + string(text), nil
	}
	n, err := s.network(it)
	if err != nil {
		return "", err
	}
	r, err := n.work(jobFor(it, "state"))
	if err != nil {
		return "", err
	}
	return r.State, nil
}
