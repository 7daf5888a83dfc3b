package op

import (
	"context"
	"errors"
	"fmt"

	"nsscript/builtins/kernel"
)

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
