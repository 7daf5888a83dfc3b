package picture

import (
	"cmp"
	"fmt"
	"net/netip"
	"nsscript/builtins/kernel/abi"
	"slices"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// Metrics that the kernel gives IPv6 routes which have none (linux/ipv6_route.h,
// net/ip6_fib.h).
const (
	metricUser    = 1024 // IP6_RT_PRIO_USER
	metricAddress = 256  // IP6_RT_PRIO_ADDRCONF
)

// connect adds the route to the network that an address lies in.
func (l *Link) connect(a kernel.Addr) {
	if a.Prefix.Addr().Is4() && l.Kind == "loopback" || a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLoopback() {
		return // it is in the table "local"
	}
	r := kernel.Route{
		Dst: a.Prefix.Masked(), Family: unix.AF_INET, Type: "unicast", Table: l.table(),
		Hops: []kernel.NextHop{{Dev: l.Name, Index: l.Index, Weight: 1}}, Scope: "link", Protocol: "kernel", Src: a.Prefix.Addr(),
	}
	if a.Prefix.Addr().Is6() {
		r.Family, r.Scope, r.Src, r.Metric = unix.AF_INET6, "global", netip.Addr{}, metricAddress
		if slices.ContainsFunc(l.NS.Routes, func(o kernel.Route) bool {
			return o.Protocol == "kernel" && o.Table == r.Table && o.Dst == r.Dst && len(o.Hops) == 1 && o.Hops[0].Index == l.Index
		}) {
			return // another address of the subnet has brought it
		}
	} else if a.Flags&abi.AddrSecondary != 0 || a.Prefix.Bits() == 32 {
		return
	}
	l.NS.insert(r)
}

// table is the routing table for the networks of the interface's addresses: that of
// its VRF, if it is in one.
func (l *Link) table() int {
	if l.Master != nil && l.Master.Kind == "vrf" {
		if t, ok := kernel.TableNumber(l.Master.Option("table")); ok {
			return t
		}
	}
	return abi.TableMain
}

// disconnect takes the route to an address's network away, and the IPv4 routes that
// prefer the address as their source (fib_sync_down_addr).
func (l *Link) disconnect(a kernel.Addr) {
	shared := slices.ContainsFunc(l.Addrs, func(o kernel.Addr) bool {
		return sameSubnet(o.Prefix, a.Prefix) && o.Flags&abi.AddrSecondary == 0
	})
	elsewhere := slices.ContainsFunc(l.NS.Links, func(o *Link) bool {
		return slices.ContainsFunc(o.Addrs, func(b kernel.Addr) bool { return b.Prefix.Addr() == a.Prefix.Addr() })
	})
	l.NS.Routes = slices.DeleteFunc(l.NS.Routes, func(r kernel.Route) bool {
		own := r.Protocol == "kernel" && r.Dst == a.Prefix.Masked() && len(r.Hops) == 1 && r.Hops[0].Index == l.Index
		if a.Prefix.Addr().Is6() {
			return own && !shared
		}
		return own && r.Src == a.Prefix.Addr() || r.Src == a.Prefix.Addr() && !elsewhere
	})
}

// AddRoute adds a route. Its hops need not name an interface where the gateway's
// network tells. The error is EEXIST where there is such a route, ENETUNREACH or
// EHOSTUNREACH where a gateway lies in no network that the namespace is connected to,
// ENETDOWN where the interface is down, ENODEV where it leads nowhere.
func (n *Namespace) AddRoute(r kernel.Route) error {
	if r.Metric == 0 && r.Family == unix.AF_INET6 {
		r.Metric = metricUser
	}
	if len(r.Hops) == 0 && r.Type == "unicast" {
		return unix.ENODEV
	}
	for i := range r.Hops {
		if err := n.checkHop(&r, &r.Hops[i]); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(n.Routes, func(o kernel.Route) bool { return sameRoute(&o, &r) }) {
		return unix.EEXIST
	}
	if r.Src.IsValid() && !n.has(r.Src) {
		return errSource
	}
	n.insert(r)
	return nil
}

// The kernel's own words for some of these errors, which it gives with an extended
// acknowledgement (net/ipv4/fib_semantics.c).
var (
	errGateway = fmt.Errorf("%w: Nexthop has invalid gateway", unix.ENETUNREACH)
	errSource  = fmt.Errorf("%w: Invalid prefsrc address", unix.EINVAL)
)

// checkHop finds the interface of a next hop.
func (n *Namespace) checkHop(r *kernel.Route, h *kernel.NextHop) error {
	unreachable := errGateway
	if r.Family == unix.AF_INET6 || h.Via.Is6() {
		unreachable = unix.EHOSTUNREACH
	}
	if h.Dev == "" {
		if !h.Via.IsValid() {
			return unix.ENODEV
		}
		l := n.towards(h.Via, "")
		if l == nil {
			return unreachable
		}
		h.Dev = l.Name
	}
	l := n.Link(h.Dev)
	switch {
	case l == nil:
		return unix.ENODEV
	case !l.Up:
		return unix.ENETDOWN
	case h.Via.IsValid() && n.has(h.Via):
		return unix.EINVAL
	case h.Via.IsValid() && h.Flags&abi.HopOnLink == 0 && !h.Via.IsLinkLocalUnicast() && n.towards(h.Via, h.Dev) == nil:
		return unreachable
	}
	h.Index = l.Index
	return nil
}

// towards finds the interface through whose network a gateway is reached, of dev's
// where that is given: the most specific connected one.
func (n *Namespace) towards(via netip.Addr, dev string) *Link {
	var best *kernel.Route
	for i := range n.Routes {
		r := &n.Routes[i]
		if len(r.Hops) != 1 || r.Hops[0].Via.IsValid() || !r.Dst.Contains(via) || dev != "" && r.Hops[0].Dev != dev {
			continue
		}
		if best == nil || r.Dst.Bits() > best.Dst.Bits() || r.Dst.Bits() == best.Dst.Bits() && r.Metric < best.Metric {
			best = r
		}
	}
	if best == nil {
		return nil
	}
	return n.Link(best.Hops[0].Dev)
}

// has reports whether an address is the namespace's own.
func (n *Namespace) has(ip netip.Addr) bool {
	return slices.ContainsFunc(n.Links, func(l *Link) bool {
		return slices.ContainsFunc(l.Addrs, func(a kernel.Addr) bool { return a.Prefix.Addr() == ip })
	})
}

func sameRoute(a, b *kernel.Route) bool {
	return a.Family == b.Family && a.Table == b.Table && a.Dst == b.Dst && a.Metric == b.Metric &&
		// The kernel's own routes of two interfaces may be alike.
		(a.Protocol != "kernel" || b.Protocol != "kernel")
}

// DelRoute takes a route away. The error is ESRCH where there is none like it.
func (n *Namespace) DelRoute(r kernel.Route) error {
	if r.Metric == 0 && r.Family == unix.AF_INET6 {
		r.Metric = metricUser
	}
	i := slices.IndexFunc(n.Routes, func(o kernel.Route) bool {
		return o.Family == r.Family && o.Table == r.Table && o.Dst == r.Dst && o.Metric == r.Metric && o.Type == r.Type
	})
	if i < 0 {
		return unix.ESRCH
	}
	n.Routes = slices.Delete(n.Routes, i, i+1)
	return nil
}

// insert puts a route where `ip route` would show it: IPv4 before IPv6, then by table
// and destination, the default route first.
func (n *Namespace) insert(r kernel.Route) {
	before := func(a, b kernel.Route) int {
		return cmp.Or(
			cmp.Compare(familyRank(a.Family), familyRank(b.Family)), cmp.Compare(tableRank(a.Table), tableRank(b.Table)),
			a.Dst.Addr().Compare(b.Dst.Addr()), cmp.Compare(b.Dst.Bits(), a.Dst.Bits()), cmp.Compare(a.Metric, b.Metric))
	}
	at, _ := slices.BinarySearchFunc(n.Routes, r, func(a, b kernel.Route) int {
		if c := before(a, b); c != 0 {
			return c
		}
		return -1 // after those that are alike
	})
	n.Routes = slices.Insert(n.Routes, at, r)
}

func familyRank(family int) int {
	if family == unix.AF_INET6 {
		return 1
	}
	return 0
}

// tableRank is the place of a routing table in the kernel's list: by its number's last
// byte (net/ip_fib.h, fib_get_table).
func tableRank(table int) int { return table%256<<24 | table>>8 }

// killWays is what becomes of the routes of a family over an interface that is down, or
// on which the family is not spoken any more: its ways are dead until it is up again,
// and a route that has no other goes (fib_sync_down_dev, fib6_ifdown). IPv6 routes that
// lead nowhere are lo's.
func (n *Namespace) killWays(l *Link, family int) {
	n.Routes = slices.DeleteFunc(n.Routes, func(r kernel.Route) bool {
		switch {
		case r.Family != family:
			return false
		case len(r.Hops) == 0:
			return family == unix.AF_INET6 && l.Kind == "loopback"
		case !slices.ContainsFunc(r.Hops, l.carries):
			return false
		}
		dead := 0
		for i := range r.Hops {
			if h := &r.Hops[i]; l.carries(*h) {
				h.Flags |= abi.HopDead
			}
			if r.Hops[i].Flags&abi.HopDead != 0 {
				dead++
			}
		}
		return dead == len(r.Hops)
	})
}

// reviveWays undoes killWays for what is left.
func (n *Namespace) reviveWays(l *Link) {
	for _, r := range n.Routes {
		for i := range r.Hops {
			if l.carries(r.Hops[i]) {
				r.Hops[i].Flags &^= abi.HopDead
			}
		}
	}
}

// endWays is what becomes of the routes of a family over an interface that leaves: an
// IPv4 route goes with any of its ways, an IPv6 one loses that way.
func (n *Namespace) endWays(l *Link, family int) {
	n.Routes = slices.DeleteFunc(n.Routes, func(r kernel.Route) bool {
		return r.Family == family && slices.ContainsFunc(r.Hops, l.carries) &&
			(family == unix.AF_INET || !slices.ContainsFunc(r.Hops, func(h kernel.NextHop) bool { return !l.carries(h) }))
	})
	for i := range n.Routes {
		if r := &n.Routes[i]; r.Family == family {
			r.Hops = slices.DeleteFunc(r.Hops, l.carries)
		}
	}
}

// carries reports whether a next hop is reached by the interface.
func (l *Link) carries(h kernel.NextHop) bool { return h.Index == l.Index }

// Towards returns where a packet to an address goes next by the namespace's routes: a
// gateway, or the address itself where it is on a connected network or the namespace's
// own; the invalid address where there is no way.
func (n *Namespace) Towards(to netip.Addr) netip.Addr {
	if n.has(to) {
		return to
	}
	for _, rule := range n.Rules {
		if (rule.Family == unix.AF_INET6) != to.Is6() || rule.Src.IsValid() || rule.Mark != 0 || rule.IIF != "" || rule.Dst.IsValid() && !rule.Dst.Contains(to) {
			continue // a packet of its own, without a mark
		}
		switch rule.Type {
		case "blackhole", "unreachable", "prohibit":
			return netip.Addr{}
		}
		if best := n.lookup(rule.Table, to); best != nil {
			switch {
			case len(best.Hops) == 0:
				return netip.Addr{}
			case best.Hops[0].Via.IsValid():
				return best.Hops[0].Via
			}
			return to
		}
	}
	return netip.Addr{}
}

// lookup finds the most specific route of a table.
func (n *Namespace) lookup(table int, to netip.Addr) *kernel.Route {
	var best *kernel.Route
	for i := range n.Routes {
		r := &n.Routes[i]
		if r.Table != table || (r.Family == unix.AF_INET6) != to.Is6() || r.Dst.IsValid() && !r.Dst.Contains(to) {
			continue
		}
		if best == nil || bits(r) > bits(best) || bits(r) == bits(best) && r.Metric < best.Metric {
			best = r
		}
	}
	return best
}

// bits is the length of a route's prefix, 0 of the default route.
func bits(r *kernel.Route) int { return max(r.Dst.Bits(), 0) }
