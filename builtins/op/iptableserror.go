package op

import (
	"errors"
	"fmt"

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

// noChain is the error of a chain that there is not, in a table that has others.
func noChain(ns string, r *FilterRule, chains []string, err error) error {
	words := "-N " + r.Chain
	if r.Table != "filter" {
		words = "-t " + r.Table + " " + words
	}
	program, of := "iptables", ""
	if r.V6 { // where iptables has it, that is half of the answer
		program, of = "ip6tables", " of ip6tables"
	}
	tip := fmt.Sprintf("make it first: %s(%s, %q)", program, ns, words)
	if best := near.Name(chains, r.Chain); best != "" {
		tip = near.DidYouMean(best)
	}
	return &Error{Msg: fmt.Sprintf("%s has no chain %q in table %q%s", quoteNS(ns), r.Chain, r.Table, of), Tip: tip, Err: err, Mute: true}
}
