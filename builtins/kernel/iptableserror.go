package kernel

import (
	"fmt"
	"nsscript/builtins/pattern"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"
)

// IptablesError is what iptables complained of.
type IptablesError struct {
	Status int    // exit status: 1 an error, 2 a mistake in the arguments, 3 no such table, 4 the kernel is busy
	Text   string // what is wrong, in the program's words
	Rule   string // the rule among several that it is about, or ""

	program string
	line    int // of iptables-restore's input, or 0
	rule    int // of those that were added together, from 1, or 0
	locked  bool
	gone    bool
	noSuch  bool
	err     error
}

func (e *IptablesError) Error() string {
	if e.Rule != "" {
		return fmt.Sprintf("%s: %s (rule %s)", e.program, e.Text, e.Rule)
	}
	return e.program + ": " + e.Text
}

// Unwrap returns the errno that the text tells of, where it does.
func (e *IptablesError) Unwrap() error { return e.err }

// Gone reports whether the rule or chain was not there.
func (e *IptablesError) Gone() bool { return e.gone }

// NoSuch reports whether a chain, or a match or target in the kernel, is
// lacking: the kernel has one errno for all of these.
func (e *IptablesError) NoSuch() bool { return e.noSuch }

// printable shows what a terminal would take for a command: the program repeats
// the words that it was given.
func printable(s string) string {
	if !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}

const noSuch = "No chain/target/match by that name"

// The parts of iptables' stderr that are not about what went wrong.
var (
	chatter  = pattern.Of(`^(Fatal: |[\w-]+( v[0-9.]+)?( \([a-z_]+\))?: +)`)
	lineInfo = pattern.Of(`(?m)(?:Error occurred at line: |: line )(\d+)`)
	lineSays = pattern.Of(`^line \d+ failed(: )?`)
	noise    = []string{"Try `", "Try '", "Perhaps iptables", "Perhaps ip6tables", "Error occurred at line", "Warning: ", "# Warning"}
	lockHeld = "xtables lock"
)

// What iptables says when the kernel lacks something.
var (
	lackTable     = pattern.Of("can't initialize ip6?tables table [`']([^']+)': (Table does not exist|.*Protocol not|iptables who)")
	lackExtension = pattern.Of(`Extension (\S+) revision \d+ not supported, missing kernel module`)
	lackNftables  = pattern.Of(`Failed to initialize nft: (Protocol not supported|Operation not supported)`)
	lackModule    = map[string]string{"filter": "iptable_filter", "nat": "iptable_nat", "mangle": "iptable_mangle", "raw": "iptable_raw", "security": "iptable_security"}
)

// complaint words what the program wrote on its stderr before it ended with a
// status other than 0. What the kernel lacks is a MissingError.
func (x *Iptables) complaint(status int, stderr string) error {
	e := &IptablesError{program: x.name, Status: status, Text: printable(lastComplaint(stderr)), locked: strings.Contains(stderr, lockHeld)}
	if m := lineInfo().FindStringSubmatch(stderr); m != nil {
		e.line, _ = strconv.Atoi(m[1])
	}
	e.gone = strings.Contains(stderr, "does a matching rule exist") || strings.Contains(stderr, noSuch) ||
		strings.Contains(stderr, "does not exist") || strings.Contains(stderr, "Couldn't load target")
	e.noSuch = strings.Contains(stderr, noSuch) || e.Text == refused
	switch {
	case e.locked:
		e.Text = fmt.Sprintf("another program held the xtables lock (%s) for %s", "/run/xtables.lock", x.wait)
		e.err = unix.EBUSY
	case strings.Contains(stderr, "Permission denied"), strings.Contains(stderr, "Operation not permitted"):
		e.err = unix.EPERM
	case status < 0 && e.Text == unsaid:
		e.Text = "a signal ended it"
	}
	if missing := x.missing(stderr, e); missing != nil {
		return missing
	}
	return e
}

// missing tells what the kernel lacks, or nil.
func (x *Iptables) missing(stderr string, e *IptablesError) error {
	if m := lackTable().FindStringSubmatch(stderr); m != nil {
		module, known := lackModule[m[1]]
		if !known {
			e.Text = fmt.Sprintf("no table is called %q", m[1])
			return nil
		}
		if x.v6 {
			module = "ip6" + strings.TrimPrefix(module, "ip")
		}
		return &MissingError{What: fmt.Sprintf("this kernel lacks the table %q of %s", m[1], x.name), Remedy: "load it: sudo modprobe " + module}
	}
	if m := lackExtension().FindStringSubmatch(stderr); m != nil {
		return &MissingError{What: fmt.Sprintf("this kernel lacks the match or target %q of %s", m[1], x.name), Remedy: "load it: sudo modprobe xt_" + m[1]}
	}
	if lackNftables().MatchString(stderr) {
		return &MissingError{What: fmt.Sprintf("this kernel lacks nf_tables, which this %s needs", x.name),
			Remedy: "load it: sudo modprobe nf_tables, or choose the other backend: sudo update-alternatives --set " + x.name + " /usr/sbin/" + x.name + "-legacy"}
	}
	return nil
}

const (
	unsaid = "it failed and did not say why"
	// refused is what iptables-restore means by the line's number alone.
	refused = "the kernel refused the rule"
)

// lastComplaint is the last line of the program's stderr that says what is
// wrong, without the program's name and version.
func lastComplaint(stderr string) string {
	text := unsaid
	for line := range strings.SplitSeq(stderr, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || isNoise(line) {
			continue
		}
		line = lineSays().ReplaceAllString(chatter().ReplaceAllString(line, ""), "")
		if text = strings.TrimSuffix(strings.TrimSpace(line), "."); text == "" {
			text = refused
		}
	}
	return text
}

func isNoise(line string) bool {
	for _, prefix := range noise {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}

// RuleIndex returns which of the rules that were to be added together the error is
// about, -1 where the program did not say.
func (e *IptablesError) RuleIndex() int { return e.rule - 1 }

// explainLine finds the rule that iptables-restore stopped at: the first stands
// on the second line of its input.
func (e *IptablesError) explainLine(rules []ChainRule) {
	if i := e.line - 2; i >= 0 && i < len(rules) {
		e.rule, e.Rule = i+1, rules[i].text()
	}
}
