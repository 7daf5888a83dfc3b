package picture

import (
	"net/netip"
	"nsscript/builtins/kernel/abi"
	"slices"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// AddAddr gives an interface an address. The error is EEXIST where it has it, EACCES
// where IPv6 is switched off or there is none.
func (l *Link) AddAddr(p netip.Prefix) error {
	v6 := p.Addr().Is6()
	if v6 && (!l.NS.v6 || l.noIPv6()) {
		return unix.EACCES
	}
	a := kernel.Addr{Prefix: p, Link: l.Index, Scope: "global", Flags: abi.AddrPermanent}
	switch {
	case v6 && p.Addr().IsLinkLocalUnicast():
		a.Scope = "link"
	case p.Addr().IsLoopback():
		a.Scope = "host"
	}
	if v6 {
		a.Flags |= abi.AddrNoDAD
	}
	for _, old := range l.Addrs {
		if old.Prefix == p || v6 && old.Prefix.Addr() == p.Addr() {
			return unix.EEXIST
		}
		// Further addresses of one subnet are secondary ones (devinet.c).
		if !v6 && sameSubnet(old.Prefix, p) && old.Flags&abi.AddrSecondary == 0 {
			a.Flags |= abi.AddrSecondary
		}
	}
	// New IPv6 addresses stand first of their scope (ipv6_link_dev_addr).
	at := len(l.Addrs)
	if v6 {
		if i := slices.IndexFunc(l.Addrs, func(o kernel.Addr) bool { return o.Prefix.Addr().Is6() && o.Scope == a.Scope }); i >= 0 {
			at = i
		}
	}
	l.Addrs = slices.Insert(l.Addrs, at, a)
	if l.Up {
		l.connect(a)
	}
	return nil
}

// DelAddr takes an address from an interface, and with the first of a subnet all its
// secondary ones (ip-sysctl.rst, promote_secondaries). The error is EADDRNOTAVAIL
// where it does not have it.
func (l *Link) DelAddr(p netip.Prefix) error {
	i := slices.IndexFunc(l.Addrs, func(a kernel.Addr) bool { return a.Prefix == p })
	if i < 0 {
		return unix.EADDRNOTAVAIL
	}
	gone := l.Addrs[i]
	l.Addrs = slices.Delete(l.Addrs, i, i+1)
	if p.Addr().Is6() {
		l.disconnect(gone)
		l.unprefer(p.Addr())
		return nil
	}
	if gone.Flags&abi.AddrSecondary == 0 {
		l.succeed(gone)
	}
	l.disconnect(gone)
	if !slices.ContainsFunc(l.Addrs, func(a kernel.Addr) bool { return a.Prefix.Addr().Is4() }) {
		l.NS.killWays(l, unix.AF_INET) // without an address there is no IPv4 (fib_inetaddr_event)
	}
	return nil
}

// succeed sees to the secondary addresses of a subnet whose first is gone: the next one
// is the first where they are promoted (ip-sysctl.rst, promote_secondaries), otherwise
// they go too.
func (l *Link) succeed(first kernel.Addr) {
	follows := func(a kernel.Addr) bool {
		return a.Flags&abi.AddrSecondary != 0 && sameSubnet(a.Prefix, first.Prefix)
	}
	if next := slices.IndexFunc(l.Addrs, follows); next >= 0 && l.set("net.ipv4.conf.", "promote_secondaries") {
		l.Addrs[next].Flags &^= abi.AddrSecondary
		if l.Up {
			l.connect(l.Addrs[next])
		}
		return
	}
	for {
		i := slices.IndexFunc(l.Addrs, follows)
		if i < 0 {
			return
		}
		a := l.Addrs[i]
		l.Addrs = slices.Delete(l.Addrs, i, i+1)
		l.disconnect(a)
	}
}

// set reports whether a parameter is on for all interfaces or for this one.
func (l *Link) set(family, setting string) bool {
	for _, conf := range []string{"all", inKey(l.Name)} {
		if value, ok := l.NS.Sysctl(family + conf + "." + setting); ok && value != "0" {
			return true
		}
	}
	return false
}

// unprefer takes an IPv6 address that is gone from the routes which prefer it as their
// source (rt6_remove_prefsrc).
func (l *Link) unprefer(ip netip.Addr) {
	for i := range l.NS.Routes {
		if r := &l.NS.Routes[i]; r.Src == ip && len(r.Hops) > 0 && r.Hops[0].Index == l.Index {
			r.Src = netip.Addr{}
		}
	}
}

func sameSubnet(a, b netip.Prefix) bool {
	return a.Addr().Is4() == b.Addr().Is4() && a.Masked() == b.Masked()
}

// dropIPv6 takes the IPv6 addresses of an interface away, but those that keep says are
// kept.
func (l *Link) dropIPv6(keep func(kernel.Addr) bool) {
	l.Addrs = slices.DeleteFunc(l.Addrs, func(a kernel.Addr) bool {
		return a.Prefix.Addr().Is6() && (keep == nil || !keep(a))
	})
}

// switchIPv6 switches IPv6 off or on (addrconf_disable_ipv6).
func (l *Link) switchIPv6(off bool) {
	key := "net.ipv6.conf." + inKey(l.Name) + ".disable_ipv6"
	if _, own := l.NS.Sysctls[key]; own || l.NS.Sysctls["net.ipv6.conf.default.disable_ipv6"] != "" {
		l.NS.Sysctls[key] = map[bool]string{true: "1", false: "0"}[off]
	}
	switch {
	case off:
		l.NS.killWays(l, unix.AF_INET6)
		l.dropIPv6(nil)
	case l.Up && l.Kind == "loopback":
		l.loopbackAddrs(false)
	}
}

// noIPv6 reports whether IPv6 is not spoken on the interface.
func (l *Link) noIPv6() bool {
	off := l.NS.Sysctls["net.ipv6.conf."+inKey(l.Name)+".disable_ipv6"]
	return off != "" && off != "0" || l.MTU < MinIPv6MTU
}
