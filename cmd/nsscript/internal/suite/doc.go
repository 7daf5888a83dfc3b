// Package suite is the tests of scripts: which files and functions are tests, the
// order in which they run side by side, and what is said of them, for people (text)
// and for programs (TAP, JUnit, JSON). How one test is run is not its business: a
// function that does it is handed in.
//
//   - [Files] finds the test files that paths name, [Read] the tests in one of
//     them, without running anything.
//   - [Runner] runs tests side by side and hands out each [Result], in the order of
//     the tests whatever the order of their ends.
//   - [Text], [TAP], [JUnit] and [JSON] print results.
package suite

import (
	"strings"

	"nsscript/builtins"
)

// A File is a script with tests.
type File struct {
	Path   string // as the user gave it, or as it was found
	Tests  []*Test
	Params map[string]bool // the parameters that can be set
	// AnyParam says that there may be more parameters than Params has.
	AnyParam bool
	// Idle says that there is nothing to test: no function test_*, and nothing
	// done at the top level.
	Idle bool
}

// A Test is what runs in a sandbox of its own: the top level of a file, and after
// it, if the file has such functions, one of them.
type Test struct {
	File *File
	Func string // "" where the file has no function test_*
	Line int
	// Wrong is why it cannot be run, nil where nothing is known to be wrong.
	Wrong *Result
}

// ID names a test among all tests.
func (t *Test) ID() string {
	if t.Func == "" {
		return t.File.Path
	}
	return t.File.Path + ":" + t.Func
}

// Name names a test in its file.
func (t *Test) Name() string {
	if t.Func == "" {
		return stem(t.File.Path)
	}
	return t.Func
}

// An Outcome says how a test ended.
type Outcome string

// The outcomes.
const (
	Passed      Outcome = "passed"
	Failed      Outcome = "failed" // a check failed
	Errored     Outcome = "error"  // an error ended it, or its time was over
	Skipped     Outcome = "skipped"
	Interrupted Outcome = "interrupted"
	NotRun      Outcome = "not run"
)

// A Result is what became of a test.
type Result struct {
	Outcome Outcome          `json:"result"`
	Seconds float64          `json:"seconds"`
	Reason  string           `json:"reason,omitempty"` // why it was skipped or not run
	Checks  []builtins.Check `json:"checks"`
	Errors  []Failure        `json:"errors,omitempty"`
	Usage   bool             `json:"usage,omitempty"`  // the fault is in the command line
	Output  string           `json:"output,omitempty"` // what it printed, checks and errors as well
}

// A Failure is an error that ended a test, or its setup() or teardown().
type Failure struct {
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Pos     string `json:"pos,omitempty"`
	Text    string `json:"text"` // as it is printed
}

// Bad reports whether a test did not do what it should.
func (r *Result) Bad() bool {
	return r.Outcome == Failed || r.Outcome == Errored || r.Outcome == Interrupted
}

// FailedChecks are the checks that failed.
func (r *Result) FailedChecks() []builtins.Check {
	var list []builtins.Check
	for _, c := range r.Checks {
		if !c.OK {
			list = append(list, c)
		}
	}
	return list
}

// Add notes an error. What is printed of it, Output has to hold as well.
func (r *Result) Add(err error) Failure {
	e := FailureOf(err)
	r.Errors = append(r.Errors, e)
	return e
}

// Settle sets the outcome by what is known of the test.
func (r *Result) Settle(skipped bool) {
	if r.Checks == nil {
		r.Checks = []builtins.Check{} // a list for who reads JSON, and no null
	}
	switch {
	case r.Outcome != "":
	case len(r.Errors) > 0:
		r.Outcome = Errored
	case len(r.FailedChecks()) > 0:
		r.Outcome = Failed
	case skipped:
		r.Outcome = Skipped
	default:
		r.Outcome = Passed
	}
}

// Message says in a line what is wrong with a test that is bad.
func (r *Result) Message() string {
	var said []string
	for _, c := range r.FailedChecks() {
		text := c.Name
		if got := shorten(firstLine(c.Got)); got != "" && got != "False" && got != "None" {
			text += ", got: " + got
		}
		said = append(said, text)
	}
	for _, e := range r.Errors {
		said = append(said, firstLine(e.Message))
	}
	if len(said) == 0 && r.Bad() {
		return string(r.Outcome)
	}
	return strings.Join(said, "; ")
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// shorten keeps what fits into a report.
func shorten(s string) string {
	const most = 500
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Broken is the result of a test that could not be run, or not to its end.
func Broken(errs ...error) *Result {
	r := &Result{}
	for _, err := range errs {
		r.Output += r.Add(err).Text + "\n"
	}
	r.Settle(false)
	return r
}
