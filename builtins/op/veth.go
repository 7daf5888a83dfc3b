package op

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// End is one end of a virtual cable.
type End struct {
	NS     string   `json:"ns"`
	Name   string   `json:"name"`
	Bridge string   `json:"bridge,omitempty"` // the bridge in NS of which it becomes a port
	Addrs  []string `json:"addrs,omitempty"`
	MAC    string   `json:"mac,omitempty"`
	// BridgeIndex is the index of the bridge, 0 where it is to be found by its name.
	BridgeIndex int `json:"-"`
}

// AddVeth makes a virtual cable (veth(4)).
type AddVeth struct {
	A    End  `json:"a"`
	B    End  `json:"b"`
	MTU  int  `json:"mtu,omitempty"` // bytes; 0 for the kernel's default
	Up   bool `json:"up"`
	Made bool `json:"made,omitempty"` // set once the kernel has made it

	a, b *kernel.Link
}

// Ends returns the interfaces that were made, nil before.
func (o *AddVeth) Ends() (a, b *kernel.Link) { return o.a, o.b }

// Prepare picks an address for an end that stands in a namespace which is not
// the lab's, so that it can be recognised.
func (o *AddVeth) Prepare(s *System) error {
	for _, e := range []*End{&o.A, &o.B} {
		if e.MAC == "" && !s.Owned(e.NS) && !s.Planned() {
			e.MAC = newMAC()
		}
	}
	return nil
}

// explain finds out which of the two names is taken.
func (o *AddVeth) explain(err error, a, b kernel.Space) error {
	if errors.Is(err, unix.EEXIST) {
		if _, lerr := a.Link(o.A.Name); lerr == nil {
			return taken(o.A.NS, o.A.Name, "name")
		}
		if _, lerr := b.Link(o.B.Name); lerr == nil {
			return taken(o.B.NS, o.B.Name, "peer")
		}
	}
	return failed(err, "the cable from %q in %s to %q in %s", o.A.Name, quoteNS(o.A.NS), o.B.Name, quoteNS(o.B.NS))
}

// quiet says that the end needs no IPv6 link-local address: a port that carries
// no address would only multicast to all other ports. mtu is its size in bytes, 0 for the
// kernel's default; one that is too small for IPv6 has nothing to be switched off.
func (e *End) quiet(mtu int) bool {
	return e.Bridge != "" && len(e.Addrs) == 0 && HasIPv6() && (mtu == 0 || mtu >= picture.MinIPv6MTU)
}

// Commands are those of `ip link`, `ip addr`.
func (o *AddVeth) Commands() []string {
	words := append([]string{"link", "add"}, linkName(o.A.Name)...)
	if o.MTU != 0 {
		words = append(words, "mtu", fmt.Sprint(o.MTU))
	}
	if o.A.MAC != "" {
		words = append(words, "address", o.A.MAC)
	}
	words = append(words, "type", "veth", "peer", "name", o.B.Name)
	if o.MTU != 0 {
		words = append(words, "mtu", fmt.Sprint(o.MTU))
	}
	if o.B.MAC != "" {
		words = append(words, "address", o.B.MAC)
	}
	first := ip(o.A.NS, words...)
	switch {
	case o.A.NS == o.B.NS:
	case o.B.NS == Host:
		// The other end is made from the host, whose name `ip` has no word for.
		swapped := AddVeth{A: o.B, B: o.A, MTU: o.MTU, Up: o.Up}
		return swapped.Commands()
	default:
		first = ip(o.A.NS, append(words, "netns", o.B.NS)...)
	}
	cmds := []string{first}
	for _, e := range []End{o.A, o.B} {
		cmds = append(cmds, e.commands(o.MTU, o.Up)...)
	}
	return cmds
}

func (e *End) commands(mtu int, up bool) []string {
	var cmds []string
	if e.quiet(mtu) {
		cmds = append(cmds, ip(e.NS, "link", "set", "dev", e.Name, "addrgenmode", "none"))
	}
	if e.Bridge != "" {
		cmds = append(cmds, ip(e.NS, "link", "set", "dev", e.Name, "master", e.Bridge))
	}
	for _, a := range e.Addrs {
		cmds = append(cmds, addrCommand(e.NS, e.Name, a))
	}
	if up {
		cmds = append(cmds, ip(e.NS, "link", "set", "dev", e.Name, "up"))
	}
	return cmds
}

// Inside is the namespaces of both ends: a cable goes with either.
func (o *AddVeth) Inside() []string { return []string{o.A.NS, o.B.NS} }

// Model adds both ends.
func (o *AddVeth) Model(p *picture.Picture) error {
	a, err := pictured(p, o.A.NS)
	if err != nil {
		return err
	}
	b, err := pictured(p, o.B.NS)
	if err != nil {
		return err
	}
	la, lb, err := picture.AddCable(a, picture.NewLink{Name: o.A.Name, MAC: o.A.MAC, MTU: o.MTU}, b, picture.NewLink{Name: o.B.Name, MAC: o.B.MAC, MTU: o.MTU})
	if err != nil {
		return o.explain(err, picture.View{Namespace: a}, picture.View{Namespace: b})
	}
	if err := o.B.model(lb, o.Up); err != nil {
		return err
	}
	if err := o.A.model(la, o.Up); err != nil {
		return err
	}
	if o.a, err = (picture.View{Namespace: a}).Link(o.A.Name); err != nil {
		return err
	}
	o.b, err = (picture.View{Namespace: b}).Link(o.B.Name)
	return err
}

func (e *End) model(l *picture.Link, up bool) error {
	if e.Bridge != "" {
		if err := modelMaster(l, e.Bridge); err != nil {
			return err
		}
	}
	if err := modelAddrs(l, e.Addrs); err != nil {
		return err
	}
	l.SetUp(up)
	return nil
}
