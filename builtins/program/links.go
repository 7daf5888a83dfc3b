package program

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"nsscript/builtins/kernel"
	"nsscript/builtins/kernel/abi"
	"nsscript/builtins/picture"
)

const ethernetMTU = 1500

// fallback are the interfaces that the kernel puts into every namespace once it knows
// their kind.
var fallback = map[string]bool{
	"gre0": true, "gretap0": true, "erspan0": true, "tunl0": true, "sit0": true, "ip6tnl0": true, "ip6gre0": true, "ip_vti0": true, "ip6_vti0": true,
}

// judge notes why interfaces are left out.
func (w *writer) judge() {
	for _, n := range w.p.Namespaces {
		for _, l := range n.Links {
			if why := w.reason(l, 0); why != "" && !(fallback[l.Name] && !l.Up) {
				w.why[l] = why
			}
		}
	}
}

// deepest is how many interfaces can stand on one another.
const deepest = 16

// reason says why an interface cannot be built, "" where it can.
func (w *writer) reason(l *picture.Link, depth int) string {
	_, known := builders[l.Kind]
	switch {
	case l.Kind == "loopback" || l.Kind == "bridge" || l.Kind == "veth" && l.Peer != nil:
		return ""
	case l.Kind == "veth":
		return "its other end is in a namespace that was not read"
	case l.Kind == "device":
		return "a device of this machine"
	case l.Kind == "wireguard":
		return "a tunnel whose keys stay where they are"
	case l.Kind == "tun":
		return "a program makes it"
	case !known:
		return fmt.Sprintf("no builtin makes interfaces of the kind %q", l.Kind)
	case fallback[l.Name]:
		return "the kernel makes it"
	case depth > deepest:
		return "it stands on itself"
	case l.Peer == nil && stands[l.Kind]:
		return "the device that it stands on was not read"
	case l.Peer != nil && w.reason(l.Peer, depth+1) != "":
		return "it stands on " + l.Peer.Name + ", which is left out"
	}
	return ""
}

// stands are the kinds that cannot be without another interface.
var stands = map[string]bool{"vlan": true, "macvlan": true, "ipvlan": true}

// ref is an expression for an interface.
func (w *writer) ref(l *picture.Link) string {
	if v := w.vars[l]; v != "" {
		return v
	}
	return fmt.Sprintf("%s.link(%s)", w.spaces[l.NS], quote(l.Name))
}

// port reports whether an interface belongs to a bridge, which a builtin can be told of
// when it makes the interface.
func port(l *picture.Link) bool { return l.Master != nil && l.Master.Kind == "bridge" }

// addresses are those that builtins can give to an interface, in the order in which the
// kernel gets the same list: of IPv6, it puts the newest first. The others are given by
// `ip addr` (late).
func addresses(l *picture.Link) (plain []string, late []kernel.Addr) {
	var v6 []string
	for _, a := range l.Addrs {
		switch {
		case ownLoopback(a):
		case a.Peer.IsValid() || a.Flags&abi.AddrNoPrefixRoute != 0 || a.Scope != usualScope(a.Prefix.Addr()):
			late = append(late, a)
		case a.Prefix.Addr().Is6():
			v6 = append(v6, a.Prefix.String())
		default:
			plain = append(plain, a.Prefix.String())
		}
	}
	slices.Reverse(v6)
	return append(plain, v6...), late
}

// ownLoopback reports whether an address is one that lo has when it is up.
func ownLoopback(a kernel.Addr) bool {
	s := a.Prefix.String()
	return s == "127.0.0.1/8" || s == "::1/128"
}

// usualScope is the scope of an address that none is given for.
func usualScope(ip netip.Addr) string {
	switch {
	case ip.Is6() && ip.IsLoopback():
		return "host"
	case ip.Is6() && ip.IsLinkLocalUnicast():
		return "link"
	}
	return "global"
}

// lateAddresses gives an interface the addresses that no builtin has words for.
func (w *writer) lateAddresses(l *picture.Link, late []kernel.Addr) {
	for _, a := range late {
		words := []string{"ip", "addr", "add", a.Prefix.String()}
		if a.Peer.IsValid() {
			words = []string{"ip", "addr", "add", a.Prefix.Addr().String(), "peer", netip.PrefixFrom(a.Peer, a.Prefix.Bits()).String()}
		}
		words = append(words, "dev", l.Name)
		if a.Scope != usualScope(a.Prefix.Addr()) {
			words = append(words, "scope", a.Scope)
		}
		if a.Flags&abi.AddrNoPrefixRoute != 0 {
			words = append(words, "noprefixroute")
		}
		w.exec(l.NS, words)
	}
}

// exec runs a command that there is no builtin for.
func (w *writer) exec(n *picture.Namespace, words []string) {
	w.line("exec(%s, %s)", w.spaces[n], quote(shellWords(words)))
}

func (w *writer) switches() {
	w.section("Switches")
	for _, n := range w.p.Namespaces {
		for _, l := range n.Links {
			if l.Kind == "bridge" {
				w.bridge(l)
			}
		}
	}
}

func (w *writer) bridge(l *picture.Link) {
	c := call{fn: "bridge"}
	c.arg(quote(l.Name))
	if l.NS.Name != picture.Host {
		c.named("ns", w.spaces[l.NS])
	}
	plain, late := addresses(l)
	c.list("addr", plain)
	if l.Option("stp_state") == "1" {
		c.named("stp", "True")
	}
	if l.Option("vlan_filtering") == "1" {
		c.named("vlan_filtering", "True")
	}
	if l.MTU != w.bridgeMTU(l) {
		c.named("mtu", fmt.Sprint(l.MTU))
	}
	if !w.begins(l) {
		c.named("up", "False")
	}
	text := c.String()
	if w.wanted(l) {
		w.vars[l] = w.names.take(l.Name, "br")
		text = w.vars[l] + " = " + text
	}
	w.line("%s", text)
	if l.MAC != "" {
		w.line("%s.set(mac = %s)", w.ref(l), quote(l.MAC))
	}
	w.lateAddresses(l, late)
	for _, o := range l.Options {
		switch o[0] {
		case "stp_state", "vlan_filtering":
		default:
			w.exec(l.NS, []string{"ip", "link", "set", "dev", l.Name, "type", "bridge", o[0], o[1]})
		}
	}
	if inVLANs(l) {
		w.vlans(l, l)
	}
	w.made[l] = true
}

// bridgeMTU is what a bridge has as long as it is not given another one: that of its
// smallest port.
func (w *writer) bridgeMTU(l *picture.Link) int {
	mtu := 0
	for _, p := range l.Ports() {
		if w.why[p] == "" && (mtu == 0 || p.MTU < mtu) {
			mtu = p.MTU
		}
	}
	return cmp.Or(mtu, ethernetMTU)
}

// wanted reports whether the program speaks of an interface again.
func (w *writer) wanted(l *picture.Link) bool {
	return slices.ContainsFunc(l.NS.Links, func(o *picture.Link) bool {
		return (o.Master == l || o.Peer == l) && w.why[o] == ""
	}) || l.Kind == "bridge" && (l.MAC != "" || inVLANs(l))
}

func (w *writer) cables() {
	w.section("Cables")
	for _, l := range w.sortedLinks() {
		if l.Kind != "veth" || w.made[l] || w.why[l] != "" {
			continue
		}
		a, b := l, l.Peer
		// Where both are in one namespace, the kernel makes the second end first.
		if port(a) && !port(b) || port(a) == port(b) && a.NS == b.NS && a.Index < b.Index {
			a, b = b, a
		}
		w.cable(a, b)
		w.made[a], w.made[b] = true, true
	}
}

func (w *writer) cable(a, b *picture.Link) {
	c := call{fn: "veth"}
	for _, l := range []*picture.Link{a, b} {
		if port(l) {
			c.arg(w.ref(l.Master))
		} else {
			c.arg(w.spaces[l.NS])
		}
	}
	c.word("name", a.Name)
	c.word("peer", b.Name)
	plainA, lateA := addresses(a)
	plainB, lateB := addresses(b)
	c.list("addr", plainA)
	c.list("peer_addr", plainB)
	c.word("mac", a.MAC)
	c.word("peer_mac", b.MAC)
	if a.MTU == b.MTU {
		c.number("mtu", a.MTU, ethernetMTU)
	}
	both := w.begins(a) && w.begins(b)
	if !both {
		c.named("up", "False")
	}
	w.line("%s", c)
	for _, l := range []*picture.Link{a, b} {
		if a.MTU != b.MTU && l.MTU != ethernetMTU {
			w.line("%s.set(mtu = %d)", w.ref(l), l.MTU)
		}
		w.asPort(l)
		if w.begins(l) && !both {
			w.line("%s.up()", w.ref(l))
		}
	}
	w.lateAddresses(a, lateA)
	w.lateAddresses(b, lateB)
}

// downs has the interfaces go down that are up when they are made.
func (w *writer) downs() {
	w.section("Interfaces that are down")
	var lo []string
	for _, n := range w.p.Namespaces {
		for _, l := range n.Links {
			switch {
			case l.Kind == "loopback":
				w.made[l] = true
				if !l.Up {
					lo = append(lo, w.spaces[n])
				}
			case w.made[l] && !l.Up && member(l) && !w.begins(l):
				w.line("%s.down()", w.ref(l))
			}
		}
	}
	switch {
	case len(lo) > 2:
		w.line("for ns in [%s]:\n    ns.link(\"lo\").down()", strings.Join(lo, ", "))
	default:
		for _, ns := range lo {
			w.line("%s.link(\"lo\").down()", ns)
		}
	}
	w.section("Addresses of lo")
	for _, n := range w.p.Namespaces {
		for _, l := range n.Links {
			if l.Kind != "loopback" {
				continue
			}
			plain, late := addresses(l)
			if len(plain) > 0 {
				c := call{fn: w.ref(l) + ".add_addr"}
				if len(plain) == 1 {
					c.arg(quote(plain[0]))
				} else {
					c.arg(list(plain))
				}
				w.line("%s", c)
			}
			w.lateAddresses(l, late)
		}
	}
}

// begins reports whether an interface is up at first. One over which routes lead that
// have outlived it is set down after them.
func (w *writer) begins(l *picture.Link) bool {
	return l.Up || slices.ContainsFunc(l.NS.Routes, func(r kernel.Route) bool {
		return slices.ContainsFunc(r.Hops, func(h kernel.NextHop) bool { return h.Dev == l.Name })
	})
}

// goDown sets the interfaces down over which there had to be routes. IPv6 addresses
// do not outlive that: those that are there have come after it.
func (w *writer) goDown() {
	w.section("Interfaces that went down")
	for _, n := range w.p.Namespaces {
		for _, l := range n.Links {
			if l.Up || !w.made[l] || l.Kind == "loopback" || !w.begins(l) {
				continue
			}
			w.line("%s.down()", w.ref(l))
			plain, _ := addresses(l)
			for _, a := range plain {
				if strings.Contains(a, ":") {
					w.line("%s.add_addr(%s)", w.ref(l), quote(a))
				}
			}
		}
	}
}

// member reports whether an interface belongs to one that sets it up.
func member(l *picture.Link) bool { return l.Master != nil && l.Master.Kind == "bond" }
