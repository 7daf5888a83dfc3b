package op

import "fmt"

// Ledger keeps account of settings of namespaces that are no lab's, which
// several labs may change: the first to change one notes what it was, the last
// to go gives it back.
type Ledger interface {
	Borrow(key, now string) error
	Return(key string) (before string, restore bool, err error)
}

// borrow notes a setting before it is changed.
func (s *System) borrow(ns, key, now string) error {
	n, err := s.NS(ns)
	if err != nil || s.Ledger == nil {
		return err
	}
	return s.Ledger.Borrow(loanKey(n.ID().Ino, key), now)
}

// giveBack says whether a setting is to be restored, and to what.
func (s *System) giveBack(ns, key, noted string) (before string, restore bool, err error) {
	n, err := s.NS(ns)
	if err != nil {
		return "", false, err
	}
	if s.Ledger == nil {
		return noted, true, nil
	}
	return s.Ledger.Return(loanKey(n.ID().Ino, key))
}

func loanKey(inode uint64, key string) string { return fmt.Sprintf("%d %s", inode, key) }
