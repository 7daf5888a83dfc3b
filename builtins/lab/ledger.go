package lab

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"nsscript/builtins/op"
)

// ledgerName is the file in the registry that notes which settings of the
// machine are borrowed, by which labs, and what they were before the first.
const ledgerName = ".borrowed"

// borrowed is a setting of a namespace that is no lab's, such as a sysctl of
// the host.
type borrowed struct {
	Before string              `json:"before"` // what it was before any lab changed it
	Labs   map[string][]string `json:"labs"`   // the loans of those that have changed it
}

// ledger is a lab's side of the file. Two labs may set the same thing: it is
// given back as it was when the last of them goes.
type ledger struct {
	registry Registry
	lab      string
}

// Borrow notes that the lab is about to change a setting.
func (l ledger) Borrow(key, loan string, read func() (string, error)) error {
	return l.edit(func(all map[string]*borrowed) error {
		b := all[key]
		if b == nil {
			now, err := read()
			if err != nil {
				return err
			}
			b = &borrowed{Before: now, Labs: map[string][]string{}}
			all[key] = b
		}
		if !slices.Contains(b.Labs[l.lab], loan) {
			b.Labs[l.lab] = append(b.Labs[l.lab], loan)
		}
		return nil
	})
}

// Return ends a loan, and restores the setting when it was the last of all labs.
func (l ledger) Return(key, loan string, restore func(before string) error) error {
	names, err := l.registry.Names()
	if err != nil {
		return err
	}
	return l.edit(func(all map[string]*borrowed) error {
		b := all[key]
		if b == nil || !slices.Contains(b.Labs[l.lab], loan) {
			return nil
		}
		b.Labs[l.lab] = slices.DeleteFunc(b.Labs[l.lab], func(other string) bool { return other == loan })
		maps.DeleteFunc(b.Labs, func(name string, loans []string) bool {
			return len(loans) == 0 || !slices.Contains(names, name)
		})
		if len(b.Labs) > 0 {
			return nil
		}
		delete(all, key)
		return restore(b.Before)
	})
}

// ReturnAll ends all loans of the lab whose journal is lost, and restores what no
// other lab needs; tables last, which must be empty by then.
func (l ledger) ReturnAll(restore func(key, before string) error) error {
	names, err := l.registry.Names()
	if err != nil {
		return err
	}
	return l.edit(func(all map[string]*borrowed) error {
		keys := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
			return cmp.Or(cmp.Compare(op.RestoreLast(a), op.RestoreLast(b)), cmp.Compare(a, b))
		})
		for _, key := range keys {
			b := all[key]
			if _, mine := b.Labs[l.lab]; !mine {
				continue
			}
			delete(b.Labs, l.lab)
			maps.DeleteFunc(b.Labs, func(name string, _ []string) bool { return !slices.Contains(names, name) })
			if len(b.Labs) > 0 {
				continue
			}
			delete(all, key)
			if err := restore(key, b.Before); err != nil {
				return err
			}
		}
		return nil
	})
}

// borrowed reads the file.
func (r Registry) borrowed() (map[string]*borrowed, error) {
	path := filepath.Join(r.Dir, ledgerName)
	all := map[string]*borrowed{}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, op.ErrLedgerSpoiled, err)
	}
	maps.DeleteFunc(all, func(_ string, b *borrowed) bool { return b == nil || b.Labs == nil })
	return all, nil
}

// forget drops what the lab, which is down, has still on loan: settings of
// namespaces that are gone. The registry is locked.
func (l ledger) forget() error {
	all, err := l.registry.borrowed()
	if errors.Is(err, op.ErrLedgerSpoiled) {
		return l.registry.writeBorrowed(nil)
	}
	if err != nil {
		return err
	}
	owed := false
	maps.DeleteFunc(all, func(_ string, b *borrowed) bool {
		if _, mine := b.Labs[l.lab]; mine {
			owed = true
			delete(b.Labs, l.lab)
		}
		return len(b.Labs) == 0
	})
	if !owed {
		return nil
	}
	return l.registry.writeBorrowed(all)
}

// edit changes the file, unless change fails.
func (l ledger) edit(change func(map[string]*borrowed) error) error {
	return l.registry.locked(func() error {
		all, err := l.registry.borrowed()
		if err != nil {
			return err
		}
		if err := change(all); err != nil {
			return err
		}
		return l.registry.writeBorrowed(all)
	})
}

// writeBorrowed writes the file, or removes it when nothing is borrowed.
func (r Registry) writeBorrowed(all map[string]*borrowed) error {
	path := filepath.Join(r.Dir, ledgerName)
	if len(all) == 0 {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	b, err := json.Marshal(all)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(bytes.TrimRight(old, " "), b) {
		return nil
	}
	full := replaceFile(path, b, 0o600)
	if errors.Is(full, unix.ENOSPC) && len(b) <= len(old) {
		return overwrite(path, b, len(old)) // a full disk must not keep a lab from going down
	}
	return full
}

// overwrite writes over a file of n bytes in one step that needs no space; blanks
// fill it up.
func overwrite(path string, b []byte, n int) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(append(b, bytes.Repeat([]byte(" "), n-len(b))...), 0)
	return errors.Join(err, f.Close())
}
