package op

import (
	"errors"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// RemoveMarked deletes the interface of that number, if it bears the mark.
func RemoveMarked(ns *kernel.NetNS, index int, mark string) error {
	l, err := ns.LinkByIndex(index)
	if errors.Is(err, unix.ENODEV) || err == nil && l.Alias != mark {
		return nil
	}
	if err != nil {
		return err
	}
	h, err := ns.Netlink()
	if err != nil {
		return err
	}
	if err := h.LinkDel(ref(l)); err != nil && !kernel.IsGone(err) {
		return failed(err, "deleting interface %q", l.Name)
	}
	return nil
}

// OwnerOf returns the lab whose mark the namespace of that name in /run/netns
// bears on its lo, or "".
func OwnerOf(namespace string) string {
	ns, err := kernel.OpenNetNS(kernel.NetNSPath(namespace))
	if err != nil {
		return ""
	}
	defer ns.Close()
	lo, err := ns.LinkByIndex(1)
	if err != nil {
		return ""
	}
	return LabOf(lo.Alias)
}
