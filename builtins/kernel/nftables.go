package kernel

import (
	"fmt"

	"github.com/google/nftables"
)

// NFTable names a table of nf_tables. iptables-nft keeps its tables there under
// iptables' own names, and makes each when it is first needed.
type NFTable struct {
	V6   bool   `json:"v6,omitempty"`
	Name string `json:"name"`
}

func (t NFTable) family() nftables.TableFamily {
	if t.V6 {
		return nftables.TableFamilyIPv6
	}
	return nftables.TableFamilyIPv4
}

// HasNFTable reports whether the namespace has a table. Where that cannot be
// told it says yes: what may be somebody's is left alone.
func (n *NetNS) HasNFTable(t NFTable) bool {
	c, err := nftables.New(nftables.WithNetNSFd(n.Fd()))
	if err != nil {
		return true
	}
	tables, err := c.ListTablesOfFamily(t.family())
	if err != nil {
		return true
	}
	for _, have := range tables {
		if have.Name == t.Name {
			return true
		}
	}
	return false
}

// DropEmptyNFTable deletes a table in which there is no rule, as iptables leaves
// it when its last rule was deleted.
func (n *NetNS) DropEmptyNFTable(t NFTable) error {
	if !n.HasNFTable(t) {
		return nil
	}
	c, err := nftables.New(nftables.WithNetNSFd(n.Fd()))
	if err != nil {
		return err
	}
	chains, err := c.ListChainsOfTableFamily(t.family())
	if err != nil {
		return fmt.Errorf("the chains of nf_tables: %w", err)
	}
	for _, ch := range chains {
		if ch.Table.Name != t.Name {
			continue
		}
		rules, err := c.GetRules(ch.Table, ch)
		if err != nil {
			return fmt.Errorf("the rules of nf_tables: %w", err)
		}
		if len(rules) > 0 || ch.Policy != nil && *ch.Policy == nftables.ChainPolicyDrop {
			return nil
		}
	}
	c.DelTable(&nftables.Table{Name: t.Name, Family: t.family()})
	if err := c.Flush(); err != nil {
		return fmt.Errorf("deleting the empty table %s: %w", t.Name, err)
	}
	return nil
}
