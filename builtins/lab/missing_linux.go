package lab

import (
	"errors"

	"golang.org/x/sys/unix"
)

// lacks reports whether an open namespace that is not the lab's has no interface
// of that name.
func (l *Lab) lacks(ns, name string) bool {
	n, err := l.sys.NS(ns)
	if err != nil || l.sys.Owned(ns) {
		return false
	}
	_, err = n.Link(name)
	return errors.Is(err, unix.ENODEV)
}
