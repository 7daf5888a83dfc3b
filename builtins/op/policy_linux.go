package op

import (
	"context"
	"errors"

	"nsscript/builtins/kernel"
)

// Prepare notes the policy that is to be given back.
func (o *SetPolicy) Prepare(s *System) error {
	if s.Planned() {
		return nil
	}
	n, x, err := s.filter(o.NS, o.V6)
	if err != nil {
		return err
	}
	if o.Old, err = x.Policy(context.Background(), n, "filter", o.Chain); err != nil {
		return iptablesError(err, o.NS)
	}
	if s.Owned(o.NS) {
		return nil
	}
	o.Loan = newLoan()
	o.noteTables(s, o.NS, kernel.NFTable{V6: o.V6, Name: "filter"})
	return nil
}

// borrowPolicy borrows the policy of a chain.
func borrowPolicy(ctx context.Context, s *System, ns string, v6 bool, table, chain, loan string) error {
	return s.borrow(ns, policyKey(v6, table, chain), loan, func() (string, error) {
		n, x, err := s.filter(ns, v6)
		if err != nil {
			return "", err
		}
		old, err := x.Policy(ctx, n, table, chain)
		return old, iptablesError(err, ns)
	})
}

// Do sets the policy.
func (o *SetPolicy) Do(ctx context.Context, s *System) error {
	if err := o.borrowTables(s, o.NS); err != nil {
		return err
	}
	if err := borrowPolicy(ctx, s, o.NS, o.V6, "filter", o.Chain, o.Loan); err != nil {
		return err
	}
	return o.set(ctx, s, o.Policy)
}

// Undo gives the old policy back.
func (o *SetPolicy) Undo(ctx context.Context, s *System) error {
	if o.Old == "" {
		return nil
	}
	err := s.giveBack(o.NS, policyKey(o.V6, "filter", o.Chain), o.Loan, o.Old, func(before string) error {
		return o.set(ctx, s, before)
	})
	if errors.Is(err, kernel.ErrClosed) {
		return nil
	}
	if err != nil {
		return err // the tables are still in use
	}
	return o.dropTables(s, o.NS)
}
