//go:build linux

package kernel

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

func (t NFTable) family() nftables.TableFamily {
	if t.V6 {
		return nftables.TableFamilyIPv6
	}
	return nftables.TableFamilyIPv4
}

// HasNFTable reports whether the namespace has a table. A kernel without
// nf_tables has none.
func (n *NetNS) HasNFTable(t NFTable) (bool, error) {
	names, err := n.nfTables(t.family())
	return slices.Contains(names, t.Name), err
}

// nfTables are the names of the tables of a family.
func (n *NetNS) nfTables(family nftables.TableFamily) ([]string, error) {
	c, err := nftables.New(nftables.WithNetNSFd(n.Fd()))
	if err != nil {
		return nil, ignoring(err, unix.EPROTONOSUPPORT)
	}
	tables, err := c.ListTablesOfFamily(family)
	if err != nil {
		return nil, ignoring(err, unix.EINVAL, unix.EOPNOTSUPP, unix.ECONNREFUSED)
	}
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Name
	}
	return names, nil
}

// ignoring returns an error of nf_tables, unless it is one of those.
func ignoring(err error, errnos ...unix.Errno) error {
	for _, e := range errnos {
		if errors.Is(err, e) {
			return nil
		}
	}
	return fmt.Errorf("the tables of nf_tables: %w", err)
}

// DropEmptyNFTable deletes a table in which there is no rule, as iptables leaves
// it when its last rule was deleted.
func (n *NetNS) DropEmptyNFTable(t NFTable) error {
	if has, err := n.HasNFTable(t); err != nil || !has {
		return err
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
