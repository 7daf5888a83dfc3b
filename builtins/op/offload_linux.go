package op

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"nsscript/builtins/kernel"
	"nsscript/builtins/near"
)

// Do changes the features.
func (o *SetOffload) Do(_ context.Context, s *System) error {
	n, l, err := openLink(s, o.NS, o.Dev)
	if err != nil {
		return err
	}
	if !s.mine(o.NS, l) {
		return NotOurs(o.NS, fmt.Sprintf("interface %q", o.Dev))
	}
	o.before, err = n.SetOffload(o.Dev, o.Features)
	var unknown *kernel.UnknownOffloadError
	switch {
	case errors.As(err, &unknown):
		tip := near.Hint(unknown.Have, unknown.Name)
		if tip == "" {
			tip = "there are " + strings.Join(kernel.OffloadNames(), ", ") + ", and those that `ethtool -k` lists"
		}
		return &Error{Msg: fmt.Sprintf("interface %q in %s has no feature %q", o.Dev, quoteNS(o.NS), unknown.Name), Tip: tip}
	case err != nil:
		return failed(err, "the features of interface %q in %s", o.Dev, quoteNS(o.NS))
	}
	return nil
}
