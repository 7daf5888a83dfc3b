package op

import (
	"context"

	"github.com/vishvananda/netlink"
)

// Do makes the interface.
func (o *AddIPvlan) Do(_ context.Context, s *System) error {
	n, l, err := o.makeOver(s, o.Over, "", func(a netlink.LinkAttrs) netlink.Link {
		return &netlink.IPVlan{LinkAttrs: a, Mode: ipvlanModes[o.Mode], Flag: ipvlanFlags[o.Flag]}
	})
	if err != nil {
		return err
	}
	return o.finish(s, n, l)
}
