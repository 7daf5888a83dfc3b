package kernel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"nsscript/builtins/kernel/abi"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Link is a network interface as the kernel reports it.
type Link struct {
	Name      string
	Index     int
	Kind      string // veth, bridge, … (the kernel's own names); "loopback" for lo, "device" for hardware
	MAC       net.HardwareAddr
	MTU       int // bytes
	Flags     uint32
	State     string      // operational state (RFC 2863): up, down, lowerlayerdown, unknown, …
	Master    int         // index of the bridge, bond or VRF it belongs to; 0 for none
	Peer      int         // index of the other end (veth) or of the lower device; 0 for none
	PeerNetNS int         // id of the namespace Peer is in, as this namespace numbers it; -1 for this one
	Alias     string      // interface alias
	AltNames  []string    // alternative names (ip-link(8), property)
	Group     uint32      // the group of interfaces that it is in; 0 for the one that all are in at first
	QueueLen  int         // packets
	Encap     string      // link layer: ether, loopback, …
	Remote    netip.Addr  // of a tunnel: the other end's address; invalid where there is none
	Local     netip.Addr  // and this end's
	Options   [][2]string // what its kind has of its own, in the words of `ip link`
	Details   [][2]string // and what `ip -d link` says of it besides
	Under     int         // of a VXLAN: index of the device that its packets leave by; 0 for any
	Stats     LinkStats
}

// LinkStats are an interface's counters.
type LinkStats struct {
	RxPackets, TxPackets, RxBytes, TxBytes       uint64
	RxErrors, TxErrors, RxDropped, TxDropped     uint64
	Multicast, Collisions, RxOverErrors, Carrier uint64
}

// Up reports whether the interface is administratively up.
func (l *Link) Up() bool { return l.Flags&abi.LinkUp != 0 }

// OperState is the operational state: up, down, or lowerlayerdown where the interface is
// up and what it stands on, or the other end of the cable, is not. The kernel calls that
// down too where both ends of a cable happen to have the same number
// (default_operstate).
func (l *Link) OperState() string {
	switch {
	case !l.Up():
		return "down"
	case l.State == "unknown": // lo and the like have no operational state
		return "up"
	case l.State == "down" && l.Peer != 0:
		return "lowerlayerdown"
	}
	return l.State
}

func newLink(nl netlink.Link) Link {
	a := nl.Attrs()
	l := Link{
		Name: a.Name, Index: a.Index, Kind: nl.Type(), MAC: a.HardwareAddr, MTU: a.MTU,
		Flags: a.RawFlags, State: a.OperState.String(), Master: a.MasterIndex,
		Peer: a.ParentIndex, PeerNetNS: a.NetNsID, Alias: a.Alias, AltNames: a.AltNames, Group: a.Group, QueueLen: a.TxQLen,
		Encap: a.EncapType, Options: linkOptions(nl), Details: linkDetails(nl),
	}
	switch t := nl.(type) {
	case *netlink.Vxlan:
		l.Remote, l.Local, l.Under = addrOf(t.Group), addrOf(t.SrcAddr), t.VtepDevIndex
	case *netlink.Gretun:
		l.Remote, l.Local = addrOf(t.Remote), addrOf(t.Local)
	case *netlink.Gretap:
		l.Remote, l.Local = addrOf(t.Remote), addrOf(t.Local)
	case *netlink.Iptun:
		l.Remote, l.Local = addrOf(t.Remote), addrOf(t.Local)
	case *netlink.Sittun:
		l.Remote, l.Local = addrOf(t.Remote), addrOf(t.Local)
	case *netlink.Ip6tnl:
		l.Remote, l.Local = addrOf(t.Remote), addrOf(t.Local)
	case *netlink.Vti:
		l.Remote, l.Local = addrOf(t.Remote), addrOf(t.Local)
	}
	if l.Flags&abi.LinkLoopback != 0 {
		l.Kind = "loopback"
	}
	if s := a.Statistics; s != nil {
		l.Stats = LinkStats{
			RxPackets: s.RxPackets, TxPackets: s.TxPackets, RxBytes: s.RxBytes, TxBytes: s.TxBytes,
			RxErrors: s.RxErrors, TxErrors: s.TxErrors, RxDropped: s.RxDropped, TxDropped: s.TxDropped,
			Multicast: s.Multicast, Collisions: s.Collisions, RxOverErrors: s.RxOverErrors, Carrier: s.TxCarrierErrors,
		}
	}
	return l
}

func foundLink(l netlink.Link, err error) (*Link, error) {
	var missing netlink.LinkNotFoundError
	if errors.As(err, &missing) {
		return nil, unix.ENODEV
	}
	if err != nil {
		return nil, err
	}
	link := newLink(l)
	// A name may also be an alternative name (altname) of the interface.
	return &link, nil
}

// QdiscState is what a queueing discipline has done with packets so far.
type QdiscState struct {
	Kind    string
	Dropped int // packets
	Waiting int // packets
}

// linkFlags are the flags of an interface in the order in which `ip link`
// prints them.
var linkFlags = []struct {
	bit  uint32
	name string
}{
	{abi.LinkLoopback, "LOOPBACK"}, {abi.LinkBroadcast, "BROADCAST"},
	{abi.LinkPointToPoint, "POINTOPOINT"}, {abi.LinkMulticast, "MULTICAST"},
	{abi.LinkNoARP, "NOARP"}, {abi.LinkAllMulti, "ALLMULTI"}, {abi.LinkPromisc, "PROMISC"},
	{abi.LinkMaster, "MASTER"}, {abi.LinkSlave, "SLAVE"}, {abi.LinkDynamic, "DYNAMIC"},
	{abi.LinkUp, "UP"}, {abi.LinkLowerUp, "LOWER_UP"}, {abi.LinkDormant, "DORMANT"},
}

// FlagNames returns the flags as `ip link` prints them.
func (l *Link) FlagNames() []string {
	var names []string
	if l.Up() && l.Flags&abi.LinkRunning == 0 {
		names = append(names, "NO-CARRIER")
	}
	for _, f := range linkFlags {
		if l.Flags&f.bit != 0 {
			names = append(names, f.name)
		}
	}
	return names
}

// FormatLink prints an interface on one line as `ip -o link` does. peer and
// master are the names of those interfaces where they are known.
func FormatLink(l *Link, peer, master, qdisc string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d: %s", l.Index, l.Name)
	switch {
	case l.Peer != 0 && peer != "" && l.PeerNetNS < 0:
		fmt.Fprintf(&b, "@%s", peer)
	case l.Peer != 0:
		fmt.Fprintf(&b, "@if%d", l.Peer)
	}
	fmt.Fprintf(&b, ": <%s> mtu %d", strings.Join(l.FlagNames(), ","), l.MTU)
	if qdisc != "" {
		fmt.Fprintf(&b, " qdisc %s", qdisc)
	}
	if master != "" {
		fmt.Fprintf(&b, " master %s", master)
	}
	fmt.Fprintf(&b, " state %s", strings.ToUpper(l.State))
	if l.QueueLen > 0 {
		fmt.Fprintf(&b, " qlen %d", l.QueueLen)
	}
	fmt.Fprintf(&b, " link/%s", l.Encap)
	if len(l.MAC) > 0 {
		fmt.Fprintf(&b, " %s", l.MAC)
	}
	if l.Peer != 0 && l.PeerNetNS >= 0 {
		fmt.Fprintf(&b, " link-netnsid %d", l.PeerNetNS)
	}
	return b.String()
}

// maxNameLen is the longest interface name in bytes (IFNAMSIZ less the closing
// NUL, linux/if.h).
const maxNameLen = abi.NameSize - 1

// CheckLinkName says what is wrong with an interface name, if anything.
func CheckLinkName(name string) error {
	switch {
	case name == "":
		return errors.New("an interface name cannot be empty")
	case len(name) > maxNameLen:
		return fmt.Errorf("interface name %q is too long: %d bytes, the kernel allows %d", name, len(name), maxNameLen)
	case name == "." || name == "..":
		return fmt.Errorf("%q is no interface name", name)
	case name == "all" || name == "default":
		return fmt.Errorf("%q is no interface name: the kernel's settings for all and for new interfaces are called so", name)
	case strings.HasPrefix(name, "-"):
		return fmt.Errorf("interface name %q begins with '-'", name)
	}
	for _, r := range name {
		if r <= ' ' || r == 0x7f || strings.ContainsRune("/:%\"'\\", r) {
			return fmt.Errorf("interface name %q holds %q, which is not allowed there", name, r)
		}
	}
	return nil
}

// carrierTime is how long an interface that is set up is waited for. It is a
// matter of microseconds, unless the other end is down, or a bridge's spanning tree
// listens first.
const carrierTime = 20 * time.Millisecond
