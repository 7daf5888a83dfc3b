package kernel

import (
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Rules lists the policy rules of both families, IPv4 first.
func (n *NetNS) Rules() ([]Rule, error) {
	h, err := n.Netlink()
	if err != nil {
		return nil, err
	}
	var rules []Rule
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		list, err := dump(func() ([]netlink.Rule, error) { return h.RuleList(family) })
		if err != nil {
			return nil, err
		}
		for _, nr := range list {
			r := Rule{
				Priority: max(nr.Priority, 0), Family: family, IIF: nr.IifName, OIF: nr.OifName,
				Mark: nr.Mark, Mask: ^uint32(0), Table: nr.Table, Invert: nr.Invert,
			}
			if nr.Mask != nil {
				r.Mask = *nr.Mask
			}
			r.Src, _ = prefixOf(nr.Src)
			r.Dst, _ = prefixOf(nr.Dst)
			rules = append(rules, r)
		}
	}
	return rules, n.nameActions(rules)
}

// nameActions notes of rules that ask no table what they do instead.
func (n *NetNS) nameActions(rules []Rule) error {
	if !slices.ContainsFunc(rules, func(r Rule) bool { return r.Table == unix.RT_TABLE_UNSPEC }) {
		return nil
	}
	actions, err := n.ruleActions()
	if err != nil {
		return err
	}
	for i, r := range rules {
		at := rulePlace{r.Family, r.Priority}
		if here := actions[at]; len(here) > 0 {
			rules[i].Type, actions[at] = here[0], here[1:]
		}
	}
	return nil
}
