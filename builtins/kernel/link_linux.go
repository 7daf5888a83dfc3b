package kernel

import (
	"slices"
	"time"

	"github.com/vishvananda/netlink"

	"nsscript/builtins/kernel/abi"
)

// PeerIn reports whether other is the namespace in which l's peer lives.
func (n *NetNS) PeerIn(l *Link, other Space) bool {
	o, ok := other.(*NetNS)
	if l.Peer == 0 || !ok {
		return false
	}
	if l.PeerNetNS < 0 {
		return n.id == o.id
	}
	h, err := n.Netlink()
	if err != nil {
		return false
	}
	id, err := h.GetNetNsIdByFd(o.Fd())
	return err == nil && id == l.PeerNetNS
}

// Qdisc returns the name of the interface's root queueing discipline, "" when
// the kernel does not say.
func (n *NetNS) Qdisc(index int) string {
	h, err := n.Netlink()
	if err != nil {
		return ""
	}
	list, err := dump(func() ([]netlink.Qdisc, error) {
		return h.QdiscList(&netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Index: index}})
	})
	if err != nil {
		return ""
	}
	for _, q := range list {
		if a := q.Attrs(); a.LinkIndex == index && a.Parent == netlink.HANDLE_ROOT {
			return q.Type()
		}
	}
	return ""
}

// Queues returns the names of the queueing disciplines by which interfaces send, by their
// index, where somebody has chosen one: those that the kernel gives of itself are left out.
func (n *NetNS) Queues() (map[int]string, error) {
	h, err := n.Netlink()
	if err != nil {
		return nil, err
	}
	list, err := dump(func() ([]netlink.Qdisc, error) { return h.QdiscList(nil) })
	if err != nil {
		return nil, err
	}
	chosen := map[int]string{}
	for _, q := range list {
		// One that the kernel has given has no handle of its own (sch_generic.c).
		if a := q.Attrs(); a.Parent == netlink.HANDLE_ROOT && a.Handle != 0 {
			chosen[a.LinkIndex] = q.Type()
		}
	}
	return chosen, nil
}

// Qdiscs returns the queueing disciplines of an interface.
func (n *NetNS) Qdiscs(index int) ([]QdiscState, error) {
	h, err := n.Netlink()
	if err != nil {
		return nil, err
	}
	all, err := dump(func() ([]netlink.Qdisc, error) {
		return h.QdiscList(&netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Index: index}})
	})
	if err != nil {
		return nil, err
	}
	var list []QdiscState
	for _, q := range all {
		a := q.Attrs()
		if a.LinkIndex != index {
			continue
		}
		s := QdiscState{Kind: q.Type()}
		if a.Statistics != nil && a.Statistics.Queue != nil {
			s.Dropped, s.Waiting = int(a.Statistics.Queue.Drops), int(a.Statistics.Queue.Qlen)
		}
		list = append(list, s)
	}
	return list, nil
}

// Links lists the interfaces of the namespace by index.
func (n *NetNS) Links() ([]Link, error) {
	c, err := n.route()
	if err != nil {
		return nil, err
	}
	return dump(func() ([]Link, error) { return c.links(vfInfo) })
}

// Link finds an interface by its name. When there is none the error is ENODEV.
func (n *NetNS) Link(name string) (*Link, error) { return n.getLink(0, name, vfInfo) }

// LinkByIndex finds an interface by its index. When there is none the error is
// ENODEV.
func (n *NetNS) LinkByIndex(index int) (*Link, error) { return n.getLink(index, "", vfInfo) }

// Brief finds an interface by its name, and reads only its name, index, kind, MTU and
// flags.
func (n *NetNS) Brief(name string) (*Link, error) {
	c, err := n.route()
	if err != nil {
		return nil, err
	}
	data, err := c.askLink(0, name, skipStats)
	if err != nil {
		return nil, err
	}
	return briefLink(data)
}

func (n *NetNS) getLink(index int, name string, mask uint32) (*Link, error) {
	c, err := n.route()
	if err != nil {
		return nil, err
	}
	return c.getLink(index, name, mask)
}

// AwaitCarrier waits until an interface that has a carrier takes packets. The kernel
// does the last step on a worker, and until then drops what is sent without a word
// (net/core/link_watch.c); since Linux 6.9 asking for the interface does it.
func (n *NetNS) AwaitCarrier(index int) error {
	for until := time.Now().Add(carrierTime); ; time.Sleep(200 * time.Microsecond) {
		l, err := n.LinkByIndex(index)
		if IsGone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if !l.Up() || l.State == "up" || l.State == "unknown" || time.Now().After(until) {
			return nil
		}
	}
}

// AwaitLinkLocal waits until an interface that has a carrier has a link-local address
// that it may use (RFC 4862, 5.3). The kernel gives it one when it has seen the carrier,
// and a router without one asks for no neighbour on behalf of others: the question that
// it should have sent comes a second later (ndisc_send_ns).
func (n *NetNS) AwaitLinkLocal(index int) error {
	for until := time.Now().Add(joinWait); ; time.Sleep(200 * time.Microsecond) {
		addrs, err := n.Addrs(index)
		if err != nil {
			return err
		}
		usable := func(a Addr) bool { return a.Prefix.Addr().Is6() && a.Scope == "link" && !a.Tentative() }
		if slices.ContainsFunc(addrs, usable) || time.Now().After(until) {
			return nil
		}
		l, err := n.LinkByIndex(index)
		if IsGone(err) {
			return nil
		}
		if err != nil || l.Flags&abi.LinkLowerUp == 0 {
			return err
		}
	}
}

// linkNames are the names of the interfaces by index.
func (n *NetNS) linkNames() (map[int]string, error) {
	c, err := n.route()
	if err != nil {
		return nil, err
	}
	links, err := dump(func() ([]Link, error) { return c.links(skipStats) })
	return namesOf(links), err
}

// namesOf are the names of interfaces by index.
func namesOf(links []Link) map[int]string {
	names := make(map[int]string, len(links))
	for _, l := range links {
		names[l.Index] = l.Name
	}
	return names
}
