package op

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"

	"nsscript/builtins/kernel"
)

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
