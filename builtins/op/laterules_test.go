//go:build linux

package op

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// both is a rule for both IP versions.
func both(words ...string) *AddFilterRules {
	return &AddFilterRules{Rules: []FilterRule{accept(words...), six(accept(words...))}}
}

// tooFast is a rate that the arguments of the builtins allow and iptables does not.
var tooFast = []string{"-m", "limit", "--limit", "20000/sec"}

// inTurn does operations one after the other until one fails: so it would be if nothing
// were put off.
func inTurn(p place, list []Waiting) (done int, err error) {
	for i, o := range list {
		if err := p.appendAlone(p.t.Context(), o); err != nil {
			return i, err
		}
	}
	return len(list), nil
}

func TestGatheredRulesComeToTheSameAsOneByOne(t *testing.T) {
	bad := map[string]*AddFilterRules{
		"none":                    both("-p", "gre"),
		"refused by both":         both(tooFast...),
		"refused by the second":   {Rules: []FilterRule{accept("-p", "udp"), six(accept(tooFast...))}},
		"without a chain":         {Rules: []FilterRule{{Table: "filter", Chain: "NONE", Spec: []string{"-j", "ACCEPT"}}}},
		"without a chain in IPv6": {Rules: []FilterRule{accept("-p", "udp"), {V6: true, Table: "filter", Chain: "NONE", Spec: []string{"-j", "ACCEPT"}}}},
	}
	eachPlace(t, func(p place) {
		p.Attach("by-turns", freshNetNS(p.t), true)
		for what, wrong := range bad {
			for at := range 8 {
				together, turns := operations("fw", at, wrong), operations("by-turns", at, wrong)
				done, err := p.AppendInOrder(p.t.Context(), together)
				want, werr := inTurn(p, turns)
				if said := strings.ReplaceAll(fmt.Sprint(werr), "by-turns", "fw"); done != want || fmt.Sprint(err) != said {
					p.t.Errorf("%s, operation %d: %d were done, and then: %v\nwant %d, and: %s", what, at, done, err, want, said)
				}
				if got, want := p.all("fw"), p.all("by-turns"); got != want {
					p.t.Errorf("%s, operation %d:\n%s\nwant\n%s", what, at, got, want)
				}
				for i := range together {
					switch o := together[i].(type) {
					case *AddFilterRules:
						if all := i < done; all != (o.added == len(o.Rules)) || !all && o.added != 0 {
							p.t.Errorf("%s, operation %d: operation %d believes that %d of its rules were added", what, at, i, o.added)
						}
					case *SetPolicy:
						if was := turns[i].(*SetPolicy).Old; i < done && o.Old != was {
							p.t.Errorf("%s, operation %d: operation %d believes that the policy was %q, and it was %q", what, at, i, o.Old, was)
						}
					}
				}
				p.clear("fw")
				p.clear("by-turns")
			}
		}
	})
}

// operations are some that may be done together, with one more in between.
func operations(ns string, at int, wrong *AddFilterRules) []Waiting {
	masquerade := FilterRule{Table: "nat", Chain: "POSTROUTING", Spec: []string{"-o", "eth0", "-j", "MASQUERADE"}}
	policy := func(v6 bool, policy string) *SetPolicy {
		return &SetPolicy{NS: ns, V6: v6, Chain: "FORWARD", Policy: policy}
	}
	in := func(o *AddFilterRules) *AddFilterRules {
		return &AddFilterRules{NS: ns, Rules: slices.Clone(o.Rules)}
	}
	list := []Waiting{
		policy(false, "DROP"), in(both("-p", "tcp")), in(&AddFilterRules{Rules: []FilterRule{masquerade, six(masquerade)}}), in(both("-p", "udp")),
		policy(true, "DROP"), policy(false, "ACCEPT"), in(both("-p", "tcp")),
	}
	return slices.Insert(list, at, Waiting(in(wrong)))
}

// clear empties the tables.
func (p place) clear(ns string) {
	for _, v6 := range []bool{false, true} {
		for _, o := range []Op{
			&FlushTable{NS: ns, V6: v6, Table: "filter"}, &FlushTable{NS: ns, V6: v6, Table: "nat"}, &SetPolicy{NS: ns, V6: v6, Chain: "FORWARD", Policy: "ACCEPT"},
		} {
			if err := o.Do(p.t.Context(), p.System); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}

func TestGatheredRulesWhereRestoreDoesNotWork(t *testing.T) {
	eachPlace(t, func(p place) {
		restore := filepath.Join(p.Iptables.Path, "ip6tables-restore")
		if err := os.Remove(restore); err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(restore, []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
			p.t.Fatal(err)
		}
		var list []Waiting
		for _, o := range []*AddFilterRules{both("-p", "tcp"), both("-p", "udp"), both(tooFast...), both("-p", "gre")} {
			o.NS = "fw"
			list = append(list, o)
		}
		done, err := p.AppendInOrder(p.t.Context(), list)
		if done != 2 || err == nil || !strings.Contains(err.Error(), "Rate too fast") {
			p.t.Errorf("%d were done, and then: %v", done, err)
		}
		for _, list := range []string{"-S", "6 -S"} {
			p.has("fw", list, "-A FORWARD -p tcp -j ACCEPT", "-A FORWARD -p udp -j ACCEPT")
		}
	})
}

func TestInterruptedGatheredRules(t *testing.T) {
	eachPlace(t, func(p place) {
		ctx, cancel := context.WithCancel(p.t.Context())
		cancel()
		o := both("-p", "tcp")
		o.NS = "fw"
		if done, err := p.AppendInOrder(ctx, []Waiting{o, o}); done != 0 || err == nil {
			p.t.Errorf("after an interruption %d were done, and the error was %v", done, err)
		}
	})
}

func TestWhichRulesCanWait(t *testing.T) {
	eachPlace(t, func(p place) {
		for want, list := range map[bool][]*AddFilterRules{
			true: {both("-p", "tcp")},
			false: {
				{}, {Rules: []FilterRule{{Table: "filter", Chain: "MINE"}}}, {Rules: []FilterRule{six(accept()), accept()}},
				both("--comment", "a\nb"), both("--comment", ""),
				{Rules: []FilterRule{accept(), {Table: "nat", Chain: "INPUT"}}},
			},
		} {
			for _, o := range list {
				o.NS = "fw"
				if got := o.CanWait(p.System); got != want {
					p.t.Errorf("CanWait of %v: %v", o.Rules, got)
				}
				if o.NS = "door"; o.CanWait(p.System) {
					p.t.Errorf("in a borrowed namespace %v can wait", o.Rules)
				}
			}
		}
	})
}

func TestFormsOfRules(t *testing.T) {
	form := func(r FilterRule) string { return string(r.Form(nil)) }
	one := accept("-s", "10.0.0.0/8", "-p", "tcp", "-m", "tcp", "--dport", "80")
	if other := accept("-s", "10.1.0.0/16", "-p", "tcp", "-m", "tcp", "--dport", "81"); form(one) != form(other) {
		t.Errorf("%q and %q are of one form", form(one), form(other))
	}
	for _, other := range []FilterRule{
		six(one), accept("-d", "10.0.0.0/8", "-p", "tcp", "-m", "tcp", "--dport", "80"), accept("-s", "10.0.0.0/8", "-p", "udp", "-m", "udp", "--dport", "80"),
		accept("-p", "tcp", "-m", "tcp", "--dport", "80"), {Table: "filter", Chain: "INPUT", Spec: one.Spec}, {Table: "mangle", Chain: one.Chain, Spec: one.Spec},
	} {
		if form(one) == form(other) {
			t.Errorf("%v is not of the form of %v", other, one)
		}
	}
}

func TestPlainRules(t *testing.T) {
	for _, plain := range []FilterRule{accept(), six(accept("-s", "2001:db8::/32")), accept("-d", "10.0.0.1/32", "-i", "eth0", "-p", "tcp", "-m", "tcp", "--dport", "1:9")} {
		if !plain.Plain() {
			t.Errorf("%v is plain", plain)
		}
	}
	for _, other := range []FilterRule{
		accept("-m", "conntrack", "--ctstate", "NEW"), accept("-p", "gre"), accept("-m", "comment", "--comment", "x"), accept("--syn"),
		{Table: "nat", Chain: "POSTROUTING", Spec: []string{"-j", "ACCEPT"}}, {Table: "filter", Chain: "FORWARD", Spec: []string{"-j", "REJECT"}},
	} {
		if other.Plain() {
			t.Errorf("%v is plain", other)
		}
	}
}
