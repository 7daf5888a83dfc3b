package kernel

import (
	"errors"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// NeighborKey tells the neighbours of a namespace from one another.
type NeighborKey struct {
	Link int
	IP   netip.Addr
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
