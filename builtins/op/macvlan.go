package op

import (
	"github.com/vishvananda/netlink"

	"nsscript/builtins/picture"
)

// AddMacvlan makes a second interface on another one, with an address of the link
// layer of its own.
type AddMacvlan struct {
	NewLink
	Over Over   `json:"over"`
	Mode string `json:"mode"` // a key of macvlanModes
}

var macvlanModes = map[string]netlink.MacvlanMode{
	"bridge": netlink.MACVLAN_MODE_BRIDGE, "private": netlink.MACVLAN_MODE_PRIVATE,
	"vepa": netlink.MACVLAN_MODE_VEPA, "passthru": netlink.MACVLAN_MODE_PASSTHRU,
}

// MacvlanModes are the modes that a macvlan has.
func MacvlanModes() []string { return []string{"bridge", "private", "vepa", "passthru"} }

// Prepare picks what the interface is recognised by.
func (o *AddMacvlan) Prepare(s *System) error { return o.prepareOver(s, o.Over) }

func (o *AddMacvlan) options() [][2]string { return [][2]string{{"mode", o.Mode}} }

// Commands are those of `ip link`.
func (o *AddMacvlan) Commands() []string {
	return o.commandsOver(o.Over, kindWords("macvlan", o.options())...)
}

// Model adds the interface.
func (o *AddMacvlan) Model(p *picture.Picture) error {
	l, err := o.modelOver(p, o.Over, "macvlan", o.options()...)
	if err != nil {
		return err
	}
	return o.modelFinish(l)
}
