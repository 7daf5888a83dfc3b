package op

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"nsscript/builtins/kernel"
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

// Restore gives a setting back without the operation that has borrowed it, by its
// key in the ledger. open finds the namespace of an inode, nil if it is gone.
func Restore(ctx context.Context, key, before string, open func(inode uint64) *kernel.NetNS) error {
	number, setting, _ := strings.Cut(key, " ")
	inode, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return fmt.Errorf("the ledger's key %q: %w", key, err)
	}
	n := open(inode)
	if n == nil {
		return nil
	}
	defer n.Close()
	var finder kernel.IptablesFinder
	words := strings.Fields(setting)
	switch {
	case len(words) == 3 && words[0]+" " == tablePrefix:
		if before == present {
			return nil
		}
		return n.DropEmptyNFTable(kernel.NFTable{Name: words[1], V6: words[2] == "true"})
	case len(words) == 5 && words[1] == "-t" && words[3] == "-P":
		x, err := finder.Find(words[0] == "ip6tables")
		if err != nil {
			return err
		}
		return x.SetPolicy(ctx, n, words[2], words[4], before)
	}
	err = n.WriteSysctl(kernel.Sysctl{Key: setting, Value: before})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the parameter went with its interface
	}
	return err
}

func loanKey(inode uint64, key string) string { return fmt.Sprintf("%d %s", inode, key) }
