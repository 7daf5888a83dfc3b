package op

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kballard/go-shellquote"

	"nsscript/builtins/kernel"
)

// Words splits a line as a shell would, with nothing expanded.
func Words(line string) ([]string, error) {
	return shellquote.Split(line)
}

// RunIptables runs iptables with any arguments.
type RunIptables struct {
	NS   string   `json:"ns"`
	V6   bool     `json:"v6,omitempty"`
	Args []string `json:"args"`
	// Reverse takes it back in a namespace that is not the lab's; filled in by
	// Prepare.
	Reverse []string `json:"reverse,omitempty"`
	Loan    string   `json:"loan,omitempty"` // of a policy
	usedTables

	Stdout, Stderr []byte `json:"-"` // what it said, filled in by Do
	Code           int    `json:"-"` // its exit status; other than 0 only where it answers a question

	before snapshots
	failed bool // it changed nothing
}

// FilterTables are iptables' tables (iptables(8), "TABLES").
var FilterTables = []string{"filter", "nat", "mangle", "raw", "security"}

func (o *RunIptables) run(ctx context.Context, s *System) error {
	n, x, err := s.filter(o.NS, o.V6)
	if err != nil {
		return err
	}
	r, err := x.Run(ctx, n, o.Args)
	o.Stdout, o.Stderr, o.Code = r.Stdout, r.Stderr, r.Status
	var said *kernel.IptablesError
	if !errors.As(err, &said) {
		return iptablesError(err, o.NS)
	}
	// iptables changes all or nothing.
	o.failed = true
	p := parseIptables(o.Args)
	if p.verb() == "-C" && said.Gone() {
		return nil // the answer is no
	}
	if p.verb() == "-D" && said.Gone() && !s.Owned(o.NS) {
		return NotOurs(o.NS, "such a rule")
	}
	return iptablesError(err, o.NS)
}

func (o *RunIptables) runReverse(ctx context.Context, s *System) error {
	p := parseIptables(o.Reverse)
	if !p.setsPolicy() {
		return o.reverseBy(ctx, s, o.Reverse)
	}
	return s.giveBack(o.NS, policyKey(o.V6, p.table, p.chain), o.Loan, p.more, func(before string) error {
		return o.reverseBy(ctx, s, p.line("-P", before))
	})
}

func (o *RunIptables) reverseBy(ctx context.Context, s *System, words []string) error {
	if o.failed {
		return nil
	}
	n, x, err := s.filter(o.NS, o.V6)
	if err != nil {
		return err
	}
	if _, err := x.Run(ctx, n, words); err != nil && !ruleGone(err) {
		return &Error{Msg: fmt.Sprintf("in %s: iptables %s: %v", quoteNS(o.NS), sh(words...), err), Err: err, Mute: true}
	}
	return nil
}

// Commands is the command itself.
func (o *RunIptables) Commands() []string {
	return []string{iptablesCommand(o.NS, o.V6, "", o.Args...)}
}

// Inside is the namespace.
func (o *RunIptables) Inside() []string { return []string{o.NS} }

// Appended tells where the command appended rules and how many at most: a list
// of addresses makes several. count is 0 for another command.
func (o *RunIptables) Appended() (table, chain string, count int) {
	p := parseIptables(o.Args)
	if p.verb() != "-A" {
		return "", "", 0
	}
	count = 1
	for i, w := range p.spec {
		if (w == "-s" || w == "-d") && i+1 < len(p.spec) {
			count *= 1 + strings.Count(p.spec[i+1], ",")
		}
	}
	return p.table, p.chain, count
}
