package op

import (
	"context"

	"github.com/vishvananda/netlink"
)

// Do makes the interface.
func (o *AddVLAN) Do(_ context.Context, s *System) error {
	proto := netlink.VLAN_PROTOCOL_8021Q
	if o.Protocol == "802.1ad" {
		proto = netlink.VLAN_PROTOCOL_8021AD
	}
	n, l, err := o.makeOver(s, o.Over, o.twin(), func(a netlink.LinkAttrs) netlink.Link {
		return &netlink.Vlan{LinkAttrs: a, VlanId: o.ID, VlanProtocol: proto}
	})
	if err != nil {
		return err
	}
	return o.finish(s, n, l)
}
