package op

import (
	"context"

	"nsscript/builtins/kernel"
)

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
