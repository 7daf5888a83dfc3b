package kernel

import (
	"context"
	"strings"
)

// List returns the rules of a table, in all its chains.
func (x *Iptables) List(ctx context.Context, n *NetNS, table string) ([]ListedRule, error) {
	chains, err := x.ListChains(ctx, n, table)
	var rules []ListedRule
	for _, c := range chains {
		rules = append(rules, c.Rules...)
	}
	return rules, err
}

// ListChains returns the chains of a table with their rules, in iptables' order. Of a
// table that is not in use it returns none.
func (x *Iptables) ListChains(ctx context.Context, n *NetNS, table string) ([]ListedChain, error) {
	if builtinChains[table] != nil {
		if unused, err := x.unused(n, table); err != nil || unused {
			return nil, err
		}
	}
	r, err := x.Run(ctx, n, []string{"-t", table, "-v", "-S"})
	if err != nil {
		return nil, err
	}
	var chains []ListedChain
	at := map[string]int{}
	for line := range strings.SplitSeq(string(r.Stdout), "\n") {
		words := splitListed(line)
		switch {
		case len(words) >= 3 && words[0].text == "-P":
			at[words[1].text] = len(chains)
			chains = append(chains, ListedChain{Name: words[1].text, Policy: words[2].text})
		case len(words) >= 2 && words[0].text == "-N":
			at[words[1].text] = len(chains)
			chains = append(chains, ListedChain{Name: words[1].text})
		}
		if rule, ok := parseListed(line); ok {
			if i, known := at[rule.Chain]; known {
				chains[i].Rules = append(chains[i].Rules, rule)
			}
		}
	}
	return chains, nil
}
