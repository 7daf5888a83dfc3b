//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Resume opens a lab that is up in the sandbox of this process, to build on in it. What is
// lost of its directory is made anew: in a sandbox of its own a lab is all that is there.
func Resume(name, dir string, o Options) (*Lab, error) {
	path := filepath.Join(dir, "journal")
	if _, err := os.Stat(path); err != nil {
		if err := begin(name, dir); err != nil {
			return nil, err
		}
	}
	l, err := Look(name, dir, true)
	if l == nil {
		return nil, err
	}
	// What cannot be read of the journal is found in the sandbox.
	if err != nil && !errors.Is(err, errSpoiled) {
		l.Close()
		return nil, err
	}
	if l.journal, err = appendJournal(path); err != nil {
		l.Close()
		return nil, fmt.Errorf("the lab's journal: %w", err)
	}
	o.Private = true
	l.opts = o
	return l, nil
}

// begin makes the directory of a lab, with nothing recorded.
func begin(name, dir string) error {
	for _, sub := range []string{"hosts", "log"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	if _, err := newSign(dir, name); err != nil {
		return err
	}
	j, err := CreateJournal(filepath.Join(dir, "journal"), true)
	if err != nil {
		return fmt.Errorf("the lab's journal: %w", err)
	}
	return j.Close()
}
