package kernel

import (
	"fmt"
	"net"
	"net/netip"
	"nsscript/builtins/kernel/abi"
	"strconv"
	"strings"

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
	abi.RouteUnicast: "unicast", abi.RouteLocal: "local", abi.RouteBroadcast: "broadcast",
	abi.RouteAnycast: "anycast", abi.RouteMulticast: "multicast", abi.RouteBlackhole: "blackhole",
	abi.RouteUnreachable: "unreachable", abi.RouteProhibit: "prohibit", abi.RouteThrow: "throw",
	abi.RouteNAT: "nat",
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
	abi.TableLocal: "local", abi.TableMain: "main", abi.TableDefault: "default",
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
	if r.Table != abi.TableMain {
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
	if flags&abi.HopDead != 0 {
		s += " dead"
	}
	if flags&abi.HopOnLink != 0 {
		s += " onlink"
	}
	if flags&abi.HopLinkDown != 0 {
		s += " linkdown"
	}
	return s
}
