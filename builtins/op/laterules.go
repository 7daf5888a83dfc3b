package op

import (
	"slices"
	"strings"

	"nsscript/builtins/kernel"
)

// A program that is run for every rule costs far more than the rule. Rules are
// therefore put off, and added together, where that makes no difference: in the lab's
// own namespaces, and plain ones or of a form of which one was added before.

// Waiting is an operation that may be put off, and be done with others.
type Waiting interface {
	Op
	// CanWait reports whether it may be put off: nobody else changes what it changes,
	// and it can be taken back.
	CanWait(s *System) bool
	// Trials are rules of which ones like them must have been added before.
	Trials() []FilterRule
	// lines are what it adds to tables.
	lines() []tableLine
	// done is called when they were added.
	done()
}

// tableLine is a line for a table.
type tableLine struct {
	v6    bool
	table string
	kernel.ChainRule
	policy *SetPolicy // that the line is of
}

// Gathered are the operations that a lab has put off.
type Gathered interface {
	// Holds reports whether some of them are for the namespace.
	Holds(ns string) bool
	// CatchUp does them.
	CatchUp() error
}

// isOwed reports whether anything in the namespace is yet to be done.
func (s *System) isOwed(ns string) bool {
	return s.isLate(ns) || s.Gathered != nil && s.Gathered.Holds(ns)
}

// ruleValues are the options whose value does not decide on whether the machine can
// have a rule: every value that the builtins let through is one for iptables.
var ruleValues = map[string]bool{
	"-s": true, "-d": true, "-i": true, "-o": true,
	"--dport": true, "--sport": true, "--dports": true, "--sports": true, "--to-ports": true,
	"--to-source": true, "--to-destination": true,
	"--comment": true, "--log-prefix": true, "--limit": true, "--limit-burst": true,
}

// Form is what a rule says, and where, without the values: where one of a form was added,
// others can be, save for what nobody can foresee. It is appended to b.
func (r *FilterRule) Form(b []byte) []byte {
	if r.V6 {
		b = append(b, '6')
	}
	b = append(append(append(b, r.Table...), ' '), r.Chain...)
	for i := 0; i < len(r.Spec); i++ {
		b = append(append(b, '\n'), r.Spec[i]...)
		if ruleValues[r.Spec[i]] {
			i++
		}
	}
	return b
}

// plainWords are those of rules that every machine can have which has iptables at all.
var plainWords = map[string][]string{
	"-s": nil, "-d": nil, "-i": nil, "-o": nil, "--dport": nil, // any value
	"-p": {"tcp", "udp"}, "-m": {"tcp", "udp"}, "-j": {"ACCEPT", "DROP"},
}

// Plain reports whether a rule needs nothing of the kernel that may be lacking: one of its
// form need not have been added before.
func (r *FilterRule) Plain() bool {
	if r.Table != "filter" || len(r.Spec)%2 != 0 {
		return false
	}
	for i := 0; i < len(r.Spec); i += 2 {
		values, known := plainWords[r.Spec[i]]
		if !known || values != nil && !slices.Contains(values, r.Spec[i+1]) {
			return false
		}
	}
	return true
}

// Trials are the rules that are not plain.
func (o *AddFilterRules) Trials() []FilterRule {
	if !slices.ContainsFunc(o.Rules, func(r FilterRule) bool { return !r.Plain() }) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(o.Rules), func(r FilterRule) bool { return r.Plain() })
}

func (o *AddFilterRules) lines() []tableLine {
	list := make([]tableLine, len(o.Rules))
	for i, r := range o.Rules {
		list[i] = tableLine{v6: r.V6, table: r.Table, ChainRule: kernel.ChainRule{Chain: r.Chain, Spec: r.Spec}}
	}
	return list
}

func (o *AddFilterRules) done() { o.tried, o.added = true, len(o.Rules) }

// CanWait reports whether the namespace is the lab's. The chain is always there.
func (o *SetPolicy) CanWait(s *System) bool { return !s.Planned() && s.Owned(o.NS) }

// Trials are none.
func (o *SetPolicy) Trials() []FilterRule { return nil }

func (o *SetPolicy) lines() []tableLine {
	return []tableLine{{v6: o.V6, table: "filter", ChainRule: kernel.ChainRule{Chain: o.Chain, Policy: o.Policy}, policy: o}}
}

func (o *SetPolicy) done() {}

// CanWait reports whether the rules may be added later, with those of other operations:
// nobody else changes the namespace, their chains are always there, and one that is
// refused will not keep others from being added.
func (o *AddFilterRules) CanWait(s *System) bool {
	if s.Planned() || !s.Owned(o.NS) || len(o.Rules) == 0 {
		return false
	}
	chains := kernel.BuiltinChains(o.Rules[0].Table)
	for i, r := range o.Rules {
		switch {
		case !slices.Contains(chains, r.Chain), r.Table != o.Rules[0].Table:
			return false
		case i > 0 && o.Rules[i-1].V6 && !r.V6: // they are added by family
			return false
		case slices.ContainsFunc(r.Spec, func(w string) bool { return w == "" || strings.ContainsAny(w, "\n\x00") }):
			return false
		}
	}
	return true
}
