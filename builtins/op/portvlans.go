package op

import (
	"context"
	"fmt"

	"github.com/vishvananda/netlink"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// PortVLAN is how a port of a bridge is in a VLAN (bridge(8), vlan).
type PortVLAN struct {
	ID       int  `json:"id"`
	PVID     bool `json:"pvid,omitempty"`     // what comes in without a tag belongs to it
	Untagged bool `json:"untagged,omitempty"` // what goes out has no tag
}

// SetPortVLANs puts a port of a bridge, or the bridge itself, into VLANs, and into no
// others.
type SetPortVLANs struct {
	NS     string     `json:"ns"`
	Bridge string     `json:"bridge"`
	Port   string     `json:"port"` // the bridge's name for the bridge itself
	VLANs  []PortVLAN `json:"vlans"`

	before []PortVLAN
	known  bool // before is
}

func (o *SetPortVLANs) noPort() error {
	return &Error{Msg: fmt.Sprintf("%q is no port of %q", o.Port, o.Bridge), Tip: "br.ports lists them"}
}

func (o *SetPortVLANs) noFilter() error {
	return &Error{
		Msg: fmt.Sprintf("bridge %q does not tell its ports apart by VLAN", o.Bridge),
		Tip: fmt.Sprintf("make it so: bridge(%q, vlan_filtering = True)", o.Bridge),
	}
}

func filtersVLANs(h *netlink.Handle, br *kernel.Link) (bool, error) {
	l, err := h.LinkByIndex(br.Index)
	if err != nil {
		return false, err
	}
	b, ok := l.(*netlink.Bridge)
	return ok && b.VlanFiltering != nil && *b.VlanFiltering, nil
}

// Undo does nothing: only the lab's own bridges can be changed, and they go.
func (o *SetPortVLANs) Undo(context.Context, *System) error { return nil }

// Reverse puts the port into the VLANs that it was in.
func (o *SetPortVLANs) Reverse() (Op, error) {
	if !o.known {
		return nil, lost("the VLANs of %q", o.Port)
	}
	return &SetPortVLANs{NS: o.NS, Bridge: o.Bridge, Port: o.Port, VLANs: o.before}, nil
}

// Commands are those of `bridge vlan`.
func (o *SetPortVLANs) Commands() []string {
	command := func(words ...string) string {
		if o.Port == o.Bridge {
			words = append(words, "self")
		}
		return bridgeCommand(o.NS, append([]string{"vlan"}, words...)...)
	}
	cmds := []string{command("del", "dev", o.Port, "vid", "1-4094")}
	for _, v := range o.VLANs {
		words := []string{"add", "dev", o.Port, "vid", fmt.Sprint(v.ID)}
		if v.PVID {
			words = append(words, "pvid")
		}
		if v.Untagged {
			words = append(words, "untagged")
		}
		cmds = append(cmds, command(words...))
	}
	return cmds
}

// bridgeCommand is a `bridge` command in a namespace of the lab.
func bridgeCommand(ns string, words ...string) string {
	if ns == Host {
		return sh(append([]string{"bridge"}, words...)...)
	}
	return sh(append([]string{"bridge", "-n", ns}, words...)...)
}

// Inside is the namespace of the bridge.
func (o *SetPortVLANs) Inside() []string { return []string{o.NS} }

// Model looks whether the bridge does it.
func (o *SetPortVLANs) Model(p *picture.Picture) error {
	br, err := picturedLink(p, o.NS, o.Bridge)
	if err != nil {
		return err
	}
	port, err := picturedLink(p, o.NS, o.Port)
	switch {
	case err != nil:
		return err
	case port != br && port.Master != br:
		return o.noPort()
	case br.Option("vlan_filtering") != "1":
		return o.noFilter()
	}
	return nil
}
