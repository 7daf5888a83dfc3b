package op

import (
	"context"
	"errors"

	"nsscript/builtins/kernel"
)

// Do adds the address.
func (o *AddAddr) Do(_ context.Context, s *System) error {
	n, l, err := openLink(s, o.NS, o.Dev)
	if err != nil {
		return err
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	// A loopback interface has no neighbours that would look for the address.
	if err := addAddr(h, l, o.NS, o.Addr); err != nil || !l.Up() || l.Kind == "loopback" {
		return untouched(err)
	}
	return awaitIPv6(n, l.Index, []string{o.Addr})
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
	a, err := netlinkAddr(addr)
	if err != nil {
		return err
	}
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
