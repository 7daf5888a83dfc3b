package op

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
)

// Ledger keeps account of settings of namespaces that are no lab's, which
// several labs may change: the first to change one notes what it was, the last
// to go gives it back. Each change is a loan, known by an id that is recorded
// with the operation before anything is borrowed, so that both methods can be
// repeated after nsscript was ended within them.
type Ledger interface {
	// Borrow notes that a setting is about to be changed; read tells what it
	// is, where no lab has changed it yet.
	Borrow(key, loan string, read func() (string, error)) error
	// Return ends a loan. When it is the last one of the setting, restore is
	// called with what the setting was at first, while nobody can borrow it.
	Return(key, loan string, restore func(before string) error) error
}

// newLoan makes the id of a loan.
func newLoan() string { return rand.Text() }

// borrow notes a setting before it is changed. The lab's own namespaces borrow
// from nobody.
func (s *System) borrow(ns, key, loan string, read func() (string, error)) error {
	n, err := s.NS(ns)
	if err != nil || s.Ledger == nil || loan == "" {
		return err
	}
	return s.Ledger.Borrow(loanKey(n.ID().Ino, key), loan, read)
}

// giveBack restores a setting once no lab needs it any more, to what was noted
// where there is no ledger.
func (s *System) giveBack(ns, key, loan, noted string, restore func(before string) error) error {
	n, err := s.NS(ns)
	if err != nil {
		return err
	}
	if s.Ledger == nil || loan == "" {
		return restore(noted)
	}
	err = s.Ledger.Return(loanKey(n.ID().Ino, key), loan, restore)
	if errors.Is(err, ErrLedgerSpoiled) {
		return restore(noted)
	}
	return err
}

// ErrLedgerSpoiled is the error of a ledger that cannot be read: each operation
// gives back what it noted itself.
var ErrLedgerSpoiled = errors.New("the ledger of what labs have borrowed cannot be read")

// RestoreLast orders the keys of a ledger by when they are to be restored: tables
// after what is in them.
func RestoreLast(key string) int {
	if _, setting, _ := strings.Cut(key, " "); strings.HasPrefix(setting, tablePrefix) {
		return 1
	}
	return 0
}

func loanKey(inode uint64, key string) string { return fmt.Sprintf("%d %s", inode, key) }
