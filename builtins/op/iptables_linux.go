package op

import (
	"context"
	"errors"
	"fmt"
	"nsscript/builtins/kernel"
	"slices"
)

// reverse fills in what takes the command back.
func (o *RunIptables) reverse(s *System, p *iptablesArgs) error {
	n, x, err := s.filter(o.NS, o.V6)
	if err != nil {
		return err
	}
	switch p.verb() {
	case "-A", "-I":
		spec := marked(p.spec, s.Mark)
		o.Args, o.Reverse = p.again(spec), p.line("-D", spec...)
		return nil
	case "-D":
		if p.more == "" {
			// With the mark it can only be a rule of the lab.
			o.Args = p.again(marked(p.spec, s.Mark))
			return nil
		}
	case "-N":
		chains, err := x.Chains(context.Background(), n, p.table)
		if err != nil {
			return iptablesError(err, o.NS)
		}
		if slices.Contains(chains, p.chain) {
			return &Error{Msg: fmt.Sprintf("%s already has a chain %q in table %q", quoteNS(o.NS), p.chain, p.table)}
		}
		o.Args, o.Reverse = p.again(p.spec), p.line("-X")
		return nil
	case "-P":
		old, err := x.Policy(context.Background(), n, p.table, p.chain)
		if err != nil {
			return iptablesError(err, o.NS)
		}
		o.Args, o.Reverse = p.again(p.spec), p.line("-P", old)
		return nil
	}
	e := &Error{Msg: fmt.Sprintf("%q could not be taken back: in %s only -A, -I, -N, -P and listing are allowed", sh(o.Args...), quoteNS(o.NS))}
	if o.NS == Host {
		e.Tip = "run the lab with --sandbox to have a host of its own"
	}
	return e
}

// Prepare finds out how the command is taken back. In a namespace that is not
// the lab's it refuses one that cannot be.
func (o *RunIptables) Prepare(s *System) error {
	if s.Planned() {
		return nil
	}
	p := parseIptables(o.Args)
	if s.Owned(o.NS) {
		if p.reads() {
			return nil
		}
		if p.waits && !p.unsure {
			o.Args = p.again(p.spec)
		}
		// With no such table, iptables itself says so.
		if !slices.Contains(FilterTables, p.table) {
			return nil
		}
		return o.before.take(s, o.NS, o.V6, p.table)
	}
	if o.Reverse != nil {
		return nil
	}
	if !p.reads() {
		if err := o.reverse(s, p); err != nil {
			return err
		}
	}
	o.noteTables(s, o.NS, kernel.NFTable{V6: o.V6, Name: p.table})
	if parseIptables(o.Reverse).setsPolicy() {
		o.Loan = newLoan()
	}
	return nil
}

// Do runs the command.
func (o *RunIptables) Do(ctx context.Context, s *System) error {
	if err := o.borrowTables(s, o.NS); err != nil {
		return err
	}
	if p := parseIptables(o.Reverse); p.setsPolicy() {
		if err := borrowPolicy(ctx, s, o.NS, o.V6, p.table, p.chain, o.Loan); err != nil {
			return err
		}
	}
	err := o.run(ctx, s)
	if o.Reverse == nil {
		// Looking alone makes iptables-nft make the table.
		err = errors.Join(err, o.dropTables(s, o.NS))
	}
	return err
}

// Undo runs the reverse. In a namespace of the lab it puts the table back as it
// was.
func (o *RunIptables) Undo(ctx context.Context, s *System) error {
	if s.Owned(o.NS) {
		if o.failed {
			return nil
		}
		return o.before.restore(ctx, s, o.NS)
	}
	var err error
	if o.Reverse != nil {
		err = o.runReverse(ctx, s)
	}
	if errors.Is(err, kernel.ErrClosed) {
		return nil // the namespace is gone, and the rule with it
	}
	if err != nil {
		return err // the tables are still in use
	}
	return o.dropTables(s, o.NS)
}
