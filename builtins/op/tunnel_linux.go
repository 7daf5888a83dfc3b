package op

import (
	"context"
)

// Do makes the interface.
func (o *AddTunnel) Do(_ context.Context, s *System) error {
	var dev uint32
	if o.Dev != "" {
		_, l, err := openLink(s, o.NS, o.Dev)
		if err != nil {
			return err
		}
		dev = uint32(l.Index)
	}
	n, l, err := o.make(s, tunnelKinds[o.Kind].link(o, dev), o.twin())
	if err != nil {
		return err
	}
	return o.finish(s, n, l)
}
