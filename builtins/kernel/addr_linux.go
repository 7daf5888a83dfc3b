package kernel

import (
	"net/netip"

	"github.com/vishvananda/netlink"
)

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
