package op

import (
	"context"
	"errors"
	"fmt"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// FilterRule is one rule of iptables or, with V6, of ip6tables.
type FilterRule struct {
	V6    bool     `json:"v6,omitempty"`
	Table string   `json:"table"`
	Chain string   `json:"chain"`
	Spec  []string `json:"spec"` // in the words and the order of `iptables -S`
}

func (r *FilterRule) command(ns, verb string) string {
	return iptablesCommand(ns, r.V6, r.Table, append([]string{verb, r.Chain}, r.Spec...)...)
}

// iptablesCommand is an iptables command in a namespace of the lab.
func iptablesCommand(ns string, v6 bool, table string, words ...string) string {
	program := []string{"iptables"}
	if v6 {
		program[0] = "ip6tables"
	}
	if table != "" && table != "filter" {
		program = append(program, "-t", table)
	}
	return InNS(ns, append(program, words...)...)
}

// filter opens a namespace and finds the program for one of its IP versions.
func (s *System) filter(ns string, v6 bool) (*kernel.NetNS, *kernel.Iptables, error) {
	n, err := s.NS(ns)
	if err != nil {
		return nil, nil, err
	}
	x, err := s.Iptables.Find(v6)
	return n, x, err
}

// AddFilterRules appends rules, all of them or none.
type AddFilterRules struct {
	NS    string       `json:"ns"`
	Rules []FilterRule `json:"rules"`
	Ready bool         `json:"ready,omitempty"` // the rules bear the mark where they need it
	usedTables

	tried bool // Do was called in this process
	added int  // of the rules, from the first on
}

// Prepare puts the lab's mark on rules in a namespace that is not the lab's.
func (o *AddFilterRules) Prepare(s *System) error {
	if s.Planned() || s.Owned(o.NS) || o.Ready {
		return nil
	}
	var tables []kernel.NFTable
	for i, r := range o.Rules {
		o.Rules[i].Spec = marked(r.Spec, s.Mark)
		tables = append(tables, kernel.NFTable{V6: r.V6, Name: r.Table})
	}
	o.Ready = true
	o.noteTables(s, o.NS, tables...)
	return nil
}

// Commands are `iptables -A`.
func (o *AddFilterRules) Commands() []string {
	var cmds []string
	for _, r := range o.Rules {
		cmds = append(cmds, r.command(o.NS, "-A"))
	}
	return cmds
}

// Inside is the namespace.
func (o *AddFilterRules) Inside() []string { return []string{o.NS} }

// Model appends the rules.
func (o *AddFilterRules) Model(p *picture.Picture) error {
	for _, r := range o.Rules {
		t, err := picturedTable(p, o.NS, r.V6, r.Table)
		if err != nil {
			return err
		}
		if t.Chain(r.Chain) == nil {
			var chains []string
			for _, c := range t.Chains {
				chains = append(chains, c.Name)
			}
			return noChain(o.NS, &r, chains, nil)
		}
		if err := t.Insert(r.Chain, 0, r.Spec); err != nil {
			return modelSaid(err, o.NS)
		}
	}
	return nil
}

// picturedTable finds a table of a picture.
func picturedTable(p *picture.Picture, ns string, v6 bool, table string) (*picture.Table, error) {
	n, err := pictured(p, ns)
	if err != nil {
		return nil, err
	}
	t, err := n.Filter(v6, table)
	return t, modelSaid(err, ns)
}

// modelSaid words what iptables would say.
func modelSaid(err error, ns string) error {
	if err == nil {
		return nil
	}
	return &Error{Msg: fmt.Sprintf("in %s: iptables: %v", quoteNS(ns), err), Err: err, Mute: true}
}

// ruleGone reports whether a rule is not there, or the namespace it was in.
func ruleGone(err error) bool {
	var said *kernel.IptablesError
	return errors.Is(err, kernel.ErrClosed) || errors.As(err, &said) && said.Gone()
}

// DelFilterRules deletes rules.
type DelFilterRules struct {
	NS    string       `json:"ns"`
	Rules []FilterRule `json:"rules"`

	before snapshots
}

// Undo puts the rules back where they were in a namespace of the lab. Elsewhere
// it does nothing: what was deleted was the lab's own.
func (o *DelFilterRules) Undo(ctx context.Context, s *System) error {
	return o.before.restore(ctx, s, o.NS)
}

// Commands are `iptables -D`.
func (o *DelFilterRules) Commands() []string {
	var cmds []string
	for _, r := range o.Rules {
		cmds = append(cmds, r.command(o.NS, "-D"))
	}
	return cmds
}

// Inside is the namespace.
func (o *DelFilterRules) Inside() []string { return []string{o.NS} }

func (o *DelFilterRules) missing(r *FilterRule, err error) error {
	return &Error{Msg: fmt.Sprintf("%s has no rule \"-A %s %s\" (any more)", quoteNS(o.NS), r.Chain, kernel.SpecText(r.Spec)), Err: err, Mute: true}
}

// Model removes the rules.
func (o *DelFilterRules) Model(p *picture.Picture) error {
	for _, r := range o.Rules {
		t, err := picturedTable(p, o.NS, r.V6, r.Table)
		if err != nil {
			return err
		}
		if err := t.Delete(r.Chain, r.Spec, true); err != nil {
			return o.missing(&r, err)
		}
	}
	return nil
}
