package kernel

import (
	"errors"
	"fmt"
	"slices"

	rtnl "github.com/mdlayher/netlink"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// ForgetNeighbors deletes the neighbours that the namespace has met since. The table
// is one for all namespaces, and holds net.ipv4.neigh.default.gc_thresh3 entries: who
// has many namespaces meet has to make room.
func (n *NetNS) ForgetNeighbors(but map[NeighborKey]bool) error {
	c, err := n.route()
	if err != nil {
		return err
	}
	met, err := c.neighbors()
	if err != nil {
		return err
	}
	met = slices.DeleteFunc(met, func(key NeighborKey) bool { return but[key] })
	for chunk := range slices.Chunk(met, mostAtOnce) {
		if err := c.forget(chunk); err != nil {
			return err
		}
	}
	return nil
}

// mostAtOnce is how many requests go in one datagram.
const mostAtOnce = 256

// forget deletes neighbours. Some may have gone by themselves: as the first error alone
// is told, those after one of them are tried again.
func (c *routeConn) forget(keys []NeighborKey) error {
	for len(keys) > 0 {
		requests := make([]*nl.NetlinkRequest, len(keys))
		for i, key := range keys {
			requests[i] = delNeighbor(key)
		}
		failed, err := c.exchange(requests, nil)
		if err == nil || !errors.Is(err, unix.ENOENT) && !IsGone(err) {
			return err
		}
		keys = keys[failed+1:]
	}
	return nil
}

// delNeighbor is a request to delete one.
func delNeighbor(key NeighborKey) *nl.NetlinkRequest {
	family := unix.AF_INET6
	if key.IP.Is4() {
		family = unix.AF_INET
	}
	r := nl.NewNetlinkRequest(unix.RTM_DELNEIGH, unix.NLM_F_ACK)
	r.AddData(&netlink.Ndmsg{Family: uint8(family), Index: uint32(key.Link)})
	r.AddData(nl.NewRtAttr(netlink.NDA_DST, key.IP.AsSlice()))
	return r
}

// neighbors lists the neighbours of both families, but those that are set for good.
func (c *routeConn) neighbors() ([]NeighborKey, error) {
	return dump(func() ([]NeighborKey, error) {
		r := nl.NewNetlinkRequest(unix.RTM_GETNEIGH, unix.NLM_F_DUMP)
		r.AddData(&netlink.Ndmsg{Family: unix.AF_UNSPEC})
		var list []NeighborKey
		var spoiled error
		_, err := c.exchange([]*nl.NetlinkRequest{r}, func(data []byte) {
			e, err := netlink.NeighDeserialize(data)
			if err != nil {
				spoiled = err
			} else if e.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) == 0 {
				list = append(list, NeighborKey{e.LinkIndex, addrOf(e.IP)})
			}
		})
		return list, errors.Join(err, spoiled)
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
	c, err := n.route()
	if err != nil {
		return nil, err
	}
	list, err := c.neighbors()
	known := make(map[NeighborKey]bool, len(list))
	for _, key := range list {
		known[key] = true
	}
	return known, err
}
