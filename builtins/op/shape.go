package op

import (
	"context"
	"errors"
	"fmt"

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

// Do shapes the interface.
func (o *SetShape) Do(_ context.Context, s *System) error {
	n, l, err := openLink(s, o.NS, o.Dev)
	if err != nil {
		return err
	}
	if !s.mine(o.NS, l) {
		return NotOurs(o.NS, fmt.Sprintf("interface %q", o.Dev))
	}
	was, shaped, err := n.ShapeOf(l.Index)
	if err != nil {
		return failed(err, "how interface %q in %s is shaped", o.Dev, quoteNS(o.NS))
	}
	o.before = &SetShape{NS: o.NS, Dev: o.Dev}
	if shaped {
		o.before.Shape = &was
	}
	if o.Shape == nil {
		if err := n.Unshape(l.Index); err != nil && !kernel.IsGone(err) {
			return failed(err, "unshaping interface %q in %s", o.Dev, quoteNS(o.NS))
		}
		return nil
	}
	if err := n.SetShape(l.Index, *o.Shape); err != nil {
		return o.explain(err)
	}
	return nil
}

// explain says what the kernel lacks, and what works without it.
func (o *SetShape) explain(err error) error {
	if o.Shape.Emulates() {
		var missing *kernel.MissingError
		if lacks := kernel.Lacks("netem", err); errors.As(lacks, &missing) {
			missing.Remedy += "; without it links can be given a rate, and nothing else"
			return missing
		}
	}
	if lacks := kernel.Lacks("tbf", err); lacks != nil {
		return lacks
	}
	return failed(err, "shaping interface %q in %s", o.Dev, quoteNS(o.NS))
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
