package op

import (
	"errors"
	"fmt"
	"slices"

	"nsscript/builtins/kernel"
)

// usedTables notes, for a namespace that is not the lab's, which tables an
// operation works on: iptables makes a table that is not there, and leaves it
// behind empty.
type usedTables struct {
	Used     []kernel.NFTable `json:"used,omitempty"`
	UsedLoan string           `json:"used_loan,omitempty"`
}

// tablePrefix begins the names of tables among the settings that labs borrow.
const tablePrefix = "table "

func tableKey(t kernel.NFTable) string { return fmt.Sprintf("%s%s %t", tablePrefix, t.Name, t.V6) }

// noteTables notes the tables, for Prepare.
func (u *usedTables) noteTables(s *System, ns string, tables ...kernel.NFTable) {
	if s.Owned(ns) {
		return
	}
	u.Used, u.UsedLoan = nil, newLoan()
	for _, t := range tables {
		if !slices.Contains(u.Used, t) {
			u.Used = append(u.Used, t)
		}
	}
}

// borrowTables notes whether the tables are there, before iptables is run.
func (u *usedTables) borrowTables(s *System, ns string) error {
	for _, t := range u.Used {
		if err := s.borrow(ns, tableKey(t), u.UsedLoan, func() (string, error) {
			n, err := s.NS(ns)
			if err != nil {
				return "", err
			}
			has, err := n.HasNFTable(t)
			if err == nil && has {
				return present, nil
			}
			return absent, err
		}); err != nil {
			return err
		}
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
		errs = append(errs, s.giveBack(ns, tableKey(t), u.UsedLoan, present, func(before string) error {
			if before == absent {
				return n.DropEmptyNFTable(t)
			}
			return nil
		}))
	}
	return errors.Join(errs...)
}
