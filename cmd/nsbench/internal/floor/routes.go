//go:build linux

package floor

import (
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

var (
	everything = netip.MustParsePrefix("0.0.0.0/0")
	allOfIt    = netip.MustParsePrefix("10.0.0.0/8") // the fat tree
)

// via adds a route by one next hop, or by several that are equal.
func (s *space) via(to netip.Prefix, hops ...netip.Addr) error {
	r := &netlink.Route{Dst: ipNet(to)}
	if len(hops) == 1 {
		r.Gw = hops[0].AsSlice()
		return s.nl.RouteAdd(r)
	}
	for _, h := range hops {
		r.MultiPath = append(r.MultiPath, &netlink.NexthopInfo{Gw: h.AsSlice()})
	}
	return s.nl.RouteAdd(r)
}

// own adds the route that says of what nobody has that it is unreachable.
func (s *space) own(block netip.Prefix) error {
	return s.nl.RouteAdd(&netlink.Route{Dst: ipNet(block), Type: unix.RTN_UNREACHABLE})
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// hops are the addresses of an end of cables of a network.
func (t *fatTree) hops(network netip.Prefix, from, end int) []netip.Addr {
	var list []netip.Addr
	for i := range t.half {
		list = append(list, cable(network, from+i, end).Addr())
	}
	return list
}

// podRoutes adds the routes within a pod and from the cores to it.
func (t *fatTree) podRoutes(p int, aggs, edges []*node) error {
	for e, edge := range edges {
		if err := t.edgeRoutes(p, e, edge); err != nil {
			return err
		}
	}
	for a, agg := range aggs {
		if err := t.aggRoutes(p, a, agg); err != nil {
			return err
		}
	}
	return nil
}

// edgeRoutes are up by any aggregation, and to the cables of each by itself.
func (t *fatTree) edgeRoutes(p, e int, edge *node) error {
	var ups []netip.Addr
	for a := range t.half {
		ups = append(ups, cable(part(p, t.half+a), e, 1).Addr())
	}
	if err := edge.via(allOfIt, ups...); err != nil {
		return err
	}
	for a, hop := range ups {
		if err := edge.via(part(p, t.half+a), hop); err != nil {
			return err
		}
	}
	return nil
}

// aggRoutes are up by any core, down to each edge, and to the other aggregations by any
// edge; the cores have one to the pod.
func (t *fatTree) aggRoutes(p, a int, agg *node) error {
	mine := part(p, t.half+a)
	block := netip.PrefixFrom(part(p, 0).Addr(), 16)
	down := t.hops(mine, 0, 2)
	if err := agg.via(allOfIt, t.hops(mine, t.half, 2)...); err != nil {
		return err
	}
	for e, hop := range down {
		if err := agg.via(part(p, e), hop); err != nil {
			return err
		}
	}
	for other := range t.half {
		if other == a {
			continue
		}
		if err := agg.via(part(p, t.half+other), down...); err != nil {
			return err
		}
	}
	for c, hop := range t.hops(mine, t.half, 1) {
		if err := t.cores[a*t.half+c].via(block, hop); err != nil {
			return err
		}
	}
	return first(
		func() error { return agg.own(mine) },
		func() error { return agg.own(block) },
	)
}
