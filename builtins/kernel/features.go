package kernel

import (
	"errors"
	"maps"
	"net"
	"runtime"
	"slices"

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

// features are the kernel features that can be asked for, each with a trial in
// a namespace that nothing else uses. lo has index 1 there, one end of a cable
// index beneath: the modules of tunnels put an interface of theirs into each new
// namespace (net.core.fb_tunnels_only_for_init_net), which takes the next ones.
var features = map[string]func() error{
	"veth":      func() error { return nil }, // the trial's own interface
	"bridge":    tryLink(&netlink.Bridge{LinkAttrs: trial()}),
	"dummy":     tryLink(&netlink.Dummy{LinkAttrs: trial()}),
	"vlan":      tryLink(&netlink.Vlan{LinkAttrs: above(), VlanId: 5}),
	"macvlan":   tryLink(&netlink.Macvlan{LinkAttrs: above(), Mode: netlink.MACVLAN_MODE_BRIDGE}),
	"ipvlan":    tryLink(&netlink.IPVlan{LinkAttrs: above(), Mode: netlink.IPVLAN_MODE_L2}),
	"vxlan":     tryLink(&netlink.Vxlan{LinkAttrs: trial(), VxlanId: 7, Port: 4789}),
	"bonding":   tryLink(bondTrial()),
	"vrf":       tryLink(&netlink.Vrf{LinkAttrs: trial(), Table: 10}),
	"ifb":       tryLink(&netlink.Ifb{LinkAttrs: trial()}),
	"gre":       tryLink(&netlink.Gretap{LinkAttrs: trial()}),
	"ipip":      tryLink(&netlink.Iptun{LinkAttrs: trial(), Remote: elsewhere}),
	"sit":       tryLink(&netlink.Sittun{LinkAttrs: trial(), Remote: elsewhere}),
	"wireguard": tryLink(&netlink.Wireguard{LinkAttrs: trial()}),
	"tun":       func() error { return unix.Access("/dev/net/tun", unix.R_OK|unix.W_OK) },
	"ipv6":      func() error { return unix.Access("/proc/sys/net/ipv6", unix.R_OK) },
	"netem":     tryQdisc(netlink.NewNetem(trialQdisc(), netlink.NetemQdiscAttrs{Latency: 1000})),
	"tbf":       tryQdisc(&netlink.Tbf{QdiscAttrs: trialQdisc(), Rate: 125000, Limit: 10000, Buffer: 10000}),
	"htb":       tryQdisc(netlink.NewHtb(trialQdisc())),
}

// beneath is the index of the interface that the trials use.
const beneath = 1000

// elsewhere is where tunnels on trial lead: without it they would be the same as the
// module's own.
var elsewhere = net.IPv4(192, 0, 2, 1)

// Features lists the names that Has knows.
func Features() []string { return slices.Sorted(maps.Keys(features)) }

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

func trialQdisc() netlink.QdiscAttrs {
	return netlink.QdiscAttrs{LinkIndex: beneath, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT}
}

func tryLink(l netlink.Link) func() error { return func() error { return netlink.LinkAdd(l) } }

func tryQdisc(q netlink.Qdisc) func() error { return func() error { return netlink.QdiscAdd(q) } }

// Has reports whether the kernel has a feature of Features, by using it in a
// namespace made for this and gone afterwards.
func Has(feature string) (bool, error) {
	try, ok := features[feature]
	if !ok {
		return false, errors.New("no such feature: " + feature)
	}
	type answer struct {
		err, setup error
	}
	done := make(chan answer, 1)
	go func() {
		// Never unlocked: the thread ends, and the namespace with it.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- answer{setup: err}
			return
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.Index = "beneath", beneath
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "peer"}); err != nil {
			done <- answer{setup: err}
			return
		}
		done <- answer{err: try()}
	}()
	a := <-done
	return a.setup == nil && a.err == nil, a.setup
}
