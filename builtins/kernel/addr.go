package kernel

import (
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Addr is an address of an interface.
type Addr struct {
	Prefix netip.Prefix // the address with the length of its subnet's prefix
	Peer   netip.Addr   // the other end of a point-to-point address, else invalid
	Link   int          // index of the interface
	Scope  string       // global, site, link, host
	Flags  uint32       // IFA_F_* of linux/if_addr.h
}

// Addrs lists the addresses of the interface with that index, or of all when it
// is 0: global ones first, then those of link scope, then those of the host
// itself, each in the kernel's order, IPv4 before IPv6.
func (n *NetNS) Addrs(index int) ([]Addr, error) {
	h, err := n.Netlink()
	if err != nil {
		return nil, err
	}
	var link netlink.Link
	if index != 0 {
		link = &netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Index: index}}
	}
	list, err := dump(func() ([]netlink.Addr, error) { return h.AddrList(link, netlink.FAMILY_ALL) })
	if err != nil {
		return nil, err
	}
	addrs := make([]Addr, 0, len(list))
	for _, a := range list {
		p, ok := prefixOf(a.IPNet)
		if !ok {
			continue
		}
		addr := Addr{Prefix: p, Link: a.LinkIndex, Scope: netlink.Scope(a.Scope).String(), Flags: uint32(a.Flags)}
		if a.Scope == int(netlink.SCOPE_UNIVERSE) {
			addr.Scope = "global"
		}
		if a.Peer != nil {
			if peer, ok := netip.AddrFromSlice(a.Peer.IP); ok && peer.Unmap() != p.Addr() {
				addr.Peer = peer.Unmap()
			}
		}
		addrs = append(addrs, addr)
	}
	SortAddrs(addrs)
	return addrs, nil
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
func (a Addr) Tentative() bool { return a.Flags&unix.IFA_F_TENTATIVE != 0 }

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
