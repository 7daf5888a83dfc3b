package op

import (
	"fmt"

	"nsscript/builtins/picture"
)

// AddBridge makes a bridge (ip-link(8), type bridge).
type AddBridge struct {
	NS            string   `json:"ns"`
	Name          string   `json:"name"`
	Addrs         []string `json:"addrs,omitempty"`
	STP           bool     `json:"stp,omitempty"` // IEEE 802.1D spanning tree
	VLANFiltering bool     `json:"vlan_filtering,omitempty"`
	MTU           int      `json:"mtu,omitempty"` // bytes; 0 for the kernel's default
	MAC           string   `json:"mac,omitempty"`
	Up            bool     `json:"up"`
	Made          bool     `json:"made,omitempty"` // set once the kernel has made it
}

// Prepare picks the bridge's address where it can be told from other bridges by
// nothing else.
func (o *AddBridge) Prepare(s *System) error {
	if o.MAC == "" && !s.Owned(o.NS) && !s.Planned() {
		o.MAC = newMAC()
	}
	return nil
}

// Commands are those of `ip link` and `ip addr`.
func (o *AddBridge) Commands() []string {
	words := append([]string{"link", "add"}, linkName(o.Name)...)
	if o.MAC != "" {
		words = append(words, "address", o.MAC)
	}
	words = append(words, "type", "bridge")
	if o.STP {
		words = append(words, "stp_state", "1")
	}
	if o.VLANFiltering {
		words = append(words, "vlan_filtering", "1")
	}
	cmds := []string{ip(o.NS, words...)}
	if o.MTU != 0 {
		cmds = append(cmds, ip(o.NS, "link", "set", "dev", o.Name, "mtu", fmt.Sprint(o.MTU)))
	}
	for _, a := range o.Addrs {
		cmds = append(cmds, addrCommand(o.NS, o.Name, a))
	}
	if o.Up {
		cmds = append(cmds, ip(o.NS, "link", "set", "dev", o.Name, "up"))
	}
	return cmds
}

// Inside is the bridge's namespace.
func (o *AddBridge) Inside() []string { return []string{o.NS} }

// Model adds the bridge.
func (o *AddBridge) Model(p *picture.Picture) error {
	n, err := pictured(p, o.NS)
	if err != nil {
		return err
	}
	l, err := n.AddLink(picture.NewLink{Name: o.Name, Kind: "bridge", MAC: o.MAC, MTU: o.MTU})
	if err != nil {
		return takenName(o.NS, o.Name, "choose another name")
	}
	if o.STP {
		l.Options = append(l.Options, [2]string{"stp_state", "1"})
	}
	if o.VLANFiltering {
		l.Options = append(l.Options, [2]string{"vlan_filtering", "1"})
	}
	if err := modelAddrs(l, o.Addrs); err != nil {
		return err
	}
	l.SetUp(o.Up)
	return nil
}
