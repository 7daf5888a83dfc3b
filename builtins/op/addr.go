package op

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/near"
	"nsscript/builtins/picture"
)

// AddAddr gives an interface an address.
type AddAddr struct {
	NS   string `json:"ns"`
	Dev  string `json:"dev"`
	Addr string `json:"addr"` // with prefix length
}

// Prepare sees to it that Undo can only remove what Do added.
func (o *AddAddr) Prepare(s *System) error {
	if s.Owned(o.NS) {
		return nil
	}
	n, l, err := FindLink(s, o.NS, o.Dev)
	if err != nil {
		return err
	}
	list, err := n.Addrs(l.Index)
	if err != nil {
		return failed(err, "the addresses of interface %q", o.Dev)
	}
	for _, a := range list {
		if a.Prefix.String() == o.Addr {
			return hasAddr(o.NS, o.Dev, o.Addr)
		}
	}
	return nil
}

func hasAddr(ns, dev, addr string) error {
	return &Error{Msg: fmt.Sprintf("interface %q in %s already has the address %s", dev, quoteNS(ns), addr), Err: unix.EEXIST, Mute: true}
}

// untouched marks an error of something that is there already, where that is all
// that an operation makes.
func untouched(err error) error {
	var e *Error
	if errors.As(err, &e) && errors.Is(e.Err, unix.EEXIST) {
		e.Untouched = true
	}
	return err
}

// awaitIPv6 waits until an interface can be found by its neighbours under its
// IPv6 addresses.
func awaitIPv6(n *kernel.NetNS, index int, addrs []string) error {
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a)
		if err != nil || p.Addr().Is4() {
			continue
		}
		if err := n.AwaitNeighborDiscovery(index, p.Addr()); err != nil {
			return failed(err, "the multicast groups of an interface")
		}
	}
	return nil
}

func addrError(err error, ns, dev, addr string) error {
	if errors.Is(err, unix.EEXIST) {
		return hasAddr(ns, dev, addr)
	}
	return failed(err, "address %s for interface %q in %s", addr, dev, quoteNS(ns))
}

func noPrefix(addr string) error {
	return &Error{Msg: fmt.Sprintf("%q is no address with a prefix length", addr)}
}

// Commands is `ip addr add`.
func (o *AddAddr) Commands() []string { return []string{addrCommand(o.NS, o.Dev, o.Addr)} }

func addrCommand(ns, dev, addr string) string {
	words := []string{"addr", "add", addr}
	if p, err := netip.ParsePrefix(addr); err == nil && p.Addr().Is6() {
		return ip(ns, append(words, "dev", dev, "nodad")...)
	} else if err == nil && p.Bits() < 31 {
		words = append(words, "brd", "+")
	}
	return ip(ns, append(words, "dev", dev)...)
}

// Inside is the namespace of the interface.
func (o *AddAddr) Inside() []string { return []string{o.NS} }

// Model adds the address.
func (o *AddAddr) Model(p *picture.Picture) error {
	l, err := picturedLink(p, o.NS, o.Dev)
	if err != nil {
		return err
	}
	return untouched(modelAddrs(l, []string{o.Addr}))
}

// DelAddr takes an address from an interface.
type DelAddr struct {
	NS   string `json:"ns"`
	Dev  string `json:"dev"`
	Addr string `json:"addr"`
}

// missing is the error that the interface has other addresses.
func (o *DelAddr) missing(have []string) error {
	return &Error{
		Msg: fmt.Sprintf("interface %q in %s has no address %s", o.Dev, quoteNS(o.NS), o.Addr),
		Tip: near.Hint(have, o.Addr), Err: unix.EADDRNOTAVAIL, Mute: true,
	}
}

// Undo does nothing: only addresses of the lab are removed.
func (o *DelAddr) Undo(context.Context, *System) error { return nil }

// Commands is `ip addr del`.
func (o *DelAddr) Commands() []string {
	return []string{ip(o.NS, "addr", "del", o.Addr, "dev", o.Dev)}
}

// Inside is the namespace of the interface.
func (o *DelAddr) Inside() []string { return []string{o.NS} }

// Model removes the address.
func (o *DelAddr) Model(p *picture.Picture) error {
	l, err := picturedLink(p, o.NS, o.Dev)
	if err != nil {
		return err
	}
	a, err := netip.ParsePrefix(o.Addr)
	if err != nil {
		return noPrefix(o.Addr)
	}
	if err := l.DelAddr(a); err == nil {
		return nil
	}
	var have []string
	for _, a := range l.Addrs {
		have = append(have, a.Prefix.String())
	}
	return o.missing(have)
}
