package op

import (
	"errors"

	"nsscript/builtins/kernel"
)

// freshTables notes, for a namespace that is not the lab's, which tables an
// operation will make that were not there before: iptables leaves them behind
// empty.
type freshTables struct {
	Fresh []kernel.NFTable `json:"fresh,omitempty"`
}

func (f *freshTables) noteTables(s *System, ns string, tables ...kernel.NFTable) error {
	if s.Owned(ns) {
		return nil
	}
	n, err := s.NS(ns)
	if err != nil {
		return err
	}
	seen := map[kernel.NFTable]bool{}
	f.Fresh = nil
	for _, t := range tables {
		if !seen[t] && !n.HasNFTable(t) {
			f.Fresh = append(f.Fresh, t)
		}
		seen[t] = true
	}
	return nil
}

// dropTables deletes those of the noted tables that are empty.
func (f *freshTables) dropTables(s *System, ns string) error {
	n, err := s.NS(ns)
	if errors.Is(err, kernel.ErrClosed) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range f.Fresh {
		errs = append(errs, n.DropEmptyNFTable(t))
	}
	return errors.Join(errs...)
}
