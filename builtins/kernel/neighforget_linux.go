package kernel

import (
	"errors"
	"fmt"

	rtnl "github.com/mdlayher/netlink"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ForgetNeighbors deletes the neighbours that the namespace has met since. The table
// is one for all namespaces, and holds net.ipv4.neigh.default.gc_thresh3 entries: who
// has many namespaces meet has to make room.
func (n *NetNS) ForgetNeighbors(but map[NeighborKey]bool) error {
	return n.eachNeighbor(func(h *netlink.Handle, e *netlink.Neigh) error {
		if e.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) != 0 || but[NeighborKey{e.LinkIndex, addrOf(e.IP)}] {
			return nil
		}
		err := h.NeighDel(&netlink.Neigh{LinkIndex: e.LinkIndex, Family: e.Family, IP: e.IP})
		if errors.Is(err, unix.ENOENT) || IsGone(err) {
			return nil
		}
		return err
	})
}

// NeighborTableFulls returns how often there was no room in the table of neighbours
// of a family: since the machine began, as all its namespaces share the tables.
func (n *NetNS) NeighborTableFulls(v6 bool) (fulls uint64, err error) {
	c, err := rtnl.Dial(unix.NETLINK_ROUTE, &rtnl.Config{NetNS: n.Fd()})
	if err != nil {
		return 0, fmt.Errorf("netlink socket: %w", err)
	}
	defer func() { _ = c.Close() }()
	head := []byte{unix.AF_INET, 0, 0, 0}
	want := "arp_cache"
	if v6 {
		head[0], want = unix.AF_INET6, "ndisc_cache"
	}
	msgs, err := dumpMessages(c, rtnl.Message{Header: rtnl.Header{Type: unix.RTM_GETNEIGHTBL}, Data: head})
	if err != nil {
		return 0, fmt.Errorf("the tables of neighbours: %w", err)
	}
	for _, m := range msgs {
		if len(m.Data) < len(head) {
			continue
		}
		d, err := rtnl.NewAttributeDecoder(m.Data[len(head):])
		if err != nil {
			return 0, err
		}
		name := ""
		for d.Next() {
			switch d.Type() {
			case ndtaName:
				name = d.String()
			case ndtaStats:
				if b := d.Bytes(); name == want && len(b) >= 8*(ndtsTableFulls+1) {
					fulls = d.ByteOrder.Uint64(b[8*ndtsTableFulls:])
				}
			}
		}
	}
	return fulls, nil
}

// KnownNeighbors returns which neighbours the namespace knows, for
// [NetNS.ForgetNeighbors].
func (n *NetNS) KnownNeighbors() (map[NeighborKey]bool, error) {
	known := map[NeighborKey]bool{}
	err := n.eachNeighbor(func(_ *netlink.Handle, e *netlink.Neigh) error {
		known[NeighborKey{e.LinkIndex, addrOf(e.IP)}] = true
		return nil
	})
	return known, err
}
