package op

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

func (o *AddNeighbor) entry(l *kernel.Link) (*netlink.Neigh, error) {
	ip, err := netip.ParseAddr(o.IP)
	if err != nil {
		return nil, &Error{Msg: fmt.Sprintf("%q is no address", o.IP)}
	}
	e := &netlink.Neigh{LinkIndex: l.Index, Family: unix.AF_INET, IP: net.IP(ip.AsSlice())}
	if ip.Is6() {
		e.Family = unix.AF_INET6
	}
	if o.MAC == "" {
		e.Flags = netlink.NTF_PROXY
	} else {
		e.State, e.HardwareAddr = netlink.NUD_PERMANENT, parseMAC(o.MAC)
	}
	return e, nil
}

// Do makes the entry; one that the kernel has learned gives way.
func (o *AddNeighbor) Do(_ context.Context, s *System) error {
	n, l, err := openLink(s, o.NS, o.Dev)
	if err != nil {
		return err
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	e, err := o.entry(l)
	if err != nil {
		return err
	}
	if err := h.NeighSet(e); err != nil {
		return failed(err, "the entry for %s on %q in %s", o.IP, o.Dev, quoteNS(o.NS))
	}
	return nil
}

// Undo removes the entry.
func (o *AddNeighbor) Undo(_ context.Context, s *System) error {
	n, l, err := openLink(s, o.NS, o.Dev)
	if errors.Is(err, kernel.ErrClosed) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	if err != nil {
		return err
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	e, err := o.entry(l)
	if err != nil {
		return err
	}
	if err := h.NeighDel(e); err != nil && !kernel.IsGone(err) {
		return failed(err, "removing the entry for %s on %q in %s", o.IP, o.Dev, quoteNS(o.NS))
	}
	return nil
}
