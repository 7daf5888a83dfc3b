package op

import (
	"errors"
	"net/netip"
	"nsscript/builtins/kernel/abi"

	"golang.org/x/sys/unix"

	"nsscript/builtins/picture"
)

// pictured finds a namespace of a picture.
func pictured(p *picture.Picture, ns string) (*picture.Namespace, error) {
	if n := p.Namespace(ns); n != nil {
		return n, nil
	}
	return nil, noNamespace(ns)
}

// picturedLink finds an interface of a picture.
func picturedLink(p *picture.Picture, ns, name string) (*picture.Link, error) {
	n, err := pictured(p, ns)
	if err != nil {
		return nil, err
	}
	if l := n.Link(name); l != nil {
		return l, nil
	}
	return nil, noLink(picture.View{Namespace: n}, ns, name)
}

// modelAddrs gives a pictured interface addresses.
func modelAddrs(l *picture.Link, addrs []string) error {
	for _, addr := range addrs {
		p, err := netip.ParsePrefix(addr)
		if err != nil {
			return noPrefix(addr)
		}
		switch err := l.AddAddr(p); {
		case errors.Is(err, unix.EEXIST):
			return hasAddr(l.NS.Name, l.Name, addr)
		case err != nil:
			return failed(err, "address %s for interface %q in %s", addr, l.Name, quoteNS(l.NS.Name))
		}
	}
	return nil
}

// mostPorts is how many ports a bridge has (net/bridge/br_private.h, BR_MAX_PORTS, less
// the one that is never given).
const mostPorts = 1023

// modelMaster makes a pictured interface a port.
func modelMaster(l *picture.Link, name string) error {
	m := l.NS.Link(name)
	if m == nil {
		return noLink(picture.View{Namespace: l.NS}, l.NS.Name, name)
	}
	var err error
	switch {
	case m.Kind == "bridge" && l.Kind == "bridge":
		err = unix.ELOOP
	case m.Kind != "bridge" && m.Kind != "bond" && m.Kind != "vrf":
		err = unix.EOPNOTSUPP
	case m.Kind == "bridge" && (l.Kind == "loopback" || m == l):
		err = unix.EINVAL
	case m.Kind == "bridge" && l.Master != m && len(m.Ports()) >= mostPorts:
		err = abi.Full
	case m.Kind != "vrf" && l.Master != m && l.Diverted():
		err = unix.EBUSY
	}
	if err != nil {
		return masterError(err, l.Name, name)
	}
	l.SetMaster(m)
	return nil
}
