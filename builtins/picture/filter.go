package picture

import (
	"errors"
	"fmt"
	"slices"

	"nsscript/builtins/kernel"
)

// Filter returns a table of the namespace's packet filters, which begins with the
// chains that it always has and lets everything through. The error is that there is no
// such table.
func (n *Namespace) Filter(v6 bool, name string) (*Table, error) {
	if t := n.Table(v6, name); t != nil {
		return t, nil
	}
	chains := kernel.BuiltinChains(name)
	if chains == nil {
		return nil, fmt.Errorf("there is no table %q", name)
	}
	t := &Table{V6: v6, Name: name}
	for _, c := range chains {
		t.Chains = append(t.Chains, &Chain{Name: c, Policy: "ACCEPT"})
	}
	n.Tables = append(n.Tables, t)
	return t, nil
}

// errNoChain is what iptables says of a chain, or of a target, that there is not.
var errNoChain = errors.New("No chain/target/match by that name") //nolint:staticcheck // as iptables says it

func (t *Table) find(chain string) (*Chain, error) {
	if c := t.Chain(chain); c != nil {
		return c, nil
	}
	return nil, errNoChain
}

// Insert adds a rule to a chain as the rule of that number, from 1 on; 0 adds it at the
// end.
func (t *Table) Insert(chain string, at int, spec []string) error {
	c, err := t.find(chain)
	if err != nil {
		return err
	}
	switch {
	case at == 0:
		at = len(c.Rules) + 1
	case at > len(c.Rules)+1:
		return errors.New("index of insertion too big")
	}
	c.Rules = slices.Insert(c.Rules, at-1, spec)
	return nil
}

// Delete takes the rule away that says the same, the last or the first of several.
func (t *Table) Delete(chain string, spec []string, last bool) error {
	c, err := t.find(chain)
	if err != nil {
		return err
	}
	at := -1
	for i, r := range c.Rules {
		if kernel.SameSpec(r, spec) && (last || at < 0) {
			at = i
		}
	}
	if at < 0 {
		return errors.New("bad rule (does a matching rule exist in that chain?)")
	}
	return t.DeleteAt(chain, at+1)
}

// DeleteAt takes the rule of that number away, from 1 on.
func (t *Table) DeleteAt(chain string, at int) error {
	c, err := t.find(chain)
	if err != nil {
		return err
	}
	if at < 1 || at > len(c.Rules) {
		return errors.New("index of deletion too big")
	}
	c.Rules = slices.Delete(c.Rules, at-1, at)
	return nil
}

// SetPolicy sets what becomes of packets that no rule of a built-in chain has decided
// on.
func (t *Table) SetPolicy(chain, policy string) error {
	c, err := t.find(chain)
	if err != nil {
		return err
	}
	if c.Policy == "" {
		return errors.New("bad built-in chain name")
	}
	c.Policy = policy
	return nil
}

// AddChain adds an empty chain.
func (t *Table) AddChain(name string) error {
	if t.Chain(name) != nil {
		return errors.New("chain already exists")
	}
	t.Chains = append(t.Chains, &Chain{Name: name})
	return nil
}

// RenameChain gives a chain another name, in the rules too that lead to it.
func (t *Table) RenameChain(name, to string) error {
	c, err := t.find(name)
	if err != nil {
		return err
	}
	if t.Chain(to) != nil {
		return errors.New("file exists")
	}
	c.Name = to
	for _, o := range t.Chains {
		for _, r := range o.Rules {
			for i := 1; i < len(r); i++ {
				if (r[i-1] == "-j" || r[i-1] == "-g") && r[i] == name {
					r[i] = to
				}
			}
		}
	}
	return nil
}

// Flush takes the rules of a chain away, of all chains where none is named.
func (t *Table) Flush(chain string) error {
	if chain == "" {
		for _, c := range t.Chains {
			c.Rules = nil
		}
		return nil
	}
	c, err := t.find(chain)
	if err == nil {
		c.Rules = nil
	}
	return err
}

// DeleteChain takes an empty chain of a user away, all of them where none is named.
func (t *Table) DeleteChain(name string) error {
	if name != "" {
		c, err := t.find(name)
		if err != nil {
			return err
		}
		if len(c.Rules) > 0 || c.Policy != "" {
			return errors.New("directory not empty")
		}
	}
	t.Chains = slices.DeleteFunc(t.Chains, func(c *Chain) bool {
		return c.Policy == "" && (c.Name == name || name == "" && len(c.Rules) == 0)
	})
	return nil
}

// Listed are the rules as iptables would list them: none was met by a packet yet.
func (t *Table) Listed() []kernel.ListedRule {
	if t == nil {
		return nil
	}
	var list []kernel.ListedRule
	for _, c := range t.Chains {
		for _, r := range c.Rules {
			list = append(list, kernel.ListedRule{Chain: c.Name, Spec: r, Text: kernel.SpecText(r)})
		}
	}
	return list
}
