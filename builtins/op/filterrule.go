package op

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"nsscript/builtins/kernel"
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

// longestComment is how long a rule's comment may be (iptables-extensions(8),
// comment).
const longestComment = 255

// marked returns a rule's words with the lab's mark in its comment.
func marked(spec []string, mark string) []string {
	if i := slices.Index(spec, "--comment"); i >= 0 && i+1 < len(spec) {
		spec = slices.Clone(spec)
		text := mark + ": " + spec[i+1]
		spec[i+1] = text[:min(len(text), longestComment)]
		return spec
	}
	at := len(spec)
	if i := slices.Index(spec, "-j"); i >= 0 {
		at = i
	}
	return slices.Concat(spec[:at], []string{"-m", "comment", "--comment", mark}, spec[at:])
}

// tables finds the iptables programs.
func (s *System) tables(v6 bool) (*kernel.Iptables, error) { return s.Iptables.Find(v6) }

// AddFilterRules appends rules, all of them or none.
type AddFilterRules struct {
	NS    string       `json:"ns"`
	Rules []FilterRule `json:"rules"`
	Ready bool         `json:"ready,omitempty"` // the rules bear the mark where they need it
	usedTables
}

// Prepare puts the lab's mark on rules in a namespace that is not the lab's.
func (o *AddFilterRules) Prepare(s *System) error {
	if s.Owned(o.NS) || o.Ready {
		return nil
	}
	for i := range o.Rules {
		o.Rules[i].Spec = marked(o.Rules[i].Spec, s.Mark)
	}
	o.Ready = true
	var tables []kernel.NFTable
	for _, r := range o.Rules {
		tables = append(tables, kernel.NFTable{V6: r.V6, Name: r.Table})
	}
	return o.noteTables(s, o.NS, tables...)
}

// Do appends the rules, those of one family and table together.
func (o *AddFilterRules) Do(_ context.Context, s *System) error {
	n, err := s.NS(o.NS)
	if err != nil {
		return err
	}
	done := 0
	for rest := o.Rules; len(rest) > 0; {
		first := rest[0]
		end := slices.IndexFunc(rest, func(r FilterRule) bool { return r.V6 != first.V6 || r.Table != first.Table })
		if end < 0 {
			end = len(rest)
		}
		x, err := s.tables(first.V6)
		if err != nil {
			return err
		}
		var rules []kernel.ChainRule
		for _, r := range rest[:end] {
			rules = append(rules, kernel.ChainRule{Chain: r.Chain, Spec: r.Spec})
		}
		if err := x.AppendAll(n, first.Table, rules); err != nil {
			o.Rules = o.Rules[:done] // what Undo has to delete
			return iptablesError(err, o.NS)
		}
		rest, done = rest[end:], done+end
	}
	return nil
}

// iptablesError words a complaint of iptables.
func iptablesError(err error, ns string) error {
	var e *kernel.IptablesError
	if errors.As(err, &e) {
		return &Error{Msg: fmt.Sprintf("in %s: %v", quoteNS(ns), e), Err: err, Mute: true}
	}
	return err
}

// Undo deletes the rules by what they say.
func (o *AddFilterRules) Undo(_ context.Context, s *System) error {
	if !s.Owned(o.NS) && !o.Ready {
		return nil // without the mark they may be another's
	}
	return errors.Join(deleteRules(s, o.NS, o.Rules), o.dropTables(s, o.NS))
}

func deleteRules(s *System, ns string, rules []FilterRule) error {
	n, err := s.NS(ns)
	if errors.Is(err, kernel.ErrClosed) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range slices.Backward(rules) {
		x, err := s.tables(r.V6)
		if err == nil {
			err = x.Delete(n, r.Table, r.Chain, r.Spec)
		}
		if err != nil {
			errs = append(errs, iptablesError(err, ns))
		}
	}
	return errors.Join(errs...)
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

// DelFilterRules deletes rules.
type DelFilterRules struct {
	NS    string       `json:"ns"`
	Rules []FilterRule `json:"rules"`
}

// Do deletes the rules.
func (o *DelFilterRules) Do(_ context.Context, s *System) error {
	return deleteRules(s, o.NS, o.Rules)
}

// Undo does nothing: only the lab's own rules are deleted.
func (o *DelFilterRules) Undo(context.Context, *System) error { return nil }

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
