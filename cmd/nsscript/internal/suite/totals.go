package suite

import (
	"fmt"
	"strings"
)

// Totals count results.
type Totals struct {
	Tests        int     `json:"tests"`
	Passed       int     `json:"passed"`
	Failed       int     `json:"failed"` // with errors
	Skipped      int     `json:"skipped"`
	Interrupted  int     `json:"interrupted"`
	NotRun       int     `json:"not_run"`
	Checks       int     `json:"checks"`
	FailedChecks int     `json:"failed_checks"`
	Seconds      float64 `json:"-"` // of all tests together
}

func (c *Totals) add(r *Result) {
	c.Tests++
	switch r.Outcome {
	case Passed:
		c.Passed++
	case Failed, Errored:
		c.Failed++
	case Skipped:
		c.Skipped++
	case Interrupted:
		c.Interrupted++
	case NotRun:
		c.NotRun++
	}
	c.Checks += len(r.Checks)
	c.FailedChecks += len(r.FailedChecks())
	c.Seconds += r.Seconds
}

// Bad reports whether a test did not do what it should, or was not run.
func (c *Totals) Bad() bool { return c.Failed+c.Interrupted+c.NotRun > 0 }

// parts are the numbers that are not as they should be, in words.
func (c *Totals) parts() string {
	var said []string
	for _, p := range []struct {
		n    int
		what string
	}{{c.Failed, "failed"}, {c.Skipped, "skipped"}, {c.Interrupted, "interrupted"}, {c.NotRun, "not run"}} {
		if p.n > 0 {
			said = append(said, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(said, ", ")
}

// count is a number of things.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
