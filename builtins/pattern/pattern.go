// Package pattern holds regular expressions back until they are used: a command uses
// few of those that the program has, and each takes tens of microseconds and some
// kilobytes to compile.
package pattern

import (
	"regexp"
	"sync"
)

// Of returns a function that returns the expression, compiled when it is first asked
// for. A wrong expression is a mistake in the program and panics then.
func Of(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
