package op

import (
	"context"
	"errors"

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
