package picture

import (
	"slices"

	"golang.org/x/sys/unix"
)

// ethernetMTU is the size that packets have unless one is given (linux/if_ether.h).
const ethernetMTU = 1500

// MinIPv6MTU is the size of packets, in bytes, below which an interface has no IPv6 at
// all (RFC 8200, 5).
const MinIPv6MTU = 1280

// NewLink says what an interface is when it is made.
type NewLink struct {
	Name string
	Kind string
	MAC  string // "" where the kernel picks it
	MTU  int    // bytes; 0 for the kind's own
}

// AddLink makes an interface, which is down. The error is EEXIST where there is one of
// that name.
func (n *Namespace) AddLink(o NewLink) (*Link, error) {
	if n.Link(o.Name) != nil {
		return nil, unix.EEXIST
	}
	l := &Link{Name: o.Name, Kind: o.Kind, MAC: o.MAC, MTU: o.MTU, mtuSet: o.MTU != 0, judged: o.MAC != ""}
	if l.MTU == 0 {
		l.MTU = ethernetMTU
	}
	n.link(l)
	return l, nil
}

// AddCable makes both ends of a cable (veth(4)), which are down. The error is EEXIST
// where one of the names is taken, and then neither is made.
func AddCable(a *Namespace, endA NewLink, b *Namespace, endB NewLink) (la, lb *Link, err error) {
	if a.Link(endA.Name) != nil || b.Link(endB.Name) != nil || a == b && endA.Name == endB.Name {
		return nil, nil, unix.EEXIST
	}
	endA.Kind, endB.Kind = "veth", "veth"
	// The kernel registers the second end first (veth_newlink), which shows in the
	// numbers where both are in one namespace.
	if lb, err = b.AddLink(endB); err == nil {
		la, err = a.AddLink(endA)
	}
	if err != nil {
		return nil, nil, err
	}
	la.Peer, lb.Peer = lb, la
	return la, lb, nil
}

// AddUpper makes an interface that stands on another one, such as a VLAN; it ends with
// that one. The error is EEXIST where its name is taken, EBUSY where the other one's
// packets go elsewhere already.
func (n *Namespace) AddUpper(lower *Link, o NewLink) (*Link, error) {
	if diverts(o.Kind) && lower.Kind == o.Kind {
		lower = lower.Peer // they stand side by side (macvlan_common_newlink, ipvlan_link_new)
	}
	if n.Link(o.Name) == nil && lower.busy(o.Kind) {
		return nil, unix.EBUSY
	}
	if o.MTU == 0 {
		o.MTU = lower.MTU
	}
	l, err := n.AddLink(o)
	if err == nil {
		l.Peer = lower
		lower.uppers = append(lower.uppers, l)
	}
	return l, err
}

// diverts reports whether a kind of interface takes the packets of the one it stands on
// before anybody else.
func diverts(kind string) bool { return kind == "macvlan" || kind == "ipvlan" }

// Diverted reports whether something that stands on the interface has its packets, so
// that it cannot be a port.
func (l *Link) Diverted() bool {
	return slices.ContainsFunc(l.uppers, func(u *Link) bool { return diverts(u.Kind) })
}

// busy reports whether nothing of a kind can stand on the interface, since only one can
// have its packets (netdev_rx_handler_register): a bridge or a bond, of which it is a
// port, or what stands on it already and is of another kind.
func (l *Link) busy(kind string) bool {
	if !diverts(kind) {
		return false
	}
	return l.Master != nil && l.Master.Kind != "vrf" ||
		slices.ContainsFunc(l.uppers, func(u *Link) bool { return diverts(u.Kind) && u.Kind != kind })
}

// cable reports whether the interface has another end.
func (l *Link) cable() bool { return l.Peer != nil && l.Peer.Peer == l }

// Delete removes an interface: the other end of a cable goes with it, and what stands
// on it.
func (l *Link) Delete() {
	peer := l.Peer
	isCable := l.cable()
	l.unlink()
	if isCable {
		peer.unlink()
	}
}

// unlink takes one interface away.
func (l *Link) unlink() {
	for _, upper := range slices.Clone(l.uppers) {
		upper.unlink()
	}
	if l.Peer != nil {
		l.Peer.uppers = slices.DeleteFunc(l.Peer.uppers, func(u *Link) bool { return u == l })
	}
	for _, p := range l.Ports() {
		p.SetMaster(nil)
	}
	l.SetMaster(nil)
	l.SetUp(false)
	l.leave()
}

// leave takes the interface out of its namespace, with its addresses and the settings
// that bear its name.
func (l *Link) leave() {
	n := l.NS
	n.endWays(l, unix.AF_INET)
	n.endWays(l, unix.AF_INET6)
	l.Addrs = nil
	n.Links = slices.DeleteFunc(n.Links, func(o *Link) bool { return o == l })
	n.dropSettings(l.Name)
}

// Move takes an interface to another namespace, where it is down, without its
// addresses, routes and master (network_namespaces(7)). The error is EEXIST where
// there is one of its name.
func (l *Link) Move(to *Namespace) error {
	if to.Link(l.Name) != nil {
		return unix.EEXIST
	}
	l.SetMaster(nil)
	l.SetUp(false)
	l.leave()
	l.NS = to
	// It keeps its number where that is free.
	if slices.ContainsFunc(to.Links, func(o *Link) bool { return o.Index == l.Index }) {
		to.lastIndex++
		l.Index = to.lastIndex
	} else {
		to.lastIndex = max(to.lastIndex, l.Index)
	}
	to.Links = append(to.Links, l)
	slices.SortFunc(to.Links, func(a, b *Link) int { return a.Index - b.Index })
	l.inherit()
	return nil
}

// Rename gives an interface another name. The error is EEXIST where that is taken.
func (l *Link) Rename(name string) error {
	if name == l.Name {
		return nil
	}
	if l.NS.Link(name) != nil {
		return unix.EEXIST
	}
	for i := range l.NS.Routes {
		for j, h := range l.NS.Routes[i].Hops {
			if h.Dev == l.Name {
				l.NS.Routes[i].Hops[j].Dev = name
			}
		}
	}
	l.NS.renameSettings(l.Name, name)
	l.Name = name
	return nil
}

// SetMaster makes the interface a port of a bridge, a bond or a VRF, nil of none.
func (l *Link) SetMaster(m *Link) {
	old := l.Master
	if old == m {
		return
	}
	l.Master = m
	for _, b := range []*Link{old, m} {
		if b != nil {
			b.fitMTU()
			b.judged = true
		}
	}
}

// SetMAC sets the link-layer address.
func (l *Link) SetMAC(mac string) { l.MAC, l.judged = mac, true }

// SetMTU sets the largest packet, in bytes.
func (l *Link) SetMTU(mtu int) {
	l.mtuSet = true
	l.resize(mtu)
}

// resize changes the largest packet, and that of what follows from it: what stands on
// the interface can send no larger ones (macvlan_device_event, vlan_device_event), of
// ipvlan neither smaller ones, and a bridge fits its ports. IPv6 leaves an interface that
// is too small for it (addrconf_notify).
func (l *Link) resize(mtu int) {
	l.MTU = mtu
	if mtu < MinIPv6MTU {
		end := l.NS.endWays
		if l.Kind == "loopback" {
			end = l.NS.killWays // lo stays
		}
		end(l, unix.AF_INET6)
		l.dropIPv6(nil)
	}
	for _, u := range l.uppers {
		switch u.Kind {
		case "vlan", "macvlan":
			if u.MTU > mtu {
				u.resize(mtu)
			}
		case "ipvlan":
			u.resize(mtu)
		}
	}
	if l.Master != nil {
		l.Master.fitMTU()
	}
}

// fitMTU gives a bridge whose own size was not set that of its smallest port
// (br_mtu_auto_adjust).
func (l *Link) fitMTU() {
	if l.Kind != "bridge" || l.mtuSet {
		return
	}
	mtu := ethernetMTU
	for i, p := range l.Ports() {
		if i == 0 || p.MTU < mtu {
			mtu = p.MTU
		}
	}
	if mtu != l.MTU {
		l.resize(mtu)
	}
}
