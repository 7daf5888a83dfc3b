package op

import (
	"context"

	"github.com/vishvananda/netlink"
)

// Do makes the interface.
func (o *AddDummy) Do(_ context.Context, s *System) error {
	n, l, err := o.make(s, &netlink.Dummy{LinkAttrs: o.attrs()}, "")
	if err != nil {
		return err
	}
	return o.finish(s, n, l)
}
