package op

import (
	"context"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// enslave puts an interface in, and gives it back what it loses by that.
func (o *AddVRF) enslave(s *System, vrf *kernel.Link, member string) error {
	n, l, err := openLink(s, o.NS, member)
	if err != nil {
		return err
	}
	if !s.mine(o.NS, l) {
		return NotOurs(o.NS, fmt.Sprintf("interface %q", member))
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	if err := h.LinkSetMasterByIndex(ref(l), vrf.Index); err != nil {
		return failed(err, "putting interface %q into VRF %q", member, o.Name)
	}
	s.awaits(n, l.Index)
	for _, a := range o.Lost {
		if a.Dev != member {
			continue
		}
		if err := addAddr(n, l, o.NS, a.Addr); err != nil && !errors.Is(err, unix.EEXIST) {
			return err
		}
		if err := awaitIPv6(n, l.Index, []string{a.Addr}); err != nil {
			return err
		}
	}
	return nil
}

// Do makes the VRF and puts its members in.
func (o *AddVRF) Do(_ context.Context, s *System) error {
	n, l, err := o.make(s, &netlink.Vrf{LinkAttrs: o.attrs(), Table: uint32(o.Table)}, "")
	if err != nil {
		return err
	}
	for _, m := range o.Members {
		if err := o.enslave(s, l, m); err != nil {
			return err
		}
	}
	return o.finish(s, n, l)
}
