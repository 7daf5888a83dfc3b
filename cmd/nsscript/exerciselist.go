//go:build linux

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"nsscript/builtins/op"
	"nsscript/cmd/nsscript/internal/course"
)

// exerciseRow is what list and report tell of an exercise.
type exerciseRow struct {
	N       int    `json:"n"`
	Name    string `json:"name"`
	Title   string `json:"title"`
	Level   string `json:"level"`
	Topic   string `json:"topic"`
	Current bool   `json:"current,omitempty"`
	// Status is new, started, solved or shown: the solution was asked for.
	Status  string    `json:"status"`
	Tries   int       `json:"tries"`
	Hints   int       `json:"hints"`
	Seconds float64   `json:"seconds,omitempty"` // from the first start to the solution
	Started time.Time `json:"started,omitzero"`
	Solved  time.Time `json:"solved,omitzero"`
	// Wrong is what is wrong with the file of the exercise.
	Wrong string `json:"wrong,omitempty"`
}

// rows are the exercises of the course, as far as the student has come.
func (s *student) rows(ctx context.Context) []exerciseRow {
	rows := make([]exerciseRow, len(s.course.Items))
	for i := range s.course.Items {
		it := &s.course.Items[i]
		rec := s.record(it)
		r := exerciseRow{
			N: it.N, Name: it.Name, Current: s.current() == it.Name,
			Status: statusWord(rec), Tries: rec.Tries, Hints: rec.Hints, Seconds: rec.Seconds(), Started: rec.Started, Solved: rec.Solved,
		}
		if e, err := s.read(ctx, it); err != nil {
			r.Wrong = err.Error()
		} else {
			r.Title, r.Level, r.Topic = e.Title, e.Level, e.Topic
		}
		rows[i] = r
	}
	return rows
}

func statusWord(r *course.Record) string {
	switch {
	case r.Shown:
		return "shown"
	case r.Done():
		return "solved"
	case !r.Started.IsZero():
		return "started"
	}
	return "new"
}

func newExerciseList(o *exerciseOptions) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the exercises, and what you have solved", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open()
			if err != nil {
				return err
			}
			rows := s.rows(cmd.Context())
			if asJSON {
				return printJSON(rows)
			}
			s.printRows(rows)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// marks stand before the exercises.
var marks = map[string]string{"solved": "✓", "shown": "·", "started": "…", "new": " "}

// printRows prints the exercises in lines that fit a terminal of 80 columns.
func (s *student) printRows(rows []exerciseRow) {
	style := checkPrinter{color: colorful(os.Stdout)}
	name, topic, solved := 0, 0, 0
	for _, r := range rows {
		name, topic = max(name, ansi.StringWidth(r.Name)), max(topic, ansi.StringWidth(r.Topic))
		if r.Status == "solved" {
			solved++
		}
	}
	for _, r := range rows {
		at := " "
		if r.Current {
			at = "▸"
		}
		line := fmt.Sprintf("%s%s %2d  %s  %s  %s  ", at, style.in(green, marks[r.Status]), r.N,
			padded(r.Name, name), style.in(faint, padded(r.Level, 1)), style.in(faint, padded(r.Topic, topic)))
		if r.Wrong != "" {
			line += style.in(red, firstOf(r.Wrong))
		} else {
			line += r.Title
		}
		if width := columns(); width > 0 {
			line = ansi.Truncate(line, width, "…")
		}
		fmt.Fprintln(&stdout, line)
	}
	fmt.Fprintf(os.Stderr, "\n%d of %d solved (✓ solved · shown … begun); before the topic stands the level\n", solved, len(rows))
	if s.current() == "" {
		fmt.Fprintln(os.Stderr, "begin with: nsscript exercise start 1")
	}
}

// padded fills a text with spaces up to so many columns.
func padded(s string, width int) string {
	return fmt.Sprintf("%s%*s", s, max(0, width-ansi.StringWidth(s)), "")
}

// exerciseReport is what a student shows a teacher.
type exerciseReport struct {
	Course    string        `json:"course"`
	Student   string        `json:"student,omitempty"`
	Time      time.Time     `json:"time"`
	Solved    int           `json:"solved"`
	Exercises []exerciseRow `json:"exercises"`
}

func newExerciseReport(o *exerciseOptions) *cobra.Command {
	return &cobra.Command{
		Use: "report", Short: "Print what you have done, as JSON for a teacher", Args: cobra.NoArgs,
		Long: `Print what you have done of the course, as JSON for a teacher: for each exercise the
checks up to the first that held (tries), the hints, and the seconds from the first start to
the solution. It is printed and sent nowhere, and nobody has signed it.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open()
			if err != nil {
				return err
			}
			r := exerciseReport{Course: s.course.ID, Student: os.Getenv("USER"), Time: time.Now(), Exercises: s.rows(cmd.Context())}
			for _, row := range r.Exercises {
				if row.Status == "solved" {
					r.Solved++
				}
			}
			return printJSON(r)
		},
	}
}

func newExerciseNew() *cobra.Command {
	return &cobra.Command{
		Use: "new NAME", Short: "Begin an exercise of your own: writes NAME.star here", Args: cobra.ExactArgs(1),
		Long: `Begin an exercise of your own: writes NAME.star into the current directory, an exercise
that works, to be changed. A folder of such files is a course, in the order of the numbers that
their names begin with (--course DIR); nsscript exercise test NAME.star proves them.`,
		RunE: func(_ *cobra.Command, args []string) error {
			path := args[0]
			if filepath.Ext(path) != ".star" {
				path += ".star"
			}
			f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
			if errors.Is(err, os.ErrExist) {
				return &op.Error{Msg: path + " is there already", Tip: "choose another name"}
			}
			if err != nil {
				return err
			}
			_, err = f.Write(newExerciseText)
			if err = errors.Join(err, f.Close()); err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "%s is written; prove it with: nsscript exercise test %s\n", path, path)
			return nil
		},
	}
}

// newExerciseText is what an exercise begins as.
//
//go:embed newexercise.star
var newExerciseText []byte
