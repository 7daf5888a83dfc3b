package kernel

import (
	"net"
	"nsscript/builtins/kernel/abi"
	"slices"
	"strconv"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func newRoute(nr *netlink.Route, family int, names map[int]string) Route {
	r := Route{
		Family: family, Type: routeTypes[nr.Type], Metric: nr.Priority, Table: nr.Table, MTU: nr.MTU,
		Scope: nr.Scope.String(), Protocol: nr.Protocol.String(), Flags: nr.Flags,
	}
	if nr.Scope == netlink.SCOPE_UNIVERSE {
		r.Scope = "global"
	}
	if p, ok := prefixOf(nr.Dst); ok && !(p.Bits() == 0 && p.Addr().IsUnspecified()) {
		r.Dst = p
	}
	r.Src = addrOf(nr.Src)
	hop := func(index int, gw net.IP, via netlink.Destination, weight, flags int) NextHop {
		h := NextHop{Via: addrOf(gw), Index: index, Dev: names[index], Weight: weight, Flags: flags}
		if v, ok := via.(*netlink.Via); ok && v != nil {
			h.Via = addrOf(v.Addr)
		}
		if h.Dev == "" && index != 0 {
			h.Dev = "if" + strconv.Itoa(index)
		}
		return h
	}
	for _, m := range nr.MultiPath {
		r.Hops = append(r.Hops, hop(m.LinkIndex, m.Gw, m.Via, m.Hops+1, m.Flags))
	}
	if len(nr.MultiPath) == 0 && (nr.LinkIndex != 0 || len(nr.Gw) > 0) && !r.rejects() {
		r.Hops = []NextHop{hop(nr.LinkIndex, nr.Gw, nr.Via, 1, 0)}
	}
	return r
}

// AllRoutes lists the routes of both families, IPv4 first, in all tables.
func (n *NetNS) AllRoutes() ([]Route, error) {
	names, err := n.linkNames()
	if err != nil {
		return nil, err
	}
	return n.routesVia(names)
}

// routesVia lists the routes of both families over interfaces of those names.
func (n *NetNS) routesVia(names map[int]string) ([]Route, error) {
	c, err := n.route()
	if err != nil {
		return nil, err
	}
	var routes []Route
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		list, err := dump(func() ([]*netlink.Route, error) { return c.routes(family) })
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			routes = append(routes, newRoute(r, family, names))
		}
	}
	return routes, nil
}

// Routes lists the routes of both families, IPv4 first, in all tables but
// "local", which the kernel keeps for itself.
func (n *NetNS) Routes() ([]Route, error) {
	all, err := n.AllRoutes()
	return withoutLocal(all), err
}

// RoutesOver is Routes, where the interfaces were listed already.
func (n *NetNS) RoutesOver(links []Link) ([]Route, error) {
	all, err := n.routesVia(namesOf(links))
	return withoutLocal(all), err
}

func withoutLocal(all []Route) []Route {
	return slices.DeleteFunc(all, func(r Route) bool { return r.Table == abi.TableLocal })
}
