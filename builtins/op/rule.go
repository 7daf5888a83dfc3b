package op

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// RuleSpec says which rule of the routing policy database (ip-rule(8)).
type RuleSpec struct {
	NS       string `json:"ns"`
	V6       bool   `json:"v6,omitempty"`
	Src      string `json:"src,omitempty"` // a prefix; "" for all
	Dst      string `json:"dst,omitempty"`
	IIF      string `json:"iif,omitempty"`
	OIF      string `json:"oif,omitempty"`
	Mark     uint32 `json:"mark,omitempty"`
	Mask     uint32 `json:"mask,omitempty"` // of the mark; 0 for all bits
	Table    int    `json:"table"`
	Priority int    `json:"priority"`
}

func (r *RuleSpec) family() int {
	if r.V6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

func (r *RuleSpec) netlinkRule() *netlink.Rule {
	nr := netlink.NewRule()
	nr.Family, nr.IifName, nr.OifName, nr.Table, nr.Priority = r.family(), r.IIF, r.OIF, r.Table, r.Priority
	if r.Mark != 0 {
		nr.Mark = r.Mark
		if r.Mask != 0 && r.Mask != ^uint32(0) {
			nr.Mask = &r.Mask
		}
	}
	prefix := func(s string) *net.IPNet {
		p := rulePrefix(s)
		if !p.IsValid() {
			return nil
		}
		return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
	}
	nr.Src, nr.Dst = prefix(r.Src), prefix(r.Dst)
	return nr
}

func (r *RuleSpec) command(verb string) string {
	words := []string{"rule", verb}
	if r.V6 {
		words = append([]string{"-6"}, words...)
	}
	add := func(key, value string) {
		if value != "" {
			words = append(words, key, value)
		}
	}
	from := r.Src
	if from == "" {
		from = "all"
	}
	add("from", from)
	add("to", r.Dst)
	if r.Mark != 0 {
		mark := fmt.Sprintf("%#x", r.Mark)
		if r.Mask != 0 && r.Mask != ^uint32(0) {
			mark += fmt.Sprintf("/%#x", r.Mask)
		}
		add("fwmark", mark)
	}
	add("iif", r.IIF)
	add("oif", r.OIF)
	add("lookup", kernel.TableName(r.Table))
	add("priority", fmt.Sprint(r.Priority))
	return ip(r.NS, words...)
}

// pictured is the rule in the kernel's terms.
func (r *RuleSpec) pictured() kernel.Rule {
	k := kernel.Rule{Priority: r.Priority, Family: r.family(), IIF: r.IIF, OIF: r.OIF, Mark: r.Mark, Mask: ^uint32(0), Table: r.Table}
	if r.Mask != 0 {
		k.Mask = r.Mask
	}
	k.Src, k.Dst = rulePrefix(r.Src), rulePrefix(r.Dst)
	return k
}

// rulePrefix is a prefix of a rule, the invalid one where it says nothing: 0.0.0.0/0 is
// what the kernel calls all.
func rulePrefix(s string) netip.Prefix {
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Bits() == 0 {
		return netip.Prefix{}
	}
	return p
}

// AddRule adds a policy rule.
type AddRule struct {
	RuleSpec
}

// mainPriority is the priority of the rule that looks the main table up; a rule
// without a priority of its own is put before it, as the kernel does.
const mainPriority = 32766

// Prepare picks the priority, which names the rule from then on.
func (o *AddRule) Prepare(s *System) error {
	n, err := s.Look(o.NS)
	if err != nil {
		return err
	}
	rules, err := n.Rules()
	if err != nil {
		return failed(err, "the rules of %s", quoteNS(o.NS))
	}
	used := map[int]bool{}
	lowest := mainPriority
	for _, r := range rules {
		if r.Family != o.family() {
			continue
		}
		used[r.Priority] = true
		if r.Priority > 0 && r.Priority < lowest {
			lowest = r.Priority
		}
	}
	if o.Priority == 0 {
		o.Priority = lowest - 1
	} else if used[o.Priority] && !s.Owned(o.NS) {
		return &Error{Msg: fmt.Sprintf("%s already has a rule of priority %d", quoteNS(o.NS), o.Priority), Err: unix.EEXIST, Mute: true}
	}
	return nil
}

func (o *AddRule) exists(err error) error {
	return &Error{Msg: fmt.Sprintf("%s already has this rule", quoteNS(o.NS)), Err: err, Mute: true, Untouched: true}
}

// Model adds the rule.
func (o *AddRule) Model(p *picture.Picture) error {
	n, err := pictured(p, o.NS)
	if err != nil {
		return err
	}
	if err := n.AddRule(o.pictured()); err != nil {
		return o.exists(err)
	}
	return nil
}

// Commands is `ip rule add`.
func (o *AddRule) Commands() []string { return []string{o.command("add")} }

// Inside is the namespace.
func (o *AddRule) Inside() []string { return []string{o.NS} }

// DelRule deletes a policy rule.
type DelRule struct {
	RuleSpec
}

// Undo does nothing: only the lab's own rules are deleted.
func (o *DelRule) Undo(context.Context, *System) error { return nil }

// Commands is `ip rule del`.
func (o *DelRule) Commands() []string { return []string{o.command("del")} }

// Inside is the namespace.
func (o *DelRule) Inside() []string { return []string{o.NS} }

func (o *DelRule) missing(err error) error {
	return &Error{Msg: fmt.Sprintf("%s has no such rule (any more)", quoteNS(o.NS)), Err: err, Mute: true}
}

// Model removes the rule.
func (o *DelRule) Model(p *picture.Picture) error {
	n, err := pictured(p, o.NS)
	if err != nil {
		return err
	}
	if err := n.DelRule(o.pictured()); err != nil {
		return o.missing(err)
	}
	return nil
}
