package op

import (
	"errors"

	"nsscript/builtins/kernel"
)

// Settle waits until all interfaces that were set up take packets. It is called
// before packets are sent.
func (s *System) Settle() error {
	if err := s.CatchUp(); err != nil {
		return err
	}
	s.mu.Lock()
	list := s.risen
	s.risen = nil
	s.mu.Unlock()
	for _, r := range list {
		if err := r.ns.AwaitCarrier(r.index); err != nil && !errors.Is(err, kernel.ErrClosed) {
			return failed(err, "waiting for an interface")
		}
	}
	for _, r := range list {
		if !r.ipv6 {
			continue
		}
		if err := r.ns.AwaitLinkLocal(r.index); err != nil && !errors.Is(err, kernel.ErrClosed) {
			return failed(err, "waiting for an interface's link-local address")
		}
	}
	return nil
}

// awaitsCable notes an interface that was set up, its bridge, and the other end of
// a cable with the bridge there.
func (s *System) awaitsCable(n *kernel.NetNS, l *kernel.Link) {
	s.awaits(n, l.Index)
	s.awaits(n, l.Master)
	if l.Peer == 0 {
		return
	}
	for _, name := range append(s.Names(), Host) {
		o, err := s.NS(name)
		if err != nil || !n.PeerIn(l, o) {
			continue
		}
		if p, err := o.LinkByIndex(l.Peer); err == nil {
			s.awaits(o, p.Index)
			s.awaits(o, p.Master)
		}
		return
	}
}
