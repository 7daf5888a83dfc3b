package kernel

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Route is an entry of a routing table.
type Route struct {
	Dst      netip.Prefix // the invalid prefix stands for the default route
	Family   int          // unix.AF_INET or AF_INET6
	Type     string       // unicast, local, broadcast, blackhole, unreachable, prohibit, throw, …
	Hops     []NextHop    // none for blackhole and the like; several for ECMP
	Src      netip.Addr   // preferred source, or invalid
	Metric   int
	Table    int
	MTU      int // bytes; 0 for none
	Scope    string
	Protocol string
	Flags    int
}

// NextHop is one way on.
type NextHop struct {
	Via    netip.Addr // the gateway; invalid for a directly connected network
	Dev    string
	Index  int
	Weight int // ≥ 1
	Flags  int
}

// Routes lists the routes of both families, IPv4 first, in all tables but
// "local", which the kernel keeps for itself.
func (n *NetNS) Routes() ([]Route, error) {
	all, err := n.AllRoutes()
	return slices.DeleteFunc(all, func(r Route) bool { return r.Table == unix.RT_TABLE_LOCAL }), err
}

// AllRoutes lists the routes of both families, IPv4 first, in all tables.
func (n *NetNS) AllRoutes() ([]Route, error) {
	h, err := n.Netlink()
	if err != nil {
		return nil, err
	}
	links, err := n.Links()
	if err != nil {
		return nil, err
	}
	names := map[int]string{}
	for _, l := range links {
		names[l.Index] = l.Name
	}
	var routes []Route
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		list, err := dump(func() ([]netlink.Route, error) {
			return h.RouteListFiltered(family, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
		})
		if err != nil {
			return nil, err
		}
		for i := range list {
			routes = append(routes, newRoute(&list[i], family, names))
		}
	}
	return routes, nil
}

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

// rejects reports whether the route has no way on. The kernel says lo for such
// IPv6 routes.
func (r *Route) rejects() bool {
	switch r.Type {
	case "blackhole", "unreachable", "prohibit", "throw":
		return true
	}
	return false
}

func addrOf(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// routeTypes are the names of rtnetlink(7)'s route types.
var routeTypes = map[int]string{
	unix.RTN_UNICAST: "unicast", unix.RTN_LOCAL: "local", unix.RTN_BROADCAST: "broadcast",
	unix.RTN_ANYCAST: "anycast", unix.RTN_MULTICAST: "multicast", unix.RTN_BLACKHOLE: "blackhole",
	unix.RTN_UNREACHABLE: "unreachable", unix.RTN_PROHIBIT: "prohibit", unix.RTN_THROW: "throw",
	unix.RTN_NAT: "nat",
}

// RouteType returns the kernel's number for the name of a type of route.
func RouteType(name string) (int, bool) {
	for n, s := range routeTypes {
		if s == name {
			return n, true
		}
	}
	return 0, false
}

// tableNames are the tables that every machine calls by name
// (/etc/iproute2/rt_tables).
var tableNames = map[int]string{
	unix.RT_TABLE_LOCAL: "local", unix.RT_TABLE_MAIN: "main", unix.RT_TABLE_DEFAULT: "default",
}

// TableName returns the name of a routing table, or its number where it has
// none.
func TableName(table int) string {
	if s, ok := tableNames[table]; ok {
		return s
	}
	return strconv.Itoa(table)
}

// TableNumber returns the number of a routing table given by name or number.
func TableNumber(s string) (int, bool) {
	for n, name := range tableNames {
		if name == s {
			return n, true
		}
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return int(n), err == nil && n > 0
}

// DstString returns the destination as `ip route` prints it.
func (r *Route) DstString() string {
	if !r.Dst.IsValid() {
		return "default"
	}
	if r.Dst.IsSingleIP() {
		return r.Dst.Addr().String()
	}
	return r.Dst.String()
}

// String prints the route on one line as `ip route` does.
func (r *Route) String() string {
	var b strings.Builder
	if r.Type != "unicast" {
		b.WriteString(r.Type + " ")
	}
	b.WriteString(r.DstString())
	if len(r.Hops) == 1 {
		b.WriteString(r.Hops[0].where(r.Family))
	} else if r.rejects() && r.Family == unix.AF_INET6 {
		b.WriteString(" dev lo")
	}
	if r.Table != unix.RT_TABLE_MAIN {
		b.WriteString(" table " + TableName(r.Table))
	}
	if r.Protocol != "boot" {
		b.WriteString(" proto " + r.Protocol)
	}
	if r.Scope != "global" && r.Family == unix.AF_INET {
		b.WriteString(" scope " + r.Scope)
	}
	if r.Src.IsValid() {
		fmt.Fprintf(&b, " src %s", r.Src)
	}
	if r.Metric != 0 {
		fmt.Fprintf(&b, " metric %d", r.Metric)
	}
	b.WriteString(hopFlags(r.Flags))
	if r.MTU != 0 {
		fmt.Fprintf(&b, " mtu %d", r.MTU)
	}
	if r.Family == unix.AF_INET6 {
		b.WriteString(" pref medium")
	}
	if len(r.Hops) > 1 {
		for _, h := range r.Hops {
			fmt.Fprintf(&b, " nexthop%s weight %d%s", h.where(r.Family), h.Weight, hopFlags(h.Flags))
		}
	}
	return b.String()
}

func (h NextHop) where(family int) string {
	s := ""
	if h.Via.IsValid() {
		s = " via "
		if family == unix.AF_INET && h.Via.Is6() {
			s += "inet6 "
		}
		s += h.Via.String()
	}
	if h.Dev != "" {
		s += " dev " + h.Dev
	}
	return s
}

func hopFlags(flags int) string {
	s := ""
	if flags&unix.RTNH_F_DEAD != 0 {
		s += " dead"
	}
	if flags&unix.RTNH_F_ONLINK != 0 {
		s += " onlink"
	}
	if flags&unix.RTNH_F_LINKDOWN != 0 {
		s += " linkdown"
	}
	return s
}
