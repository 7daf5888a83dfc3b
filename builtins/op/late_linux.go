package op

import (
	"errors"

	"nsscript/builtins/kernel"
)

// CatchUp does what was put off. It comes before everything that looks at the
// network, or sends something.
func (s *System) CatchUp() error {
	s.mu.Lock()
	late := s.late
	s.late = nil
	s.mu.Unlock()
	for _, b := range late {
		if err := b.raise(s); err != nil {
			return err
		}
	}
	if s.Gathered != nil {
		return s.Gathered.CatchUp()
	}
	return nil
}

// raise sets the bridge up.
func (b *lateBridge) raise(s *System) error {
	h, err := b.ns.Netlink()
	if errors.Is(err, kernel.ErrClosed) {
		return nil
	}
	if err != nil {
		return err
	}
	l := &kernel.Link{Index: b.index}
	if err := h.LinkSetUp(ref(l)); err != nil && !kernel.IsGone(err) {
		return failed(err, "setting bridge %q up", b.name)
	}
	s.awaits(b.ns, b.index, b.addrs...)
	return awaitIPv6(b.ns, b.index, b.addrs)
}
