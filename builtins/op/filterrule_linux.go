package op

import (
	"context"
	"errors"
	"fmt"
	"nsscript/builtins/kernel"
	"slices"
)

// removeRule deletes a rule, the last of several that say the same where no one
// but the lab changes rules: there it is the one that was added last.
func removeRule(ctx context.Context, s *System, ns string, r *FilterRule) error {
	n, x, err := s.filter(ns, r.V6)
	if err != nil {
		return err
	}
	if s.Owned(ns) {
		return x.DeleteLast(ctx, n, r.Table, r.Chain, r.Spec)
	}
	return x.Delete(ctx, n, r.Table, r.Chain, r.Spec)
}

// Do appends the rules, those of one family and table together.
func (o *AddFilterRules) Do(ctx context.Context, s *System) error {
	o.tried = true
	if err := o.borrowTables(s, o.NS); err != nil {
		return err
	}
	for rest := o.Rules; len(rest) > 0; rest = o.Rules[o.added:] {
		first := rest[0]
		n, x, err := s.filter(o.NS, first.V6)
		if err != nil {
			return err
		}
		end := slices.IndexFunc(rest, func(r FilterRule) bool { return r.V6 != first.V6 || r.Table != first.Table })
		if end < 0 {
			end = len(rest)
		}
		var rules []kernel.ChainRule
		for _, r := range rest[:end] {
			rules = append(rules, kernel.ChainRule{Chain: r.Chain, Spec: r.Spec})
		}
		if err := x.AppendAll(ctx, n, first.Table, rules); err != nil {
			return explainRule(ctx, err, o.NS, n, x, rest[:end])
		}
		o.added += end
	}
	return nil
}

// Undo deletes the rules by what they say. Those that Do did not come to are
// left alone: there may be others that say the same.
func (o *AddFilterRules) Undo(ctx context.Context, s *System) error {
	if !s.Owned(o.NS) && !o.Ready {
		return nil // without the mark they may be another's
	}
	rules := o.Rules
	if o.tried {
		rules = rules[:o.added]
	}
	var errs []error
	for _, r := range slices.Backward(rules) {
		if err := removeRule(ctx, s, o.NS, &r); err != nil && !ruleGone(err) {
			errs = append(errs, iptablesError(err, o.NS))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...) // the tables are still in use
	}
	o.tried, o.added = true, 0
	return o.dropTables(s, o.NS)
}

// Prepare refuses to delete what is not the lab's.
func (o *DelFilterRules) Prepare(s *System) error {
	for _, r := range o.Rules {
		if !s.Planned() && !s.Owned(o.NS) && !bearsMark(r.Spec, s.Mark) {
			return NotOurs(o.NS, fmt.Sprintf("the rule \"-A %s %s\"", r.Chain, kernel.SpecText(r.Spec)))
		}
	}
	for _, r := range o.Rules {
		if err := o.before.take(s, o.NS, r.V6, r.Table); err != nil {
			return err
		}
	}
	return nil
}

// Do deletes the rules.
func (o *DelFilterRules) Do(ctx context.Context, s *System) error {
	for _, r := range o.Rules {
		err := removeRule(ctx, s, o.NS, &r)
		if ruleGone(err) {
			return o.missing(&r, err)
		}
		if err != nil {
			return iptablesError(err, o.NS)
		}
	}
	return nil
}
