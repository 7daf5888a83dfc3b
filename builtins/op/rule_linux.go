package op

import (
	"context"
	"errors"
	"nsscript/builtins/kernel"

	"golang.org/x/sys/unix"
)

// Do adds the rule.
func (o *AddRule) Do(_ context.Context, s *System) error {
	n, err := s.NS(o.NS)
	if err != nil {
		return err
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	err = h.RuleAdd(o.netlinkRule())
	if errors.Is(err, unix.EEXIST) {
		return o.exists(err)
	}
	if err != nil {
		return failed(err, "rule in %s", quoteNS(o.NS))
	}
	return nil
}

func deleteRule(s *System, r *RuleSpec) error {
	n, err := s.NS(r.NS)
	if err != nil {
		return err
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	return h.RuleDel(r.netlinkRule())
}

// Undo deletes the rule.
func (o *AddRule) Undo(_ context.Context, s *System) error {
	err := deleteRule(s, &o.RuleSpec)
	if errors.Is(err, kernel.ErrClosed) || kernel.IsGone(err) {
		return nil
	}
	return err
}

// Do deletes the rule.
func (o *DelRule) Do(_ context.Context, s *System) error {
	err := deleteRule(s, &o.RuleSpec)
	if kernel.IsGone(err) {
		return o.missing(err)
	}
	if err != nil {
		return failed(err, "deleting a rule in %s", quoteNS(o.NS))
	}
	return nil
}
