package op

import (
	"github.com/vishvananda/netlink"

	"nsscript/builtins/picture"
)

// AddIPvlan makes a second interface on another one, with which it shares the address
// of the link layer: packets are told apart by their IP addresses.
type AddIPvlan struct {
	NewLink
	Over Over   `json:"over"`
	Mode string `json:"mode"` // a key of ipvlanModes
	Flag string `json:"flag"` // a key of ipvlanFlags
}

var (
	ipvlanModes = map[string]netlink.IPVlanMode{"l2": netlink.IPVLAN_MODE_L2, "l3": netlink.IPVLAN_MODE_L3, "l3s": netlink.IPVLAN_MODE_L3S}
	ipvlanFlags = map[string]netlink.IPVlanFlag{"bridge": netlink.IPVLAN_FLAG_BRIDGE, "private": netlink.IPVLAN_FLAG_PRIVATE, "vepa": netlink.IPVLAN_FLAG_VEPA}
)

// IPvlanModes are the modes that an ipvlan has.
func IPvlanModes() []string { return []string{"l2", "l3", "l3s"} }

// IPvlanFlags say between whom an ipvlan passes packets on.
func IPvlanFlags() []string { return []string{"bridge", "private", "vepa"} }

// Prepare picks what the interface is recognised by.
func (o *AddIPvlan) Prepare(s *System) error { return o.prepareOver(s, o.Over) }

// Commands are those of `ip link`, which has a flag without a name before it.
func (o *AddIPvlan) Commands() []string {
	return o.commandsOver(o.Over, "ipvlan", "mode", o.Mode, o.Flag)
}

// Model adds the interface.
func (o *AddIPvlan) Model(p *picture.Picture) error {
	l, err := o.modelOver(p, o.Over, "ipvlan", [2]string{"mode", o.Mode})
	if err != nil {
		return err
	}
	l.MAC = l.Peer.MAC
	return o.modelFinish(l)
}
