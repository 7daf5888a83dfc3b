package op

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"nsscript/builtins/kernel"
	"nsscript/builtins/near"
)

// iptablesError words a complaint of iptables.
func iptablesError(err error, ns string) error {
	var said *kernel.IptablesError
	if errors.As(err, &said) {
		return &Error{Msg: fmt.Sprintf("in %s: %v", quoteNS(ns), said), Err: err, Mute: true}
	}
	return err
}

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

// noChain is the error of a chain that there is not, in a table that has others.
func noChain(ns string, r *FilterRule, chains []string, err error) error {
	words := "-N " + r.Chain
	if r.Table != "filter" {
		words = "-t " + r.Table + " " + words
	}
	tip := fmt.Sprintf("make it first: iptables(%s, %q)", ns, words)
	if best := near.Name(chains, r.Chain); best != "" {
		tip = near.DidYouMean(best)
	}
	return &Error{Msg: fmt.Sprintf("%s has no chain %q in table %q", quoteNS(ns), r.Chain, r.Table), Tip: tip, Err: err, Mute: true}
}
