package op

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"

	"nsscript/builtins/kernel"
)

// Do adds the address.
func (o *AddAddr) Do(_ context.Context, s *System) error {
	n, l, err := openLink(s, o.NS, o.Dev)
	if err != nil {
		return err
	}
	// A loopback interface has no neighbours that would look for the address.
	if err := addAddr(n, l, o.NS, o.Addr); err != nil || !l.Up() || l.Kind == "loopback" {
		return untouched(err)
	}
	return awaitIPv6(n, l.Index, []string{o.Addr})
}

// addAddr gives an interface an address.
func addAddr(n *kernel.NetNS, l *kernel.Link, ns, addr string) error {
	p, err := netip.ParsePrefix(addr)
	if err != nil {
		return noPrefix(addr)
	}
	if _, err := n.Change(kernel.NewAddr(l.Index, p)); err != nil {
		return addrError(err, ns, l.Name, addr)
	}
	return nil
}

func delAddr(s *System, ns, dev, addr string) error {
	n, err := s.NS(ns)
	if errors.Is(err, kernel.ErrClosed) {
		return nil
	}
	if err != nil {
		return err
	}
	l, err := n.Link(dev)
	if err != nil {
		if kernel.IsGone(err) {
			return nil
		}
		return err
	}
	p, err := netip.ParsePrefix(addr)
	if err != nil {
		return noPrefix(addr)
	}
	a := &netlink.Addr{IPNet: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	if err := h.AddrDel(ref(l), a); err != nil && !kernel.IsGone(err) {
		return failed(err, "removing address %s from interface %q in %s", addr, dev, quoteNS(ns))
	}
	return nil
}

// Do removes the address.
func (o *DelAddr) Do(_ context.Context, s *System) error {
	n, l, err := openLink(s, o.NS, o.Dev)
	if err != nil {
		return err
	}
	list, err := n.Addrs(l.Index)
	if err != nil {
		return failed(err, "the addresses of interface %q", o.Dev)
	}
	var have []string
	for _, a := range list {
		if a.Prefix.String() == o.Addr {
			return delAddr(s, o.NS, o.Dev, o.Addr)
		}
		have = append(have, a.Prefix.String())
	}
	return o.missing(have)
}

// Undo removes the address.
func (o *AddAddr) Undo(_ context.Context, s *System) error {
	return delAddr(s, o.NS, o.Dev, o.Addr)
}
