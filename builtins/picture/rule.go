package picture

import (
	"slices"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// AddRule adds a policy rule after those of its priority and of lower ones. The error
// is EEXIST where there is one that says the same.
func (n *Namespace) AddRule(r kernel.Rule) error {
	if slices.Contains(n.Rules, r) {
		return unix.EEXIST
	}
	at := slices.IndexFunc(n.Rules, func(o kernel.Rule) bool {
		if o.Family != r.Family {
			return familyRank(o.Family) > familyRank(r.Family)
		}
		return o.Priority > r.Priority
	})
	if at < 0 {
		at = len(n.Rules)
	}
	n.Rules = slices.Insert(n.Rules, at, r)
	return nil
}

// DelRule takes a policy rule away. The error is ENOENT where there is none like it.
func (n *Namespace) DelRule(r kernel.Rule) error {
	i := slices.Index(n.Rules, r)
	if i < 0 {
		return unix.ENOENT
	}
	n.Rules = slices.Delete(n.Rules, i, i+1)
	return nil
}
