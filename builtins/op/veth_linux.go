package op

import (
	"context"

	"github.com/vishvananda/netlink"

	"nsscript/builtins/kernel"
)

// Do makes both ends where they belong in one message, then gives each what it
// needs.
func (o *AddVeth) Do(_ context.Context, s *System) error {
	a, err := s.NS(o.A.NS)
	if err != nil {
		return err
	}
	b, err := s.NS(o.B.NS)
	if err != nil {
		return err
	}
	h, err := a.Netlink()
	if err != nil {
		return err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.HardwareAddr = o.A.Name, o.MTU, parseMAC(o.A.MAC)
	link := netlink.NewVeth(attrs)
	link.PeerName, link.PeerHardwareAddr = o.B.Name, parseMAC(o.B.MAC)
	if o.B.NS != o.A.NS {
		link.PeerNamespace = netlink.NsFd(b.Fd())
	}
	if err := h.LinkAdd(link); err != nil {
		return o.explain(err, a, b)
	}
	o.Made = true
	if err := o.B.finish(s, b, o.Up); err != nil {
		return err
	}
	return o.A.finish(s, a, o.Up)
}

// finish marks an end, makes it a port, gives it its addresses and brings it up.
func (e *End) finish(s *System, n *kernel.NetNS, up bool) error {
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	l, err := n.Link(e.Name)
	if err != nil {
		return failed(err, "interface %q in %s", e.Name, quoteNS(e.NS))
	}
	if err := s.mark(e.NS, h, ref(l)); err != nil {
		return failed(err, "marking interface %q", e.Name)
	}
	bridge := 0
	if e.Bridge != "" {
		_, br, err := FindLink(s, e.NS, e.Bridge)
		if err != nil {
			return err
		}
		if e.quiet(l.MTU) {
			if err := h.LinkSetIP6AddrGenMode(ref(l), addrGenNone); err != nil {
				return failed(err, "interface %q: switching IPv6 autoconfiguration off", e.Name)
			}
		}
		if err := h.LinkSetMasterByIndex(ref(l), br.Index); err != nil {
			return masterError(err, e.Name, e.Bridge)
		}
		bridge = br.Index
	}
	for _, a := range e.Addrs {
		if err := addAddr(h, l, e.NS, a); err != nil {
			return err
		}
	}
	if up {
		if err := h.LinkSetUp(ref(l)); err != nil {
			return failed(err, "setting interface %q in %s up", e.Name, quoteNS(e.NS))
		}
		s.awaits(n, l.Index)
		s.awaits(n, bridge)
		return awaitIPv6(n, l.Index, e.Addrs)
	}
	return nil
}

// Undo deletes the cable; one end takes the other along.
func (o *AddVeth) Undo(_ context.Context, s *System) error {
	for _, e := range []End{o.A, o.B} {
		if s.Owned(e.NS) && !o.Made {
			continue // it may be another cable's
		}
		if err := removeLink(s, e.NS, e.Name, e.MAC); err != nil {
			return err
		}
	}
	return nil
}
