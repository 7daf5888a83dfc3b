package op

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"

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

// Do puts the port into those VLANs that it is not in, and takes it out of the others
// that it is in.
func (o *SetPortVLANs) Do(_ context.Context, s *System) error {
	n, br, err := openLink(s, o.NS, o.Bridge)
	if err != nil {
		return err
	}
	if !s.mine(o.NS, br) {
		return NotOurs(o.NS, fmt.Sprintf("bridge %q", o.Bridge))
	}
	_, port, err := openLink(s, o.NS, o.Port)
	if err != nil {
		return err
	}
	if port.Master != br.Index && port.Index != br.Index {
		return o.noPort()
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	filters, err := filtersVLANs(h, br)
	if err != nil {
		return failed(err, "bridge %q", o.Bridge)
	}
	if !filters {
		return o.noFilter()
	}
	if o.before, err = portVLANs(h, port); err != nil {
		return failed(err, "the VLANs of %q", o.Port)
	}
	o.known = true
	self := port.Index == br.Index
	for _, v := range o.before {
		if !slices.ContainsFunc(o.VLANs, func(w PortVLAN) bool { return w.ID == v.ID }) {
			if err := h.BridgeVlanDel(ref(port), uint16(v.ID), false, false, self, !self); err != nil {
				return failed(err, "taking %q out of VLAN %d", o.Port, v.ID)
			}
		}
	}
	for _, v := range o.VLANs {
		if slices.Contains(o.before, v) {
			continue
		}
		if err := h.BridgeVlanAdd(ref(port), uint16(v.ID), v.PVID, v.Untagged, self, !self); err != nil {
			return failed(err, "putting %q into VLAN %d", o.Port, v.ID)
		}
	}
	return nil
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

// portVLANs reads which VLANs a port is in.
func portVLANs(h *netlink.Handle, port *kernel.Link) ([]PortVLAN, error) {
	all, err := h.BridgeVlanList()
	for tries := 0; errors.Is(err, netlink.ErrDumpInterrupted) && tries < 10; tries++ {
		all, err = h.BridgeVlanList()
	}
	if err != nil {
		return nil, err
	}
	var list []PortVLAN
	for _, v := range all[int32(port.Index)] {
		list = append(list, PortVLAN{
			ID: int(v.Vid), PVID: v.Flags&nl.BRIDGE_VLAN_INFO_PVID != 0, Untagged: v.Flags&nl.BRIDGE_VLAN_INFO_UNTAGGED != 0,
		})
	}
	return list, nil
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
