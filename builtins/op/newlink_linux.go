package op

import (
	"context"
	"errors"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// makeFrom sends the request in the namespace from, and marks what was made.
func (o *NewLink) makeFrom(s *System, from string, l netlink.Link, twin string) (*kernel.NetNS, *kernel.Link, error) {
	n, err := s.NS(o.NS)
	if err != nil {
		return nil, nil, err
	}
	sender, err := s.NS(from)
	if err != nil {
		return nil, nil, err
	}
	h, err := sender.Netlink()
	if err != nil {
		return nil, nil, err
	}
	if err := h.LinkAdd(l); err != nil {
		return nil, nil, o.explain(err, n, l.Type(), twin)
	}
	o.Made = true
	if h, err = n.Netlink(); err != nil {
		return nil, nil, err
	}
	made, err := o.named(n, h)
	if err != nil {
		return nil, nil, err
	}
	if err := s.mark(o.NS, h, ref(made)); err != nil {
		return nil, nil, failed(err, "marking interface %q", o.Name)
	}
	if o.Stamp != 0 {
		if err := h.LinkSetGroup(ref(made), 0); err != nil {
			return nil, nil, failed(err, "interface %q", o.Name)
		}
	}
	return n, made, nil
}

// named finds the interface that was made, and gives it its name.
func (o *NewLink) named(n *kernel.NetNS, h *netlink.Handle) (*kernel.Link, error) {
	if o.Temp != "" {
		made, err := n.Link(o.Temp)
		if err == nil {
			err = h.LinkSetName(ref(made), o.Name)
		}
		if errors.Is(err, unix.EEXIST) {
			// Nothing is to be undone then: what has the name may be the lab's as well.
			if err := h.LinkDel(ref(made)); err != nil {
				return nil, failed(err, "deleting interface %q in %s", o.Temp, quoteNS(o.NS))
			}
			return nil, o.taken()
		}
		if err != nil {
			return nil, failed(err, "naming interface %q in %s", o.Name, quoteNS(o.NS))
		}
	}
	made, err := n.Link(o.Name)
	if err != nil {
		return nil, failed(err, "interface %q in %s", o.Name, quoteNS(o.NS))
	}
	return made, nil
}

// explain says why the kernel has not made the interface.
func (o *NewLink) explain(err error, n kernel.Space, kind, twin string) error {
	if errors.Is(err, unix.EEXIST) {
		if _, lerr := n.Link(o.Name); lerr == nil {
			return o.taken()
		}
		if twin != "" {
			return &Error{Msg: twin, Err: err, Mute: true}
		}
	}
	if lacks := kernel.Lacks(kind, err); lacks != nil {
		return lacks
	}
	return o.refused(err, kind)
}

// finish gives the interface its addresses and brings it up.
func (o *NewLink) finish(s *System, n *kernel.NetNS, l *kernel.Link) error {
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	for _, a := range o.Addrs {
		if err := addAddr(n, l, o.NS, a); err != nil {
			return err
		}
	}
	if !o.Up {
		return nil
	}
	if err := h.LinkSetUp(ref(l)); err != nil {
		return failed(err, "setting interface %q in %s up", o.Name, quoteNS(o.NS))
	}
	s.awaits(n, l.Index, o.Addrs...)
	return awaitIPv6(n, l.Index, o.Addrs)
}

// make has the kernel make an interface that stands on none. twin says, for the kinds
// of which there cannot be two alike, what another one has already.
func (o *NewLink) make(s *System, l netlink.Link, twin string) (*kernel.NetNS, *kernel.Link, error) {
	return o.makeFrom(s, o.NS, l, twin)
}

// makeOver has the kernel make an interface on another one, be it in another
// namespace.
func (o *NewLink) makeOver(s *System, over Over, twin string, link func(netlink.LinkAttrs) netlink.Link) (*kernel.NetNS, *kernel.Link, error) {
	_, lower, err := openLink(s, over.NS, over.Dev)
	if err != nil {
		return nil, nil, err
	}
	attrs := o.attrs()
	attrs.ParentIndex = lower.Index
	if over.NS != o.NS {
		n, err := s.NS(o.NS)
		if err != nil {
			return nil, nil, err
		}
		attrs.Namespace = netlink.NsFd(n.Fd())
	}
	if o.Temp != "" {
		attrs.Name = o.Temp
	}
	return o.makeFrom(s, over.NS, link(attrs), twin)
}

// Undo deletes the interface.
func (o *NewLink) Undo(_ context.Context, s *System) error {
	if s.Owned(o.NS) && !o.Made {
		return nil // it may be another one's
	}
	stamped := func(l *kernel.Link) bool { return o.Stamp != 0 && l.Group == o.Stamp }
	if o.Temp != "" {
		if err := removeIf(s, o.NS, o.Temp, stamped); err != nil {
			return err
		}
	}
	return removeIf(s, o.NS, o.Name, stamped)
}
