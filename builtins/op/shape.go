package op

import (
	"context"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// SetShape slows down, delays, loses and so on what an interface sends, or does it no
// longer.
type SetShape struct {
	NS    string        `json:"ns"`
	Dev   string        `json:"dev"`
	Shape *kernel.Shape `json:"shape,omitempty"` // nil to send everything at once

	before *SetShape
}

// Undo does nothing: only the lab's own interfaces are shaped, and they go.
func (o *SetShape) Undo(context.Context, *System) error { return nil }

// Reverse gives the interface the shape that it had.
func (o *SetShape) Reverse() (Op, error) {
	if o.before == nil {
		return nil, lost("how interface %q was shaped", o.Dev)
	}
	return o.before, nil
}

// Commands are those of `tc`.
func (o *SetShape) Commands() []string {
	if o.Shape == nil {
		return []string{tc(o.NS, []string{"tc", "qdisc", "del", "dev", o.Dev, "root"})}
	}
	var cmds []string
	for _, words := range kernel.ShapeCommands(o.Dev, *o.Shape) {
		cmds = append(cmds, tc(o.NS, words))
	}
	return cmds
}

// tc is a `tc` command in a namespace of the lab.
func tc(ns string, words []string) string {
	if ns != Host {
		words = append([]string{"tc", "-n", ns}, words[1:]...)
	}
	return sh(words...)
}

// Inside is the namespace of the interface.
func (o *SetShape) Inside() []string { return []string{o.NS} }

// Model looks whether the interface can be shaped.
func (o *SetShape) Model(p *picture.Picture) error {
	l, err := picturedLink(p, o.NS, o.Dev)
	if err != nil {
		return err
	}
	return modelOurs(l)
}
