package builtins

import (
	"strings"
	"unicode"

	"go.starlark.net/starlark"
)

// Skipped is the error by which skip() ends a script: nothing went wrong, and the
// rest was not to be run.
type Skipped struct {
	Reason string // in one line; "" for none
}

func (s *Skipped) Error() string {
	if s.Reason == "" {
		return "what follows is skipped"
	}
	return "what follows is skipped: " + s.Reason
}

func skip(c *call) (starlark.Value, error) {
	var reason string
	if err := c.unpack(&reason); err != nil {
		return nil, err
	}
	return nil, &Skipped{Reason: strings.Map(printable, reason)}
}

// printable replaces what could confuse a terminal or break a line.
func printable(r rune) rune {
	if unicode.IsControl(r) {
		return '·'
	}
	return r
}

const skipDoc = `
Ends the test as skipped: this machine lacks what it needs, say. It has neither passed nor failed.

It is for "nsscript test": in a function test_* or in setup() it skips that test, at the top level all tests of the
file. A test that failed a check before stays failed. "nsscript run" ends the script with success, says why, and takes
back what was built.

reason (string): what is lacking, in words
returns (None): nothing; what follows is not run
example:
    if not kernel.has("netem"):
        skip("this kernel cannot delay packets")
`
