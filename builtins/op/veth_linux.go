package op

import (
	"context"
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"

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
	if err := a.AddVeth(kernel.Veth{
		Name: o.A.Name, MAC: parseMAC(o.A.MAC), MTU: o.MTU,
		PeerName: o.B.Name, PeerMAC: parseMAC(o.B.MAC), PeerNS: b,
	}); err != nil {
		return o.explain(err, a, b)
	}
	o.Made = true
	if o.b, err = o.B.finish(s, b, o.Up); err != nil {
		return err
	}
	o.a, err = o.A.finish(s, a, o.Up)
	return err
}

// finish marks an end, makes it a port, gives it its addresses and brings it up.
func (e *End) finish(s *System, n *kernel.NetNS, up bool) (*kernel.Link, error) {
	l, err := n.Brief(e.Name)
	if err != nil {
		return nil, failed(err, "interface %q in %s", e.Name, quoteNS(e.NS))
	}
	var to steps
	if !s.Owned(e.NS) {
		to.add(kernel.SetAlias(l.Index, s.Mark), func(err error) error { return failed(err, "marking interface %q", e.Name) })
	}
	bridge := 0
	if e.Bridge != "" {
		if bridge, err = e.bridgeIndex(n); err != nil {
			return nil, err
		}
		if e.quiet(l.MTU) {
			to.add(kernel.SetNoLinkLocal(l.Index), func(err error) error {
				return failed(err, "interface %q: switching IPv6 autoconfiguration off", e.Name)
			})
		}
		to.add(kernel.SetMaster(l.Index, bridge), func(err error) error { return masterError(err, e.Name, e.Bridge) })
	}
	for _, a := range e.Addrs {
		p, err := netip.ParsePrefix(a)
		if err != nil {
			return nil, noPrefix(a)
		}
		to.add(kernel.NewAddr(l.Index, p), func(err error) error { return addrError(err, e.NS, e.Name, a) })
	}
	if up {
		to.add(kernel.SetUp(l.Index), func(err error) error {
			return failed(err, "setting interface %q in %s up", e.Name, quoteNS(e.NS))
		})
	}
	if err := to.take(n); err != nil || !up {
		return l, err
	}
	s.awaits(n, l.Index, e.Addrs...)
	s.awaits(n, bridge)
	return l, awaitIPv6(n, l.Index, e.Addrs)
}

// bridgeIndex is the index of the bridge that the end is to be a port of.
func (e *End) bridgeIndex(n *kernel.NetNS) (int, error) {
	if e.BridgeIndex != 0 {
		return e.BridgeIndex, nil
	}
	br, err := n.Brief(e.Bridge)
	switch {
	case errors.Is(err, unix.ENODEV):
		return 0, noLink(n, e.NS, e.Bridge)
	case err != nil:
		return 0, failed(err, "interface %q in %s", e.Bridge, quoteNS(e.NS))
	}
	return br.Index, nil
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
