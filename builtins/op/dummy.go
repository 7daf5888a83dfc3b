package op

import (
	"nsscript/builtins/picture"
)

// AddDummy makes an interface that swallows what is sent (ip-link(8), type dummy).
type AddDummy struct{ NewLink }

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
