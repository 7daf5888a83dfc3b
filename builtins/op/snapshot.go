package op

import (
	"context"
	"errors"
	"slices"

	"nsscript/builtins/kernel"
)

// snapshots are tables of a namespace of the lab as they were before an
// operation that has no exact reverse, such as a flush. They live as long as
// the process: a later one takes the lab down, and the tables go with their
// namespaces.
type snapshots struct {
	tables []snapshot
}

type snapshot struct {
	v6    bool
	table string
	saved []byte
}

// take saves a table, unless the namespace is not the lab's: there others may
// change rules meanwhile, so that what was saved must not be put back.
func (p *snapshots) take(s *System, ns string, v6 bool, table string) error {
	if s.Planned() || !s.Owned(ns) || slices.ContainsFunc(p.tables, func(t snapshot) bool { return t.v6 == v6 && t.table == table }) {
		return nil
	}
	n, x, err := s.filter(ns, v6)
	if err != nil {
		return err
	}
	saved, err := x.Save(context.Background(), n, table)
	if err != nil {
		return iptablesError(err, ns)
	}
	p.tables = append(p.tables, snapshot{v6, table, saved})
	return nil
}

// restore puts the tables back, once.
func (p *snapshots) restore(ctx context.Context, s *System, ns string) error {
	var errs []error
	for _, t := range p.tables {
		n, x, err := s.filter(ns, t.v6)
		if err == nil {
			err = x.Restore(ctx, n, t.saved)
		}
		if err != nil && !errors.Is(err, kernel.ErrClosed) {
			errs = append(errs, iptablesError(err, ns))
		}
	}
	p.tables = nil
	return errors.Join(errs...)
}
