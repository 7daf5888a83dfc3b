package kernel

import "slices"

// Addrs lists the addresses of the interface with that index, or of all when it
// is 0: global ones first, then those of link scope, then those of the host
// itself, each in the kernel's order, IPv4 before IPv6.
func (n *NetNS) Addrs(index int) ([]Addr, error) {
	c, err := n.route()
	if err != nil {
		return nil, err
	}
	list, err := dump(c.addrs)
	if err != nil {
		return nil, err
	}
	if index != 0 {
		list = slices.DeleteFunc(list, func(a Addr) bool { return a.Link != index })
	}
	SortAddrs(list)
	return list, nil
}
