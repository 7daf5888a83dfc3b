package kernel

import (
	"net"
	"net/netip"
	"nsscript/builtins/kernel/abi"
	"slices"
)

// Addr is an address of an interface.
type Addr struct {
	Prefix netip.Prefix // the address with the length of its subnet's prefix
	Peer   netip.Addr   // the other end of a point-to-point address, else invalid
	Link   int          // index of the interface
	Scope  string       // global, site, link, host
	Flags  uint32       // IFA_F_* of linux/if_addr.h
}

// SortAddrs puts addresses in the order in which Addrs lists them; those of one scope
// and IP version stay as they are.
func SortAddrs(addrs []Addr) {
	slices.SortStableFunc(addrs, func(a, b Addr) int { return a.rank() - b.rank() })
}

func (a Addr) rank() int {
	r := 0
	switch a.Scope {
	case "link":
		r = 2
	case "host":
		r = 4
	}
	if a.Prefix.Addr().Is6() {
		r++
	}
	return r
}

// Global reports whether the address is of global scope and no loopback one.
func (a Addr) Global() bool { return a.Scope == "global" && !a.Prefix.Addr().IsLoopback() }

// Tentative reports whether duplicate-address detection keeps the address from
// being used yet.
func (a Addr) Tentative() bool { return a.Flags&abi.AddrTentative != 0 }

// prefixOf turns the net package's form of an address and mask into netip's.
func prefixOf(n *net.IPNet) (netip.Prefix, bool) {
	if n == nil {
		return netip.Prefix{}, false
	}
	ip, ok := netip.AddrFromSlice(n.IP)
	if !ok {
		return netip.Prefix{}, false
	}
	ip = ip.Unmap()
	ones, bits := n.Mask.Size()
	if ip.Is4() && bits == 128 {
		ones -= 96
	}
	return netip.PrefixFrom(ip, ones), true
}
