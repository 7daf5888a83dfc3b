package op

import (
	"errors"

	"nsscript/builtins/kernel"
)

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
