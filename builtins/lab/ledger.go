package lab

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
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

// edit changes the file, unless change fails.
func (l ledger) edit(change func(map[string]*borrowed) error) error {
	return l.registry.locked(func() error {
		path := filepath.Join(l.registry.Dir, ledgerName)
		all := map[string]*borrowed{}
		b, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(b, &all)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := change(all); err != nil {
			return err
		}
		if len(all) == 0 {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		}
		if b, err = json.Marshal(all); err != nil {
			return err
		}
		return replaceFile(path, b, 0o600)
	})
}
