package op

import (
	"context"

	"github.com/vishvananda/netlink"
)

// Do makes the interface.
func (o *AddMacvlan) Do(_ context.Context, s *System) error {
	n, l, err := o.makeOver(s, o.Over, "", func(a netlink.LinkAttrs) netlink.Link {
		return &netlink.Macvlan{LinkAttrs: a, Mode: macvlanModes[o.Mode]}
	})
	if err != nil {
		return err
	}
	return o.finish(s, n, l)
}
