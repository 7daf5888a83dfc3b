package op

import (
	"errors"
	"fmt"

	"nsscript/builtins/kernel"
)

// usedTables notes, for a namespace that is not the lab's, which tables an
// operation works on: iptables makes a table that is not there, and leaves it
// behind empty.
type usedTables struct {
	Used []kernel.NFTable `json:"used,omitempty"`
}

func tableKey(t kernel.NFTable) string { return fmt.Sprintf("table %s %t", t.Name, t.V6) }

func (u *usedTables) noteTables(s *System, ns string, tables ...kernel.NFTable) error {
	if s.Owned(ns) {
		return nil
	}
	n, err := s.NS(ns)
	if err != nil {
		return err
	}
	seen := map[kernel.NFTable]bool{}
	u.Used = nil
	for _, t := range tables {
		if seen[t] {
			continue
		}
		seen[t] = true
		state := absent
		if n.HasNFTable(t) {
			state = present
		}
		if err := s.borrow(ns, tableKey(t), state); err != nil {
			return err
		}
		u.Used = append(u.Used, t)
	}
	return nil
}

// What a table was before the first lab used it.
const (
	absent  = "absent"
	present = "present"
)

// dropTables deletes those of the noted tables that are empty and were not there
// before.
func (u *usedTables) dropTables(s *System, ns string) error {
	n, err := s.NS(ns)
	if errors.Is(err, kernel.ErrClosed) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range u.Used {
		before, restore, err := s.giveBack(ns, tableKey(t), present)
		if err == nil && restore && before == absent {
			err = n.DropEmptyNFTable(t)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
