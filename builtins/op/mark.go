package op

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// markPrefix begins every mark that a lab leaves in the kernel.
const markPrefix = "nsscript:"

// MarkOf returns the mark of the lab called name.
func MarkOf(lab string) string { return markPrefix + lab }

// LabOf returns the lab that a mark names, or "".
func LabOf(mark string) string {
	name, ok := strings.CutPrefix(mark, markPrefix)
	if !ok {
		return ""
	}
	return name
}

// LabOfSign returns the lab that the sign of a process names, or "".
func LabOfSign(sign string) string {
	lab, _, _ := strings.Cut(LabOf(sign), ":")
	return lab
}

// RuleLab returns the lab whose mark a rule's comment is or begins with, or "".
func RuleLab(spec []string) string {
	for i, w := range spec {
		if w == "--comment" && i+1 < len(spec) {
			mark, _, _ := strings.Cut(spec[i+1], ": ")
			return LabOf(mark)
		}
	}
	return ""
}

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
