package op

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Picture is a lab in memory: what its operations come to, worked out without the
// kernel. It holds namespaces, interfaces, addresses and routes of the main table;
// what no operation made is not in it.
type Picture struct {
	Namespaces map[string]*PictureNamespace
}

// PictureNamespace is a namespace in a picture.
type PictureNamespace struct {
	Links  map[string]*PictureLink
	Routes []RouteSpec // with Dev also where the kernel chooses it
}

// PictureLink is an interface in a picture.
type PictureLink struct {
	Kind   string
	MTU    int // bytes; 0 where the kernel chooses it
	Up     bool
	Master string
	Addrs  []string // with prefix length, in the order in which they were added
	peer   *PictureLink
}

// NewPicture returns the picture of a host on which nothing was made.
func NewPicture() *Picture {
	p := &Picture{Namespaces: map[string]*PictureNamespace{}}
	p.namespace(Host)
	return p
}

// modeler is an operation that changes the picture.
type modeler interface{ Model(p *Picture) }

// Apply changes the picture as the operation changes the system.
func (p *Picture) Apply(o Op) {
	if m, ok := o.(modeler); ok {
		m.Model(p)
	}
}

// namespace finds a namespace, or enters it.
func (p *Picture) namespace(name string) *PictureNamespace {
	if p.Namespaces[name] == nil {
		p.Namespaces[name] = &PictureNamespace{Links: map[string]*PictureLink{}}
	}
	return p.Namespaces[name]
}

// link finds an interface; one that the lab did not make is entered as far as it
// is known.
func (p *Picture) link(ns, name string) *PictureLink {
	n := p.namespace(ns)
	if n.Links[name] == nil {
		n.Links[name] = &PictureLink{}
	}
	return n.Links[name]
}

// remove deletes an interface with its peer.
func (p *Picture) remove(ns, name string) {
	l := p.namespace(ns).Links[name]
	if l == nil {
		return
	}
	for _, n := range p.Namespaces {
		for name, other := range n.Links {
			if other == l || other == l.peer {
				n.leave(name)
			}
		}
	}
}

// leave takes an interface out of a namespace, and with it its routes and its
// ports' bridge.
func (n *PictureNamespace) leave(name string) {
	delete(n.Links, name)
	n.unroute(name)
	for _, port := range n.Links {
		if port.Master == name {
			port.Master = ""
		}
	}
}

// unroute drops the routes over an interface.
func (n *PictureNamespace) unroute(dev string) {
	n.Routes = slices.DeleteFunc(n.Routes, func(r RouteSpec) bool { return r.Dev == dev })
}

// towards finds the interface whose network holds a gateway.
func (n *PictureNamespace) towards(via string) string {
	gateway, err := netip.ParseAddr(via)
	if err != nil {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(n.Links)) {
		for _, a := range n.Links[name].Addrs {
			if p, err := netip.ParsePrefix(a); err == nil && n.Links[name].Up && p.Masked().Contains(gateway) {
				return name
			}
		}
	}
	return ""
}

// Model adds the namespace.
func (o *AddNamespace) Model(p *Picture) { p.namespace(o.Name) }

// Model adds the namespace.
func (o *JoinNamespace) Model(p *Picture) { p.namespace(o.Name) }

// Model removes the namespace and the cables that lead into it.
func (o *DelNamespace) Model(p *Picture) {
	for name := range maps.Clone(p.namespace(o.Name).Links) {
		p.remove(o.Name, name)
	}
	delete(p.Namespaces, o.Name)
}

// Model adds the route.
func (o *AddRoute) Model(p *Picture) {
	n, r := p.namespace(o.NS), o.RouteSpec
	if r.Table != 0 || len(r.Via) > 1 {
		return
	}
	if r.Dev == "" && len(r.Via) == 1 {
		r.Dev = n.towards(r.Via[0])
	}
	n.Routes = append(n.Routes, r)
}

// Model removes the route.
func (o *DelRoute) Model(p *Picture) {
	n := p.namespace(o.NS)
	n.Routes = slices.DeleteFunc(n.Routes, func(r RouteSpec) bool {
		return r.Dst == o.Dst && r.Metric == o.Metric && o.Table == 0
	})
}

// Model adds both ends.
func (o *AddVeth) Model(p *Picture) {
	var ends [2]*PictureLink
	for i, e := range []End{o.A, o.B} {
		ends[i] = p.link(e.NS, e.Name)
		*ends[i] = PictureLink{Kind: "veth", MTU: o.MTU, Up: o.Up, Master: e.Bridge, Addrs: slices.Clone(e.Addrs)}
	}
	ends[0].peer, ends[1].peer = ends[1], ends[0]
}

// Model adds the bridge.
func (o *AddBridge) Model(p *Picture) {
	*p.link(o.NS, o.Name) = PictureLink{Kind: "bridge", MTU: o.MTU, Up: o.Up, Addrs: slices.Clone(o.Addrs)}
}

// Model changes the interface. One that goes down loses its routes and its IPv6
// addresses (keep_addr_on_down in the kernel's ip-sysctl.rst).
func (o *SetLink) Model(p *Picture) {
	l, n := p.link(o.NS, o.Name), p.namespace(o.NS)
	if o.MTU != nil {
		l.MTU = *o.MTU
	}
	if o.Master != nil {
		l.Master = *o.Master
	}
	if o.Up != nil {
		if l.Up && !*o.Up {
			l.Addrs = slices.DeleteFunc(l.Addrs, func(a string) bool { return strings.Contains(a, ":") })
			n.unroute(o.Name)
		}
		l.Up = *o.Up
	}
	if o.Rename != nil {
		delete(n.Links, o.Name)
		n.Links[*o.Rename] = l
		for _, port := range n.Links {
			if port.Master == o.Name {
				port.Master = *o.Rename
			}
		}
		for i := range n.Routes {
			if n.Routes[i].Dev == o.Name {
				n.Routes[i].Dev = *o.Rename
			}
		}
	}
}

// Model removes the interface and its peer.
func (o *DelLink) Model(p *Picture) { p.remove(o.NS, o.Name) }

// Model moves the interface, which loses its addresses, its routes and its bridge
// (network_namespaces(7)).
func (o *MoveLink) Model(p *Picture) {
	l := p.link(o.NS, o.Name)
	p.namespace(o.NS).leave(o.Name)
	l.Addrs, l.Master, l.Up = nil, "", o.Up
	p.namespace(o.To).Links[o.Name] = l
}

// Model adds the address.
func (o *AddAddr) Model(p *Picture) {
	l := p.link(o.NS, o.Dev)
	if !slices.Contains(l.Addrs, o.Addr) {
		l.Addrs = append(l.Addrs, o.Addr)
	}
}

// Model removes the address.
func (o *DelAddr) Model(p *Picture) {
	l := p.link(o.NS, o.Dev)
	l.Addrs = slices.DeleteFunc(l.Addrs, func(a string) bool { return a == o.Addr })
}
