package kernel

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Version returns the kernel's release, such as 6.1.0.
func Version() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// feature is something that a kernel may have been built without.
type feature struct {
	// try uses it in a namespace that nothing else uses. lo has index 1 there, one end
	// of a cable index beneath: the modules of tunnels put an interface of theirs into
	// each new namespace (net.core.fb_tunnels_only_for_init_net), which takes the next
	// ones.
	try    func() error
	option string // of the kernel's configuration
	module string // "" for what is never one
}

// beneath is the index of the interface that the trials use.
const beneath = 1000

// Where tunnels on trial lead: without it they would be the same as the module's own.
var (
	here, elsewhere   = net.IPv4(192, 0, 2, 2), net.IPv4(192, 0, 2, 1)
	here6, elsewhere6 = net.ParseIP("2001:db8::2"), net.ParseIP("2001:db8::1")
)

func trial() netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name = "trial"
	return a
}

// above is the trial of a kind of link that needs another one beneath.
func above() netlink.LinkAttrs {
	a := trial()
	a.ParentIndex = beneath
	return a
}

func bondTrial() netlink.Link {
	return netlink.NewLinkBond(trial())
}

func filteringTrial() netlink.Link {
	on := true
	return &netlink.Bridge{LinkAttrs: trial(), VlanFiltering: &on}
}

func trialQdisc() netlink.QdiscAttrs {
	return netlink.QdiscAttrs{LinkIndex: beneath, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT}
}

func tryLink(l netlink.Link) func() error { return func() error { return netlink.LinkAdd(l) } }

// kindFeatures are the features of those kinds of link that are called otherwise.
var kindFeatures = map[string]string{"bond": "bonding"}

func (f feature) remedy() string {
	if f.module == "" {
		return fmt.Sprintf("use a kernel that was built with %s, such as Debian's linux-image-amd64", f.option)
	}
	return fmt.Sprintf("load the module, sudo modprobe %s, or use a kernel that was built with %s, such as Debian's linux-image-amd64", f.module, f.option)
}
