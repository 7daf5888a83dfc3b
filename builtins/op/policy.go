package op

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"nsscript/builtins/kernel"
)

// SetPolicy sets what becomes of packets that no rule of a built-in chain has
// decided on.
type SetPolicy struct {
	NS     string `json:"ns"`
	V6     bool   `json:"v6,omitempty"`
	Chain  string `json:"chain"`  // INPUT, FORWARD, OUTPUT of the filter table
	Policy string `json:"policy"` // ACCEPT or DROP
	Old    string `json:"old"`    // filled in by Prepare
	usedTables
}

// Prepare notes the policy that is to be given back.
func (o *SetPolicy) Prepare(s *System) error {
	if s.Owned(o.NS) {
		return nil
	}
	n, err := s.NS(o.NS)
	if err != nil {
		return err
	}
	x, err := s.tables(o.V6)
	if err != nil {
		return err
	}
	if o.Old, err = x.Policy(n, "filter", o.Chain); err != nil {
		return iptablesError(err, o.NS)
	}
	if err := o.noteTables(s, o.NS, kernel.NFTable{V6: o.V6, Name: "filter"}); err != nil {
		return err
	}
	return s.borrow(o.NS, o.key(), o.Old)
}

// key names the setting among those that labs borrow.
func (o *SetPolicy) key() string {
	if o.V6 {
		return "ip6tables -P " + o.Chain
	}
	return "iptables -P " + o.Chain
}

// Do sets the policy.
func (o *SetPolicy) Do(_ context.Context, s *System) error { return o.set(s, o.Policy) }

func (o *SetPolicy) set(s *System, policy string) error {
	n, err := s.NS(o.NS)
	if err != nil {
		return err
	}
	x, err := s.tables(o.V6)
	if err != nil {
		return err
	}
	if err := x.SetPolicy(n, "filter", o.Chain, policy); err != nil {
		return iptablesError(err, o.NS)
	}
	return nil
}

// Undo gives the old policy back.
func (o *SetPolicy) Undo(_ context.Context, s *System) error {
	if o.Old == "" {
		return nil
	}
	old, restore, err := s.giveBack(o.NS, o.key(), o.Old)
	if errors.Is(err, kernel.ErrClosed) {
		return nil
	}
	if err == nil && restore {
		err = o.set(s, old)
	}
	return errors.Join(err, o.dropTables(s, o.NS))
}

// Commands is `iptables -P`.
func (o *SetPolicy) Commands() []string {
	return []string{iptablesCommand(o.NS, o.V6, "filter", "-P", o.Chain, o.Policy)}
}

// Inside is the namespace.
func (o *SetPolicy) Inside() []string { return []string{o.NS} }

// FlushTable deletes the rules of a table: all of them in a namespace of the
// lab, the lab's own elsewhere.
type FlushTable struct {
	NS    string `json:"ns"`
	V6    bool   `json:"v6,omitempty"`
	Table string `json:"table"`
}

// Do deletes the rules.
func (o *FlushTable) Do(_ context.Context, s *System) error {
	n, err := s.NS(o.NS)
	if err != nil {
		return err
	}
	x, err := s.tables(o.V6)
	if err != nil {
		return err
	}
	if s.Owned(o.NS) {
		_, stderr, status, err := x.Run(n, []string{"-t", o.Table, "-F"})
		if err == nil && status != 0 {
			err = &Error{Msg: fmt.Sprintf("in %s: iptables: %s", quoteNS(o.NS), kernel.Complaint(stderr))}
		}
		return err
	}
	rules, err := x.List(n, o.Table)
	if err != nil {
		return iptablesError(err, o.NS)
	}
	for _, r := range rules {
		words, err := Words(r.Spec)
		if err != nil || !bearsMark(words, s.Mark) {
			continue
		}
		if err := x.Delete(n, o.Table, r.Chain, words); err != nil {
			return iptablesError(err, o.NS)
		}
	}
	return nil
}

// bearsMark reports whether a rule's comment is a lab's mark.
func bearsMark(words []string, mark string) bool {
	for i, w := range words {
		if w == "--comment" && i+1 < len(words) && (words[i+1] == mark || strings.HasPrefix(words[i+1], mark+": ")) {
			return true
		}
	}
	return false
}

// Undo does nothing: what was deleted was the lab's own.
func (o *FlushTable) Undo(context.Context, *System) error { return nil }

// Commands is `iptables -F`.
func (o *FlushTable) Commands() []string {
	return []string{iptablesCommand(o.NS, o.V6, o.Table, "-F")}
}

// Inside is the namespace.
func (o *FlushTable) Inside() []string { return []string{o.NS} }
