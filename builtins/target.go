package builtins

import (
	"net/netip"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

// targets returns the addresses that a target has, seen from a namespace, the
// best first: a target is an address as text, an Address, a Link, a Namespace or
// the name of one, or a name that the resolver of the namespace knows.
func (s *Session) targets(from *Namespace, v starlark.Value) ([]netip.Addr, error) {
	switch v := v.(type) {
	case Address:
		return []netip.Addr{v.p.Addr()}, nil
	case starlark.String:
		if a, err := netip.ParseAddr(string(v)); err == nil {
			return []netip.Addr{a}, nil
		}
		if p, err := netip.ParsePrefix(string(v)); err == nil {
			return []netip.Addr{p.Addr()}, nil
		}
		if s.lab.System().Has(string(v)) || string(v) == op.Host {
			return s.nearest(from, string(v))
		}
		if ips, ok, err := s.resolve(from, string(v)); ok || err != nil {
			return ips, err
		}
		names := append(s.lab.System().Names(), op.Host)
		return nil, badArg(nearName(names, string(v)), "%s is neither an address nor the name of a namespace of the lab", describe(v))
	case linkValue:
		addrs, err := v.link().addrs()
		if err != nil {
			return nil, err
		}
		var ips []netip.Addr
		for _, a := range addrs {
			if a.Global() {
				ips = append(ips, a.Prefix.Addr())
			}
		}
		for _, a := range addrs {
			if !a.Global() {
				ips = append(ips, a.Prefix.Addr())
			}
		}
		if len(ips) == 0 {
			return nil, badArg("", "the interface %q of %s has no address", v.link().name, v.link().n.title())
		}
		return ips, nil
	case *Namespace:
		if err := v.alive(); err != nil {
			return nil, err
		}
		return s.nearest(from, v.name)
	}
	return nil, want("an IP address, an Address, a Link or a Namespace", v)
}

func (s *Session) nearest(from *Namespace, to string) ([]netip.Addr, error) {
	ips, err := s.lab.Nearest(from.name, to)
	if err != nil {
		return nil, err
	}
	if len(ips) == 0 {
		return nil, badArg("give an interface of it an address first", "%s has no address", (&Namespace{name: to}).title())
	}
	return ips, nil
}

// target returns the one address to use. A link-local one is given the zone
// that it is in, where dev tells.
func (s *Session) target(from *Namespace, v starlark.Value, dev string) (netip.Addr, error) {
	ips, err := s.targets(from, v)
	if err != nil {
		return netip.Addr{}, &argError{"target", err}
	}
	ip := ips[0]
	if ip.Is6() && ip.IsLinkLocalUnicast() && ip.Zone() == "" && dev != "" {
		ip = ip.WithZone(dev)
	}
	return ip, nil
}
