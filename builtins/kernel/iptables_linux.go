package kernel

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/coreos/go-iptables/iptables"
)

// unused reports whether the namespace has not got the table yet. Asking
// iptables-nft about such a table would make it.
func (x *Iptables) unused(n *NetNS, table string) (bool, error) {
	if !x.nft {
		return false, nil
	}
	has, err := n.HasNFTable(NFTable{V6: x.v6, Name: table})
	return err == nil && !has, err
}

// Tables returns the tables that the namespace has. Asking iptables about any
// other would make it.
func (x *Iptables) Tables(n *NetNS) ([]string, error) {
	if !x.nft {
		return x.legacyTables(n)
	}
	tables, err := n.nfTables(NFTable{V6: x.v6}.family())
	tables = slices.DeleteFunc(tables, func(name string) bool { return builtinChains[name] == nil })
	slices.Sort(tables)
	return tables, err
}

// Chains lists the chains of a table, the built-in ones too.
func (x *Iptables) Chains(ctx context.Context, n *NetNS, table string) (chains []string, err error) {
	if known := builtinChains[table]; known != nil {
		if unused, err := x.unused(n, table); err != nil || unused {
			return slices.Clone(known), err
		}
	}
	err = x.with(ctx, n, func(t *iptables.IPTables) error {
		chains, err = t.ListChains(table)
		return err
	})
	return chains, err
}

// Policy returns the policy of a built-in chain: ACCEPT or DROP.
func (x *Iptables) Policy(ctx context.Context, n *NetNS, table, chain string) (policy string, err error) {
	if slices.Contains(builtinChains[table], chain) {
		if unused, err := x.unused(n, table); err != nil || unused {
			return "ACCEPT", err
		}
	}
	var lines []string
	err = x.with(ctx, n, func(t *iptables.IPTables) error {
		lines, err = t.List(table, chain)
		return err
	})
	if err != nil {
		return "", err
	}
	for _, l := range lines {
		if w := strings.Fields(l); len(w) >= 3 && w[0] == "-P" && w[1] == chain {
			return w[2], nil
		}
	}
	return "", &IptablesError{program: x.name, Status: 1, Text: fmt.Sprintf("chain %q has no policy: only built-in chains have one", chain)}
}

// DeleteLast removes the last rule of a chain that says exactly this. Where
// there are several it goes by number, so that it must not be used where others
// change rules too.
func (x *Iptables) DeleteLast(ctx context.Context, n *NetNS, table, chain string, spec []string) error {
	rules, err := x.List(ctx, n, table)
	if err != nil {
		return err
	}
	rules = slices.DeleteFunc(rules, func(r ListedRule) bool { return r.Chain != chain })
	same, last := 0, 0
	for i, r := range rules {
		if SameSpec(r.Spec, spec) {
			same, last = same+1, i+1
		}
	}
	if same < 2 {
		return x.Delete(ctx, n, table, chain, spec)
	}
	return x.with(ctx, n, func(t *iptables.IPTables) error { return t.DeleteById(table, chain, last) })
}
