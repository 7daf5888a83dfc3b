package op

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"nsscript/builtins/kernel"
)

// explainRule words why rules could not be added. The kernel has one errno for a
// chain and for a match or target that is not there; iptables passes that on.
func explainRule(ctx context.Context, err error, ns string, n *kernel.NetNS, x *kernel.Iptables, rules []FilterRule) error {
	var said *kernel.IptablesError
	if !errors.As(err, &said) || !said.NoSuch() {
		return iptablesError(err, ns)
	}
	chains, cerr := x.Chains(ctx, n, rules[0].Table)
	if cerr != nil {
		return iptablesError(err, ns)
	}
	for _, r := range rules {
		if slices.Contains(chains, r.Chain) {
			continue
		}
		return noChain(ns, &r, chains, err)
	}
	return &Error{
		Msg: fmt.Sprintf("in %s: this kernel lacks a match or target of the rule \"-A %s %s\"", quoteNS(ns), rules[0].Chain, kernel.SpecText(rules[0].Spec)),
		Err: err, Mute: true,
	}
}
