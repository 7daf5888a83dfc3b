package op

import (
	"context"
	"slices"
)

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
