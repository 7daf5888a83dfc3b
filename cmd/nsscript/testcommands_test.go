//go:build linux

package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// took matches the times in what `nsscript test` prints.
var took = regexp.MustCompile(`\b\d+\.\d\ds`)

// cmdTimeless writes what a file, or stdout, says to timeless.out, with T for times.
func cmdTimeless(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "timeless FILE")
	text := took.ReplaceAllString(ts.ReadFile(args[0]), "T")
	ts.Check(os.WriteFile(ts.MkAbs("timeless.out"), []byte(text), 0o600))
}

// cmdReadme writes the first script below a heading of the README to a file.
func cmdReadme(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "readme HEADING FILE")
	text, err := os.ReadFile(readmeFile)
	ts.Check(err)
	_, below, ok := strings.Cut(string(text), "\n### "+args[0]+"\n")
	_, code, begun := strings.Cut(below, "```python\n")
	code, _, ended := strings.Cut(code, "```\n")
	if !ok || !begun || !ended {
		ts.Fatalf("the README has no script below %q", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(code), 0o644))
}

// readmeFile is the README, seen from the directory in which tests are run.
const readmeFile = "../../README.md"

// cmdJUnit reads a report as CI systems do, holds its numbers against what is in it, and
// writes what it says to FILE.seen.
func cmdJUnit(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "junit FILE")
	type said struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	type counts struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Time     string `xml:"time,attr"`
	}
	var all struct {
		XMLName xml.Name `xml:"testsuites"`
		counts
		Suites []struct {
			counts
			Cases []struct {
				Name    string  `xml:"name,attr"`
				Class   string  `xml:"classname,attr"`
				Time    float64 `xml:"time,attr"`
				Failure *said   `xml:"failure"`
				Error   *said   `xml:"error"`
				Skipped *said   `xml:"skipped"`
				Output  string  `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	ts.Check(xml.Unmarshal([]byte(ts.ReadFile(args[0])), &all))
	var b strings.Builder
	sum := counts{Name: all.Name, Time: all.Time}
	for _, s := range all.Suites {
		own := counts{Name: s.Name, Time: s.Time, Tests: len(s.Cases)}
		fmt.Fprintln(&b, "suite", s.Name)
		for _, c := range s.Cases {
			outcome := "passed"
			for what, e := range map[string]*said{"failure": c.Failure, "error": c.Error, "skipped": c.Skipped} {
				if e != nil {
					outcome = strings.TrimSpace(what + " " + e.Message)
				}
			}
			own.Failures += number(c.Failure != nil)
			own.Errors += number(c.Error != nil)
			own.Skipped += number(c.Skipped != nil)
			fmt.Fprintln(&b, " ", c.Class, c.Name, outcome)
			if c.Error != nil && c.Error.Text == "" && c.Error.Message != "interrupted" || c.Failure != nil && c.Output == "" {
				ts.Fatalf("%s says nothing of its failure", c.Name)
			}
		}
		if own != s.counts {
			ts.Fatalf("the suite says %+v, and has %+v", s.counts, own)
		}
		sum.Tests, sum.Failures, sum.Errors, sum.Skipped = sum.Tests+own.Tests, sum.Failures+own.Failures, sum.Errors+own.Errors, sum.Skipped+own.Skipped
		_, err := strconv.ParseFloat(s.Time, 64)
		ts.Check(err)
	}
	if sum != all.counts {
		ts.Fatalf("the report says %+v, and has %+v", all.counts, sum)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".seen"), []byte(b.String()), 0o600))
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

var (
	tapPlan  = regexp.MustCompile(`^1\.\.(\d+)$`)
	tapPoint = regexp.MustCompile(`^(not )?ok (\d+) - (?:[^#\\]|\\[#\\])+?( # SKIP.*)?$`)
	tapField = regexp.MustCompile(`^(    )*(  )?(- )?[a-z_]+:( ("([^"\\]|\\.)*"|[a-z]+|[0-9.]+))?$`)
)

// cmdTAP reads TAP 14 line by line, lets nothing else pass, and writes the test points
// to FILE.seen.
func cmdTAP(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "tap FILE")
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n")
	if len(lines) < 2 || lines[0] != "TAP version 14" || !tapPlan.MatchString(lines[1]) {
		ts.Fatalf("it begins with %q", lines[:min(2, len(lines))])
	}
	planned, err := strconv.Atoi(tapPlan.FindStringSubmatch(lines[1])[1])
	ts.Check(err)
	var points []string
	inYAML, bailed := false, false
	for i, line := range lines[2:] {
		m := tapPoint.FindStringSubmatch(line)
		switch {
		case bailed:
			ts.Fatalf("line %d follows a bail out: %q", i+3, line)
		case inYAML && line == "  ...":
			inYAML = false
		case inYAML && tapField.MatchString(line):
		case !inYAML && line == "  ---" && len(points) > 0:
			inYAML = true
		case !inYAML && m != nil && m[2] == strconv.Itoa(len(points)+1):
			points = append(points, line)
		case !inYAML && strings.HasPrefix(line, "Bail out!"):
			bailed = true
			points = append(points, line)
		default:
			ts.Fatalf("line %d is no TAP: %q", i+3, line)
		}
	}
	if len(points)-number(bailed) != planned {
		ts.Fatalf("%d tests are planned, and %d are there", planned, len(points))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".seen"), []byte(strings.Join(points, "\n")+"\n"), 0o600))
}
