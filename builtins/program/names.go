package program

import (
	"fmt"
	"strings"
)

// names are the variables of a program.
type names struct {
	reserved func(string) bool
	taken    map[string]bool
}

func newNames(reserved func(string) bool) *names {
	if reserved == nil {
		reserved = func(string) bool { return false }
	}
	return &names{reserved, map[string]bool{}}
}

// keywords are the words of the language that no variable can be called by (its
// grammar's, and those kept for later).
var keywords = map[string]bool{
	"and": true, "break": true, "continue": true, "def": true, "elif": true, "else": true, "for": true, "if": true, "in": true, "lambda": true,
	"load": true, "not": true, "or": true, "pass": true, "return": true, "while": true,
	"as": true, "assert": true, "async": true, "await": true, "class": true, "del": true, "except": true, "finally": true, "from": true, "global": true,
	"import": true, "is": true, "nonlocal": true, "raise": true, "try": true, "with": true, "yield": true,
}

// keep takes a name that is there already.
func (n *names) keep(name string) string {
	n.taken[name] = true
	return name
}

// take returns a variable that is called as near to a name as can be; of those that the
// language has already, it ends in suffix.
func (n *names) take(name, suffix string) string {
	base := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
	if base == "" || base[0] >= '0' && base[0] <= '9' || strings.Trim(base, "_") == "" {
		base = suffix + "_" + base
	}
	if keywords[base] || n.reserved(base) {
		base += "_" + suffix
	}
	free := base
	for i := 2; n.taken[free] || n.reserved(free); i++ {
		free = fmt.Sprintf("%s_%d", base, i)
	}
	return n.keep(free)
}

// longestName is how long the name of a namespace may be.
const longestName = 63

// validName is the name that the language lets a namespace have, other than those that
// are taken.
func validName(name string, taken map[string]bool) string {
	valid := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '_'
	}, name)
	valid = strings.TrimLeft(valid, "-.")
	if valid == "" {
		valid = "unnamed"
	}
	valid = valid[:min(len(valid), longestName)]
	free := valid
	for i := 2; taken[free]; i++ {
		tail := fmt.Sprintf("-%d", i)
		free = valid[:min(len(valid), longestName-len(tail))] + tail
	}
	taken[free] = true
	return free
}
