package op

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"nsscript/builtins/kernel"
)

// AppendInOrder does operations that CanWait, all in one namespace, as if one were done
// after the other, and in few runs of iptables-restore. It returns how many were done:
// the next one has failed with the error, and nothing is left of it and of those behind.
func (s *System) AppendInOrder(ctx context.Context, list []Waiting) (done int, err error) {
	at, err := s.appendTogether(ctx, list)
	switch {
	case err == nil:
		return len(list), nil
	case ctx.Err() != nil, errors.Is(err, errHalfDone):
		return 0, err
	case at < 0:
		at = len(list) // it can be any
	case at > 0:
		// The ones before it, of which none was refused.
		if done, err = s.AppendInOrder(ctx, list[:at]); err != nil {
			return done, err
		}
	}
	for done < len(list) && done <= at {
		if err := s.appendAlone(ctx, list[done]); err != nil {
			return done, err
		}
		done++
	}
	if done == len(list) {
		return done, nil
	}
	n, err := s.AppendInOrder(ctx, list[done:])
	return done + n, err
}

// appendAlone does one operation, or leaves nothing of it.
func (s *System) appendAlone(ctx context.Context, o Waiting) error {
	if p, ok := o.(Preparer); ok {
		if err := p.Prepare(s); err != nil {
			return err
		}
	}
	err := o.Do(ctx, s)
	if err == nil {
		return nil
	}
	return errors.Join(err, o.Undo(context.WithoutCancel(ctx), s))
}

// errHalfDone is the error of rules that could not be deleted again.
var errHalfDone = errors.New("some rules that came before it were left")

// appendTogether does operations in one namespace, all or none. at is the one that an
// error is about, -1 where that is not known.
func (s *System) appendTogether(ctx context.Context, list []Waiting) (at int, err error) {
	ns := list[0].Inside()[0]
	batches := batchesOf(list)
	for i, b := range batches {
		err := b.add(ctx, s, ns)
		if err == nil {
			continue
		}
		for _, before := range slices.Backward(batches[:i]) {
			if derr := before.takeBack(context.WithoutCancel(ctx), s, ns); derr != nil {
				return -1, errors.Join(iptablesError(err, ns), errHalfDone, derr)
			}
		}
		var said *kernel.IptablesError
		if at = -1; errors.As(err, &said) && said.RuleIndex() >= 0 {
			at = b.of[said.RuleIndex()]
		}
		return at, err
	}
	for _, o := range list {
		o.done()
	}
	return len(list), nil
}

// ruleBatch is what one run of iptables-restore adds.
type ruleBatch struct {
	v6       bool
	table    string
	rules    []kernel.ChainRule
	of       []int              // which operation each rule is of
	policies map[int]*SetPolicy // by rule
}

// batchesOf sorts rules by table and IP version, and keeps their order else.
func batchesOf(list []Waiting) []*ruleBatch {
	var batches []*ruleBatch
	var b *ruleBatch
	for i, o := range list {
		for _, l := range o.lines() {
			same := func(b *ruleBatch) bool { return b.v6 == l.v6 && b.table == l.table }
			if b == nil || !same(b) {
				if at := slices.IndexFunc(batches, same); at >= 0 {
					b = batches[at]
				} else {
					b = &ruleBatch{v6: l.v6, table: l.table, policies: map[int]*SetPolicy{}}
					batches = append(batches, b)
				}
			}
			if l.policy != nil {
				b.policies[len(b.rules)] = l.policy
			}
			b.rules, b.of = append(b.rules, l.ChainRule), append(b.of, i)
		}
	}
	return batches
}

// add adds the rules, and notes the policies that were before.
func (b *ruleBatch) add(ctx context.Context, s *System, ns string) error {
	n, x, err := s.filter(ns, b.v6)
	if err != nil {
		return err
	}
	if len(b.policies) > 0 {
		chains, err := x.ListChains(ctx, n, b.table)
		if err != nil {
			return err
		}
		now := map[string]string{}
		for _, c := range chains {
			now[c.Name] = c.Policy
		}
		for i, r := range b.rules {
			if o := b.policies[i]; o != nil {
				o.Old, now[r.Chain] = cmp.Or(now[r.Chain], "ACCEPT"), r.Policy
			}
		}
	}
	return x.AppendAll(ctx, n, b.table, b.rules)
}

// takeBack deletes the rules, which are the last ones of their chains, and sets the
// policies that were before.
func (b *ruleBatch) takeBack(ctx context.Context, s *System, ns string) error {
	n, x, err := s.filter(ns, b.v6)
	if err != nil {
		return err
	}
	rules := slices.Clone(b.rules)
	for i, o := range b.policies {
		rules[i].Policy = o.Old
	}
	return iptablesError(x.DeleteAll(ctx, n, b.table, rules), ns)
}
