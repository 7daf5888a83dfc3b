package suite

import (
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// JUnit writes results, in the end, as the XML that CI systems read: a testsuite for
// each file.
type JUnit struct {
	out    io.Writer
	began  time.Time
	suites []*junitSuite
	of     *File
}

// NewJUnit returns a Reporter that writes to out.
func NewJUnit(out io.Writer) *JUnit { return &JUnit{out: out, began: time.Now()} }

type junitAll struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Time     string   `xml:"time,attr"`
	Suites   []*junitSuite
}

type junitSuite struct {
	XMLName   xml.Name `xml:"testsuite"`
	Name      string   `xml:"name,attr"`
	Tests     int      `xml:"tests,attr"`
	Failures  int      `xml:"failures,attr"`
	Errors    int      `xml:"errors,attr"`
	Skipped   int      `xml:"skipped,attr"`
	Time      string   `xml:"time,attr"`
	Timestamp string   `xml:"timestamp,attr"`
	Cases     []junitCase

	seconds float64
}

type junitCase struct {
	XMLName xml.Name      `xml:"testcase"`
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Time    string        `xml:"time,attr"`
	Skipped *junitSkipped `xml:"skipped"`
	Failure *junitFailure `xml:"failure"`
	Error   *junitFailure `xml:"error"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitSkipped struct {
	Message string `xml:"message,attr,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// Done notes a test.
func (x *JUnit) Done(t *Test, r *Result) {
	if x.of != t.File {
		x.of = t.File
		x.suites = append(x.suites, &junitSuite{Name: t.File.Path, Timestamp: x.began.UTC().Format("2006-01-02T15:04:05")})
	}
	s := x.suites[len(x.suites)-1]
	c := junitCase{Name: t.Name(), Class: className(t.File.Path), File: t.File.Path, Line: t.Line, Time: seconds(r.Seconds), Output: r.Output}
	switch r.Outcome {
	case Failed:
		s.Failures++
		c.Failure = &junitFailure{Message: r.Message(), Type: "check", Text: r.details()}
	case Errored, Interrupted:
		s.Errors++
		c.Error = &junitFailure{Message: r.Message(), Type: string(r.Outcome), Text: r.details()}
	case Skipped, NotRun:
		s.Skipped++
		c.Skipped = &junitSkipped{Message: r.Reason}
	}
	s.Tests++
	s.seconds += r.Seconds
	s.Time = seconds(s.seconds)
	s.Cases = append(s.Cases, c)
}

// End writes all.
func (x *JUnit) End(took time.Duration, _ error) error {
	doc := junitAll{Name: "nsscript", Time: seconds(took.Seconds()), Suites: x.suites}
	for _, s := range x.suites {
		doc.Tests, doc.Failures, doc.Errors, doc.Skipped = doc.Tests+s.Tests, doc.Failures+s.Failures, doc.Errors+s.Errors, doc.Skipped+s.Skipped
	}
	text, err := xml.MarshalIndent(doc, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(x.out, "%s%s\n", xml.Header, text)
	}
	return err
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }

// className is a path in the form of a Java class, by which CI systems group tests.
func className(path string) string {
	path = strings.TrimSuffix(filepath.Clean(path), filepath.Ext(path))
	return strings.Trim(strings.ReplaceAll(path, "/", "."), ".")
}

// details are the checks that failed and the errors, with their places.
func (r *Result) details() string {
	var b strings.Builder
	for _, c := range r.FailedChecks() {
		fmt.Fprintf(&b, "%s: check failed: %s\n", c.Pos, c.Name)
		if c.Got != "" {
			fmt.Fprintf(&b, "   got: %s\n", shorten(c.Got))
		}
		if c.Hint != "" {
			fmt.Fprintf(&b, "   hint: %s\n", c.Hint)
		}
	}
	for _, e := range r.Errors {
		fmt.Fprintln(&b, e.Text)
	}
	return b.String()
}
