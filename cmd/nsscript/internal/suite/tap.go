package suite

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// TAP prints results in the Test Anything Protocol, version 14.
type TAP struct {
	out         io.Writer
	n           int
	interrupted bool
}

// NewTAP begins with the plan for so many tests.
func NewTAP(out io.Writer, tests int) *TAP {
	fmt.Fprintf(out, "TAP version 14\n1..%d\n", tests)
	return &TAP{out: out}
}

// Done prints a test point, with what is known of it as YAML.
func (x *TAP) Done(t *Test, r *Result) {
	x.n++
	word, directive := "ok", ""
	switch {
	case r.Bad():
		word = "not ok"
		x.interrupted = x.interrupted || r.Outcome == Interrupted
	case r.Outcome == Skipped:
		directive = " # SKIP " + tapText(r.Reason)
	case r.Outcome == NotRun:
		directive = " # SKIP not run: " + tapText(r.Reason)
	}
	fmt.Fprintln(x.out, strings.TrimRight(fmt.Sprintf("%s %d - %s%s", word, x.n, tapText(t.ID()), directive), " "))
	x.diagnose(t, r)
}

// diagnose prints a block of YAML, whose strings are written as those of JSON, which
// are YAML too.
func (x *TAP) diagnose(t *Test, r *Result) {
	if r.Outcome == NotRun {
		return
	}
	fmt.Fprint(x.out, "  ---\n")
	if r.Bad() {
		fmt.Fprintf(x.out, "  message: %s\n  severity: %s\n", quoted(r.Message()), severity(r))
		at := Place{File: t.File.Path, Line: t.Line}
		if places := r.places(); len(places) > 0 {
			at = placeOf(places[0], at)
		}
		fmt.Fprintf(x.out, "  at:\n    file: %s\n    line: %d\n", quoted(at.File), at.Line)
		for i, c := range r.FailedChecks() {
			if i == 0 {
				fmt.Fprint(x.out, "  failed_checks:\n")
			}
			fmt.Fprintf(x.out, "    - name: %s\n      at: %s\n      got: %s\n", quoted(c.Name), quoted(c.Pos), quoted(shorten(c.Got)))
		}
		fmt.Fprintf(x.out, "  output: %s\n", quoted(r.Output))
	}
	fmt.Fprintf(x.out, "  duration_ms: %.3f\n  ...\n", r.Seconds*1000)
}

func severity(r *Result) string {
	if r.Outcome == Failed {
		return "fail"
	}
	return "error"
}

// End says so when the tests were not run to the end.
func (x *TAP) End(_ time.Duration, err error) error {
	switch {
	case err != nil:
		fmt.Fprintln(x.out, "Bail out! "+tapText(err.Error()))
	case x.interrupted:
		fmt.Fprintln(x.out, "Bail out! interrupted")
	}
	return nil
}

// tapText is a description or a reason: one line, in which # begins no directive.
func tapText(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.NewReplacer(`\`, `\\`, "#", `\#`).Replace(s)
}

func quoted(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return strconv.Quote(s) // a string can always be encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// A Place is a line of a file.
type Place struct {
	File string
	Line int
}

// places are where a test that is bad failed.
func (r *Result) places() []string {
	var list []string
	for _, c := range r.FailedChecks() {
		list = append(list, c.Pos)
	}
	for _, e := range r.Errors {
		list = append(list, e.Pos)
	}
	return list
}

// placeOf reads FILE:LINE:COLUMN.
func placeOf(pos string, otherwise Place) Place {
	parts := strings.Split(pos, ":")
	for n := len(parts) - 2; n >= 1; n-- {
		line, err := strconv.Atoi(parts[n])
		if err == nil && line > 0 {
			return Place{File: strings.Join(parts[:n], ":"), Line: line}
		}
	}
	return otherwise
}
