package op

import (
	"context"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// FlushTable deletes the rules and the chains of a table: all of them in a
// namespace of the lab, only the lab's own rules elsewhere. Policies stay.
type FlushTable struct {
	NS    string `json:"ns"`
	V6    bool   `json:"v6,omitempty"`
	Table string `json:"table"`

	before snapshots
}

// Prepare saves the table.
func (o *FlushTable) Prepare(s *System) error { return o.before.take(s, o.NS, o.V6, o.Table) }

// Do deletes the rules.
func (o *FlushTable) Do(ctx context.Context, s *System) error {
	n, x, err := s.filter(o.NS, o.V6)
	if err != nil {
		return err
	}
	if !s.Owned(o.NS) {
		return o.deleteOwn(ctx, s, n, x)
	}
	for _, verb := range []string{"-F", "-X"} {
		if _, err := x.Run(ctx, n, []string{"-t", o.Table, verb}); err != nil {
			return iptablesError(err, o.NS)
		}
	}
	return nil
}

// deleteOwn deletes the rules that bear the lab's mark, each by what it says.
func (o *FlushTable) deleteOwn(ctx context.Context, s *System, n *kernel.NetNS, x *kernel.Iptables) error {
	rules, err := x.List(ctx, n, o.Table)
	if err != nil {
		return iptablesError(err, o.NS)
	}
	for _, r := range rules {
		if !bearsMark(r.Spec, s.Mark) {
			continue
		}
		if err := x.Delete(ctx, n, o.Table, r.Chain, r.Spec); err != nil && !ruleGone(err) {
			return iptablesError(err, o.NS)
		}
	}
	return nil
}

// Undo puts the table back in a namespace of the lab. Elsewhere it does nothing:
// what was deleted was the lab's own.
func (o *FlushTable) Undo(ctx context.Context, s *System) error {
	return o.before.restore(ctx, s, o.NS)
}

// Commands are `iptables -F` and `iptables -X`.
func (o *FlushTable) Commands() []string {
	return []string{iptablesCommand(o.NS, o.V6, o.Table, "-F"), iptablesCommand(o.NS, o.V6, o.Table, "-X")}
}

// Inside is the namespace.
func (o *FlushTable) Inside() []string { return []string{o.NS} }

// Model empties the table.
func (o *FlushTable) Model(p *picture.Picture) error {
	t, err := picturedTable(p, o.NS, o.V6, o.Table)
	if err == nil {
		err = modelSaid(t.Flush(""), o.NS)
	}
	if err == nil {
		err = modelSaid(t.DeleteChain(""), o.NS)
	}
	return err
}
