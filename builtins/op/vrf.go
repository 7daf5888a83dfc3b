package op

import (
	"fmt"

	"nsscript/builtins/picture"
)

// AddVRF makes a routing domain: what its members send and receive is looked up in a
// table of routes of its own (the kernel's Documentation/networking/vrf.rst).
type AddVRF struct {
	NewLink
	Table   int      `json:"table"`
	Members []string `json:"members,omitempty"`
	// Lost are the IPv6 addresses that the members have before: the kernel sets them
	// down and up again (cycle_netdev in drivers/net/vrf.c), which costs them these.
	Lost []MemberAddr `json:"lost,omitempty"`
}

// MemberAddr is an address of a member.
type MemberAddr struct {
	Dev  string `json:"dev"`
	Addr string `json:"addr"`
}

// Prepare notes the addresses that are given back.
func (o *AddVRF) Prepare(s *System) error {
	if err := o.NewLink.Prepare(s); err != nil {
		return err
	}
	o.Lost = nil
	for _, m := range o.Members {
		n, l, err := FindLink(s, o.NS, m)
		if err != nil {
			return err
		}
		addrs, err := n.Addrs(l.Index)
		if err != nil {
			return failed(err, "the addresses of interface %q", m)
		}
		for _, a := range addrs {
			if a.Prefix.Addr().Is6() && a.Global() && l.Up() {
				o.Lost = append(o.Lost, MemberAddr{m, a.Prefix.String()})
			}
		}
	}
	return nil
}

// Commands are those of `ip link`.
func (o *AddVRF) Commands() []string {
	all := o.commands("vrf", "table", fmt.Sprint(o.Table))
	cmds := all[:1:1]
	for _, m := range o.Members {
		cmds = append(cmds, ip(o.NS, "link", "set", "dev", m, "master", o.Name))
	}
	for _, a := range o.Lost {
		cmds = append(cmds, ip(o.NS, "addr", "replace", a.Addr, "dev", a.Dev, "nodad"))
	}
	return append(cmds, all[1:]...)
}

// Model adds the VRF.
func (o *AddVRF) Model(p *picture.Picture) error {
	l, err := o.model(p, "vrf", vrfMTU, [2]string{"table", fmt.Sprint(o.Table)})
	if err != nil {
		return err
	}
	for _, name := range o.Members {
		m, err := picturedLink(p, o.NS, name)
		if err != nil {
			return err
		}
		if err := modelOurs(m); err != nil {
			return err
		}
		if err := o.modelEnslave(m); err != nil {
			return err
		}
	}
	return o.modelFinish(l)
}

// modelEnslave puts a pictured interface in: its routes move to the VRF's table.
func (o *AddVRF) modelEnslave(m *picture.Link) error {
	up, addrs := m.Up, m.Global()
	m.SetUp(false)
	if err := modelMaster(m, o.Name); err != nil {
		return err
	}
	m.SetUp(up)
	for _, a := range addrs {
		if a.Addr().Is6() {
			_ = m.AddAddr(a) // it may be there still
		}
	}
	return nil
}

// vrfMTU is the largest packet that IPv6 has (drivers/net/vrf.c).
const vrfMTU = 65575
