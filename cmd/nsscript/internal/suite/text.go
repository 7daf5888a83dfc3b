package suite

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A Reporter says what became of tests, each in its turn, and of all in the end.
type Reporter interface {
	Done(t *Test, r *Result)
	// End is called when no more test is done, after so long a time; err is what
	// kept the rest from running.
	End(took time.Duration, err error) error
}

// Text prints results for people, as `go test` does: tests that failed with what they
// printed, a line for each file, and in the end one for all.
type Text struct {
	Out     io.Writer
	Verbose bool // tests that passed as well
	Color   bool

	file, all Totals
}

// NewText returns a Reporter that prints to out.
func NewText(out io.Writer, verbose, color bool) *Text {
	return &Text{Out: out, Verbose: verbose, Color: color}
}

const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
)

func (x *Text) paint(color, word string) string {
	if !x.Color {
		return word
	}
	return color + word + "\x1b[0m"
}

// Done prints a test, and its file when it is the last one of it.
func (x *Text) Done(t *Test, r *Result) {
	x.file.add(r)
	x.all.add(r)
	if r.Bad() || x.Verbose {
		x.test(t, r)
	}
	if t == t.File.Tests[len(t.File.Tests)-1] {
		x.endFile(t.File)
	}
}

func (x *Text) test(t *Test, r *Result) {
	word, color := "PASS", green
	switch {
	case r.Bad():
		word, color = "FAIL", red
	case r.Outcome == Skipped:
		word, color = "SKIP", yellow
	case r.Outcome == NotRun:
		word, color = "NOT RUN", yellow
	}
	fmt.Fprintf(x.Out, "%s %s (%.2fs)\n", x.paint(color, "--- "+word+":"), t.ID(), r.Seconds)
	for line := range strings.Lines(r.Output) {
		if line != "\n" {
			line = "    " + line
		}
		fmt.Fprint(x.Out, strings.TrimSuffix(line, "\n")+"\n")
	}
	if r.Outcome == NotRun {
		fmt.Fprintf(x.Out, "    %s\n", r.Reason)
	}
}

func (x *Text) endFile(f *File) {
	c := x.file
	x.file = Totals{}
	word := x.paint(green, "ok") + "    "
	switch {
	case c.Failed+c.Interrupted > 0:
		word = x.paint(red, "FAIL") + "  "
	case c.NotRun == c.Tests:
		word = x.paint(yellow, "-") + "     "
	}
	line := fmt.Sprintf("%s%s  %s", word, f.Path, count(c.Tests, "test"))
	if parts := c.parts(); parts != "" {
		line += " (" + parts + ")"
	}
	fmt.Fprintf(x.Out, "%s  %.2fs\n", line, c.Seconds)
}

// End prints the line for all.
func (x *Text) End(took time.Duration, err error) error {
	if err != nil || x.all.Tests == 0 {
		return nil
	}
	word := x.paint(green, "PASS")
	if x.all.Bad() {
		word = x.paint(red, "FAIL")
	}
	line := fmt.Sprintf("%s  %s", word, count(x.all.Tests, "test"))
	if parts := x.all.parts(); parts != "" {
		line += ": " + fmt.Sprintf("%d passed, ", x.all.Passed) + parts
	}
	line += "; " + count(x.all.Checks, "check")
	if x.all.FailedChecks > 0 {
		line += fmt.Sprintf(", %d failed", x.all.FailedChecks)
	}
	_, err = fmt.Fprintf(x.Out, "%s  %.2fs\n", line, took.Seconds())
	return err
}
