package op

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// openLink is FindLink for who is about to change the interface.
func openLink(s *System, ns, name string) (*kernel.NetNS, *kernel.Link, error) {
	n, err := s.NS(ns)
	if err != nil {
		return nil, nil, err
	}
	l, err := findLink(n, ns, name)
	return n, l, err
}

// removeIf deletes an interface if the lab made it: it bears the lab's mark or is
// recognised by what was recorded of it.
func removeIf(s *System, ns, name string, recognised func(*kernel.Link) bool) error {
	n, err := s.NS(ns)
	if errors.Is(err, kernel.ErrClosed) {
		return nil
	}
	if err != nil {
		return err
	}
	l, err := n.Link(name)
	if errors.Is(err, unix.ENODEV) {
		return nil
	}
	if err != nil {
		return err
	}
	if !s.mine(ns, l) && !recognised(l) {
		return nil
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	if err := h.LinkDel(ref(l)); err != nil && !kernel.IsGone(err) {
		return failed(err, "deleting interface %q in %s", name, quoteNS(ns))
	}
	return nil
}

// Do makes the changes, the name last.
func (o *SetLink) Do(_ context.Context, s *System) error {
	n, l, err := openLink(s, o.NS, o.Name)
	if err != nil {
		return err
	}
	if !s.mine(o.NS, l) {
		return NotOurs(o.NS, fmt.Sprintf("interface %q", o.Name))
	}
	if o.before, err = o.was(n, l); err != nil {
		return err
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	what := func(err error, format string, args ...any) error {
		if err == nil {
			return nil
		}
		return failed(err, "interface %q in %s: %s", o.Name, quoteNS(o.NS), fmt.Sprintf(format, args...))
	}
	if o.MAC != nil {
		if err := what(h.LinkSetHardwareAddr(ref(l), parseMAC(*o.MAC)), "setting the address to %s", *o.MAC); err != nil {
			return err
		}
	}
	if o.MTU != nil {
		if err := what(h.LinkSetMTU(ref(l), *o.MTU), "setting the MTU to %d", *o.MTU); err != nil {
			return err
		}
	}
	if o.Master != nil {
		if err := o.setMaster(s, n, l, what); err != nil {
			return err
		}
	}
	if err := o.setPort(h, n, l); err != nil {
		return err
	}
	if o.Up != nil {
		set := h.LinkSetUp
		if !*o.Up {
			set = h.LinkSetDown
		}
		if err := what(set(ref(l)), "setting it %s", upDown(*o.Up)); err != nil {
			return err
		}
		if *o.Up {
			s.awaitsCable(n, l)
		}
	}
	return o.rename(n, l, what)
}

func (o *SetLink) setMaster(s *System, n *kernel.NetNS, l *kernel.Link, what func(error, string, ...any) error) error {
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	if *o.Master == "" {
		return what(h.LinkSetNoMaster(ref(l)), "taking it out of its bridge")
	}
	_, m, err := FindLink(s, o.NS, *o.Master)
	if err != nil {
		return err
	}
	if err := h.LinkSetMasterByIndex(ref(l), m.Index); err != nil {
		return masterError(err, l.Name, m.Name)
	}
	s.awaits(n, m.Index)
	return nil
}

// rename changes the name of an interface, which old kernels (before 6.2) allow
// only while it is down.
func (o *SetLink) rename(n *kernel.NetNS, l *kernel.Link, what func(error, string, ...any) error) error {
	if o.Rename == nil || *o.Rename == o.Name {
		return nil
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	err = h.LinkSetName(ref(l), *o.Rename)
	if errors.Is(err, unix.EBUSY) {
		if err = h.LinkSetDown(ref(l)); err == nil {
			err = h.LinkSetName(ref(l), *o.Rename)
			err = errors.Join(err, h.LinkSetUp(ref(l)))
		}
	}
	if errors.Is(err, unix.EEXIST) {
		return takenName(o.NS, *o.Rename, "")
	}
	return what(err, "naming it %q", *o.Rename)
}

// Do deletes the interface.
func (o *DelLink) Do(_ context.Context, s *System) error {
	n, l, err := openLink(s, o.NS, o.Name)
	if err != nil {
		return err
	}
	if !s.mine(o.NS, l) {
		return NotOurs(o.NS, fmt.Sprintf("interface %q", o.Name))
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	if err := h.LinkDel(ref(l)); err != nil {
		return failed(err, "deleting interface %q in %s", o.Name, quoteNS(o.NS))
	}
	return nil
}

// Do moves the interface.
func (o *MoveLink) Do(_ context.Context, s *System) error {
	n, l, err := openLink(s, o.NS, o.Name)
	if err != nil {
		return err
	}
	to, err := s.NS(o.To)
	if err != nil {
		return err
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	if err := h.LinkSetNsFd(ref(l), to.Fd()); err != nil {
		// It is where it was: what has its name in the other namespace is another.
		if errors.Is(err, unix.EEXIST) {
			return o.taken()
		}
		return &Error{Msg: fmt.Sprintf("moving interface %q to %s", o.Name, quoteNS(o.To)), Err: err, Untouched: true}
	}
	th, err := to.Netlink()
	if err != nil {
		return err
	}
	moved, err := to.Link(o.Name)
	if err != nil {
		return failed(err, "interface %q in %s", o.Name, quoteNS(o.To))
	}
	if err := s.mark(o.To, th, ref(moved)); err != nil {
		return failed(err, "marking interface %q", o.Name)
	}
	if o.Up {
		if err := th.LinkSetUp(ref(moved)); err != nil {
			return failed(err, "setting interface %q up", o.Name)
		}
	}
	return nil
}

// removeLink deletes an interface if the lab made it: it bears the lab's mark or
// the address that was recorded for it.
func removeLink(s *System, ns, name, mac string) error {
	return removeIf(s, ns, name, func(l *kernel.Link) bool { return l.MAC.String() == mac })
}

// Undo deletes the interface where it went; where it came from it was the lab's.
func (o *MoveLink) Undo(_ context.Context, s *System) error {
	return removeLink(s, o.To, o.Name, "")
}

// Undo gives an interface in a namespace that is not the lab's its first name back: the
// operation that made it knows it by that. The rest goes with the interface.
func (o *SetLink) Undo(_ context.Context, s *System) error {
	if o.Rename == nil || s.Owned(o.NS) {
		return nil
	}
	n, err := s.NS(o.NS)
	if errors.Is(err, kernel.ErrClosed) {
		return nil
	}
	if err != nil {
		return err
	}
	l, err := n.Link(*o.Rename)
	if kernel.IsGone(err) || err == nil && l.Alias != s.Mark {
		return nil
	}
	if err != nil {
		return err
	}
	back := SetLink{NS: o.NS, Name: *o.Rename, Rename: &o.Name}
	return back.rename(n, l, func(err error, _ string, _ ...any) error {
		if err == nil || kernel.IsGone(err) {
			return nil
		}
		return failed(err, "giving interface %q in %s the name %q back", *o.Rename, quoteNS(o.NS), o.Name)
	})
}
