package op

import (
	"strings"

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
