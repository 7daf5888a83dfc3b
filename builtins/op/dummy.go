package op

import (
	"context"

	"github.com/vishvananda/netlink"

	"nsscript/builtins/picture"
)

// AddDummy makes an interface that swallows what is sent (ip-link(8), type dummy).
type AddDummy struct{ NewLink }

// Do makes the interface.
func (o *AddDummy) Do(_ context.Context, s *System) error {
	n, l, err := o.make(s, &netlink.Dummy{LinkAttrs: o.attrs()}, "")
	if err != nil {
		return err
	}
	return o.finish(s, n, l)
}

// Commands are those of `ip link`.
func (o *AddDummy) Commands() []string { return o.commands("dummy") }

// Model adds the interface.
func (o *AddDummy) Model(p *picture.Picture) error {
	l, err := o.model(p, "dummy", 0)
	if err != nil {
		return err
	}
	return o.modelFinish(l)
}
