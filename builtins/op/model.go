package op

import (
	"maps"
	"slices"
	"strings"
)

// Picture is a lab in memory: what its operations come to, worked out without the
// kernel. It holds namespaces, interfaces and addresses.
type Picture struct {
	Namespaces map[string]map[string]*PictureLink // interfaces by namespace and name; those that no operation made are not in it
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
	return &Picture{Namespaces: map[string]map[string]*PictureLink{Host: {}}}
}

// modeler is an operation that changes the picture.
type modeler interface{ Model(p *Picture) }

// Apply changes the picture as the operation changes the system.
func (p *Picture) Apply(o Op) {
	if m, ok := o.(modeler); ok {
		m.Model(p)
	}
}

// link finds an interface; one that the lab did not make is entered as far as it
// is known.
func (p *Picture) link(ns, name string) *PictureLink {
	links := p.Namespaces[ns]
	if links == nil {
		links = map[string]*PictureLink{}
		p.Namespaces[ns] = links
	}
	if links[name] == nil {
		links[name] = &PictureLink{}
	}
	return links[name]
}

// remove deletes an interface with its peer.
func (p *Picture) remove(ns, name string) {
	l := p.Namespaces[ns][name]
	if l == nil {
		return
	}
	for _, links := range p.Namespaces {
		maps.DeleteFunc(links, func(_ string, other *PictureLink) bool { return other == l || other == l.peer })
	}
	for _, port := range p.Namespaces[ns] {
		if port.Master == name {
			port.Master = ""
		}
	}
}

// Model adds the namespace.
func (o *AddNamespace) Model(p *Picture) { p.Namespaces[o.Name] = map[string]*PictureLink{} }

// Model adds the namespace.
func (o *JoinNamespace) Model(p *Picture) { p.Namespaces[o.Name] = map[string]*PictureLink{} }

// Model removes the namespace and the cables that lead into it.
func (o *DelNamespace) Model(p *Picture) {
	for name := range maps.Clone(p.Namespaces[o.Name]) {
		p.remove(o.Name, name)
	}
	delete(p.Namespaces, o.Name)
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

// Model changes the interface. One that goes down loses its IPv6 addresses
// (keep_addr_on_down in the kernel's ip-sysctl.rst).
func (o *SetLink) Model(p *Picture) {
	l := p.link(o.NS, o.Name)
	if o.MTU != nil {
		l.MTU = *o.MTU
	}
	if o.Master != nil {
		l.Master = *o.Master
	}
	if o.Up != nil {
		if l.Up && !*o.Up {
			l.Addrs = slices.DeleteFunc(l.Addrs, func(a string) bool { return strings.Contains(a, ":") })
		}
		l.Up = *o.Up
	}
	if o.Rename != nil {
		delete(p.Namespaces[o.NS], o.Name)
		p.Namespaces[o.NS][*o.Rename] = l
		for _, port := range p.Namespaces[o.NS] {
			if port.Master == o.Name {
				port.Master = *o.Rename
			}
		}
	}
}

// Model removes the interface and its peer.
func (o *DelLink) Model(p *Picture) { p.remove(o.NS, o.Name) }

// Model moves the interface, which loses its addresses and its bridge
// (network_namespaces(7)).
func (o *MoveLink) Model(p *Picture) {
	l := p.link(o.NS, o.Name)
	delete(p.Namespaces[o.NS], o.Name)
	l.Addrs, l.Master, l.Up = nil, "", o.Up
	if p.Namespaces[o.To] == nil {
		p.Namespaces[o.To] = map[string]*PictureLink{}
	}
	p.Namespaces[o.To][o.Name] = l
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
