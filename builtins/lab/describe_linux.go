package lab

import (
	"nsscript/builtins/kernel"
)

// Damaged reports whether the notes of a lab cannot be read, or /run/netns below
// root has not all of its namespaces any more.
func (h *Held) Damaged(root string) bool {
	if h.err != nil {
		return true
	}
	for ns, id := range h.spaces {
		if id == nil {
			continue
		}
		if now, err := kernel.NSIDOf(root + kernel.NetNSPath(ns)); err != nil || now.Ino != id.Ino {
			return true
		}
	}
	return false
}
