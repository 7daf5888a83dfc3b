package kernel

import (
	"errors"

	"github.com/vishvananda/netlink"
)

// dumpTries is how often a dump is asked for that the kernel says was
// interrupted by a change of what it lists.
const dumpTries = 20

// dump asks until the kernel gives an answer that is of one piece.
func dump[T any](ask func() ([]T, error)) ([]T, error) {
	var list []T
	var err error
	for range dumpTries {
		list, err = ask()
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			return list, err
		}
	}
	return list, err
}
