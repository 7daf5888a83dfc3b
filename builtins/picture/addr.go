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
	case v6 && p.Addr().IsLoopback(), p.Addr().Is4() && p.Addr().IsLoopback() && l.Kind == "loopback" && p.Bits() == 8:
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
	gone := []kernel.Addr{l.Addrs[i]}
	if p.Addr().Is4() && gone[0].Flags&abi.AddrSecondary == 0 {
		for _, a := range l.Addrs {
			if a.Flags&abi.AddrSecondary != 0 && sameSubnet(a.Prefix, p) {
				gone = append(gone, a)
			}
		}
	}
	for _, a := range gone {
		l.Addrs = slices.DeleteFunc(l.Addrs, func(o kernel.Addr) bool { return o.Prefix == a.Prefix })
		l.disconnect(a)
	}
	return nil
}

func sameSubnet(a, b netip.Prefix) bool {
	return a.Addr().Is4() == b.Addr().Is4() && a.Masked() == b.Masked()
}

// dropIPv6 takes the IPv6 addresses and routes of an interface away.
func (l *Link) dropIPv6() {
	l.Addrs = slices.DeleteFunc(l.Addrs, func(a kernel.Addr) bool { return a.Prefix.Addr().Is6() })
	for i := 0; i < len(l.NS.Routes); {
		r := &l.NS.Routes[i]
		if r.Family == unix.AF_INET6 && len(r.Hops) > 0 && r.Hops[0].Index == l.Index {
			l.NS.Routes = slices.Delete(l.NS.Routes, i, i+1)
			continue
		}
		i++
	}
}

// noIPv6 reports whether IPv6 is not spoken on the interface.
func (l *Link) noIPv6() bool {
	for _, conf := range []string{l.Name, "all"} {
		if l.NS.Sysctls["net.ipv6.conf."+conf+".disable_ipv6"] == "1" {
			return true
		}
	}
	return l.MTU < minIPv6MTU
}
