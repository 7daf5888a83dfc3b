package op

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"nsscript/builtins/kernel/abi"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// netlinkRoute turns the description into the kernel's.
func (r *RouteSpec) netlinkRoute(n *kernel.NetNS) (*netlink.Route, error) {
	nr := &netlink.Route{Family: r.family(), Priority: r.Metric, Table: r.Table, MTU: r.MTU}
	if r.Dst == "default" {
		nr.Dst = &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}
		if r.V6 {
			nr.Dst = &net.IPNet{IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)}
		}
	} else {
		p, err := netip.ParsePrefix(r.Dst)
		if err != nil {
			return nil, &Error{Msg: fmt.Sprintf("%q is no network", r.Dst)}
		}
		nr.Dst = &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
	}
	if r.Type != "" {
		t, ok := kernel.RouteType(r.Type)
		if !ok {
			return nil, &Error{Msg: fmt.Sprintf("no type of route is called %q", r.Type)}
		}
		nr.Type = t
	}
	if r.Src != "" {
		nr.Src = net.ParseIP(r.Src)
	}
	index := 0
	if r.Dev != "" {
		l, err := n.Link(r.Dev)
		if errors.Is(err, unix.ENODEV) {
			return nil, noLink(n, r.NS, r.Dev)
		}
		if err != nil {
			return nil, failed(err, "interface %q", r.Dev)
		}
		index = l.Index
	}
	flags := 0
	if r.OnLink {
		flags = abi.HopOnLink
	}
	switch len(r.Via) {
	case 0:
		nr.LinkIndex, nr.Flags = index, flags
		if !r.V6 && (r.Type == "" || r.Type == "unicast") {
			nr.Scope = netlink.SCOPE_LINK
		}
	case 1:
		nr.LinkIndex, nr.Flags = index, flags
		nr.Gw, nr.Via = r.gateway(r.Via[0])
	default:
		for i, v := range r.Via {
			hop := &netlink.NexthopInfo{LinkIndex: index, Flags: flags, Hops: r.weight(i) - 1}
			hop.Gw, hop.Via = r.gateway(v)
			nr.MultiPath = append(nr.MultiPath, hop)
		}
	}
	return nr, nil
}

// gateway gives a next hop in the form that its family wants: an IPv4 route may
// lead over an IPv6 router (RFC 5549).
func (r *RouteSpec) gateway(via string) (net.IP, netlink.Destination) {
	ip := net.ParseIP(via)
	if !r.V6 && ip.To4() == nil {
		return nil, &netlink.Via{AddrFamily: unix.AF_INET6, Addr: ip}
	}
	return ip, nil
}

// Do adds the route.
func (o *AddRoute) Do(_ context.Context, s *System) error {
	n, err := s.NS(o.NS)
	if err != nil {
		return err
	}
	nr, err := o.netlinkRoute(n)
	if err != nil {
		return err
	}
	if err := n.AddRoute(nr); err != nil {
		return o.explain(n, err)
	}
	return nil
}

func deleteRoute(s *System, r *RouteSpec) error {
	n, err := s.NS(r.NS)
	if err != nil {
		return err
	}
	nr, err := r.netlinkRoute(n)
	if err != nil {
		return err
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	return h.RouteDel(nr)
}

// Undo deletes the route.
func (o *AddRoute) Undo(_ context.Context, s *System) error {
	err := deleteRoute(s, &o.RouteSpec)
	if errors.Is(err, kernel.ErrClosed) || kernel.IsGone(err) {
		return nil
	}
	return err
}

// Do deletes the route.
func (o *DelRoute) Do(_ context.Context, s *System) error {
	err := deleteRoute(s, &o.RouteSpec)
	if kernel.IsGone(err) {
		return o.missing(err)
	}
	if err != nil {
		return failed(err, "deleting the route to %s in %s", o.Dst, quoteNS(o.NS))
	}
	return nil
}
