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

// loan is a setting of a namespace that is no lab's, such as a sysctl of the
// host.
type loan struct {
	Before string         `json:"before"` // what it was before any lab changed it
	Labs   map[string]int `json:"labs"`   // those that have changed it, and how often
}

// ledger is a lab's side of the file. Two labs may set the same thing: it is
// given back as it was when the last of them goes.
type ledger struct {
	registry Registry
	lab      string
}

// Borrow notes that the lab changes a setting, which is as given now.
func (l ledger) Borrow(key, now string) error {
	return l.edit(func(loans map[string]*loan) {
		e := loans[key]
		if e == nil {
			e = &loan{Before: now, Labs: map[string]int{}}
			loans[key] = e
		}
		e.Labs[l.lab]++
	})
}

// Return takes one Borrow back. When it was the last one of all labs, it returns
// what the setting was at first.
func (l ledger) Return(key string) (before string, restore bool, err error) {
	names, err := l.registry.Names()
	if err != nil {
		return "", false, err
	}
	err = l.edit(func(loans map[string]*loan) {
		e := loans[key]
		if e == nil {
			return
		}
		e.Labs[l.lab]--
		maps.DeleteFunc(e.Labs, func(name string, times int) bool {
			return times <= 0 || !slices.Contains(names, name)
		})
		if len(e.Labs) == 0 {
			before, restore = e.Before, true
			delete(loans, key)
		}
	})
	return before, restore, err
}

func (l ledger) edit(change func(map[string]*loan)) error {
	return l.registry.locked(func() error {
		path := filepath.Join(l.registry.Dir, ledgerName)
		loans := map[string]*loan{}
		b, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(b, &loans)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		change(loans)
		if len(loans) == 0 {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		}
		if b, err = json.Marshal(loans); err != nil {
			return err
		}
		if err := os.WriteFile(path+".new", b, 0o600); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	})
}
