//go:build linux

package trace

import (
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// run is a packet's way through the chain that a hook of netfilter calls, and
// through those that this one calls.
type run struct {
	table, chain string // the hook's chain
	family       uint8
	v6, legacy   bool
	hook         int
	in, out      int
	mark         uint32
	pkt          *packet
	class        class
	second       bool
	steps        []kernel.TraceEvent
	used         bool
}

// The hooks' chains of iptables, by the hooks' numbers (linux/netfilter.h).
var hookChains = []string{"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}

const (
	hookPrerouting = iota
	hookInput
	hookForward
	hookOutput
	hookPostrouting
)

func (r *run) last() *kernel.TraceEvent { return &r.steps[len(r.steps)-1] }

// readRuns sorts what the packet filter has told by the packets' ways.
// second tells that the probe is the data after a handshake.
func (s *space) readRuns(id *identity, second bool) error {
	if s.tracer == nil {
		return nil
	}
	var err error
	if s.chains, err = s.NS.NFChains(); err != nil {
		return err
	}
	current := map[uint32]*run{}
	for _, e := range s.tracer.Events() {
		r := current[e.ID]
		hook, base := s.hookOf(&e)
		p := readIP(e.Packet)
		another := r != nil && e.Legacy && p != nil && !p.same(r.pkt)
		if base && (r == nil || another || r.over() || r.table != e.Table || r.chain != e.Chain || r.family != e.Family) {
			r = &run{table: e.Table, chain: e.Chain, family: e.Family, v6: e.V6, legacy: e.Legacy, hook: hook, in: e.In, out: e.Out}
			current[e.ID] = r
			s.runs = append(s.runs, r)
		}
		if r == nil || another && !base {
			continue // its beginning was not heard
		}
		if p != nil && r.pkt == nil {
			r.pkt = p
			r.class, r.second = id.classify(p)
			// What a packet quotes or carries is cut short here.
			switch {
			case r.class != other:
			case p.quotes():
				r.class, r.second = errorMsg, second
			case p.carries():
				r.class = carrier
			}
		}
		r.mark = e.Mark
		r.steps = append(r.steps, e)
	}
	return nil
}

// same reports whether two looks are at one packet; a legacy table does not say it.
func (p *packet) same(q *packet) bool {
	return q != nil && p.flow() == q.flow() && p.ttl == q.ttl && p.proto == q.proto && p.seq == q.seq && p.flags == q.flags && p.icmpType == q.icmpType
}

// over reports whether the hook's chain has come to its end.
func (r *run) over() bool {
	e := r.last()
	return e.Policy || !e.Legacy && (e.Verdict == kernel.VerdictAccept || e.Verdict == kernel.VerdictDrop)
}

// hookOf tells which hook calls the event's chain.
func (s *space) hookOf(e *kernel.TraceEvent) (hook int, base bool) {
	if e.Legacy {
		hook = slices.Index(hookChains, e.Chain)
		return hook, hook >= 0
	}
	c := s.chainOf(e)
	if c == nil || !c.Base {
		return 0, false
	}
	switch {
	case c.Family == unix.NFPROTO_NETDEV && c.Hook == 1: // egress
		return hookPostrouting, true
	case c.Family == unix.NFPROTO_NETDEV || c.Hook > hookPostrouting: // ingress
		return hookPrerouting, true
	}
	return c.Hook, true
}

func (s *space) chainOf(e *kernel.TraceEvent) *kernel.NFChain {
	i := slices.IndexFunc(s.chains, func(c kernel.NFChain) bool {
		return c.Family == e.Family && c.Table == e.Table && c.Name == e.Chain
	})
	if i < 0 {
		return nil
	}
	return &s.chains[i]
}

// decision is what a packet filter did with a packet, and by which of its rules.
type decision struct {
	table, chain string // where the rule stands
	base         string // the hook's chain that led there, where it is another
	number       int    // the rule's place in its chain from 1; 0 for the policy
	rule         string // the rule as iptables prints it, "" where it is none of iptables
	target       string // ACCEPT, DROP, REJECT, DNAT …
	family       string // of the table, as nft calls it
	native       bool   // a rule of nft, none of iptables
	empty        bool   // the chain has no rules at all
	gone         bool   // a rule led on that does not come back (--goto)
}

// drops reports whether the packet ended there.
func (d *decision) drops() bool { return d.target == "DROP" || d.target == "REJECT" }

// queued reports whether the packet was handed to a program (libnetfilter_queue).
func (d *decision) queued() bool { return d.target == "NFQUEUE" || d.target == "QUEUE" }

// iptablesTables are the tables of iptables.
var iptablesTables = []string{"filter", "nat", "mangle", "raw", "security"}

// decide finds the rule or the policy that decided.
func (s *space) decide(r *run, rules Ruleset) (decision, error) {
	e := r.last()
	d := decision{table: r.table, chain: e.Chain, target: "ACCEPT"}
	if r.chain != e.Chain {
		d.base = r.chain
	}
	d.family = familyNames[r.family]
	d.native = !r.legacy && (!slices.Contains(iptablesTables, r.table) || r.family != unix.NFPROTO_IPV4 && r.family != unix.NFPROTO_IPV6)
	switch {
	case !e.Legacy && e.Verdict == kernel.VerdictDrop:
		d.target = "DROP"
	case !e.Legacy && e.Verdict&0xff == kernel.VerdictQueue && e.Verdict > 0:
		d.target = "QUEUE"
	}
	d.gone = slices.ContainsFunc(r.steps, func(x kernel.TraceEvent) bool { return x.Verdict == kernel.VerdictGoto })
	chain := s.chainOf(e)
	byPolicy, err := s.byPolicy(r, rules)
	if err != nil {
		return d, err
	}
	if byPolicy {
		d.chain, d.base = r.chain, ""
		d.empty = chain != nil && len(chain.Rules) == 0
		if r.legacy {
			d.empty = len(r.steps) == 1 && e.Number == 1
			if d.gone, err = s.goesAway(r, rules); err == nil {
				d.target, err = rules.Policy(s.Name, r.v6, true, r.table, r.chain)
			}
			return d, err
		}
		return d, nil
	}
	d.number = e.Number
	if chain != nil {
		d.number = 1 + slices.IndexFunc(chain.Rules, func(x kernel.NFRule) bool { return x.Handle == e.Rule })
		if d.number > 0 && chain.Rules[d.number-1].Rejects {
			d.target = "REJECT"
		}
	}
	if d.native || d.number == 0 {
		return d, nil
	}
	list, err := rules.Rules(s.Name, r.v6, r.legacy, r.table)
	if err != nil {
		return d, err
	}
	place := 0
	for i := range list {
		if list[i].Chain != d.chain {
			continue
		}
		if place++; place == d.number {
			d.rule = list[i].Text
			if t := targetOf(list[i].Spec); t != "" && (r.legacy || d.target == "ACCEPT" || t == "REJECT") {
				d.target = t
			}
		}
	}
	return d, nil
}

// byPolicy reports whether a chain's policy decided. A legacy table calls each last word
// without conditions so (get_chainname_rulenum in ip_tables.c), also that of a rule, which
// then has a number among the chain's.
func (s *space) byPolicy(r *run, rules Ruleset) (bool, error) {
	e := r.last()
	if !e.Policy || !r.legacy {
		return e.Policy, nil
	}
	list, err := rules.Rules(s.Name, r.v6, true, r.table)
	if err != nil {
		return false, err
	}
	inChain := 0
	for i := range list {
		if list[i].Chain == e.Chain {
			inChain++
		}
	}
	return e.Number > inChain, nil
}

// goesAway reports whether a rule of a legacy table led a packet to another chain for
// good.
func (s *space) goesAway(r *run, rules Ruleset) (bool, error) {
	list, err := rules.Rules(s.Name, r.v6, true, r.table)
	if err != nil {
		return false, err
	}
	for _, e := range r.steps {
		place := 0
		for i := range list {
			if list[i].Chain != e.Chain || e.Policy {
				continue
			}
			if place++; place == e.Number && slices.Contains(list[i].Spec, "-g") {
				return true, nil
			}
		}
	}
	return false, nil
}

// targetOf is the word after -j or -g.
func targetOf(spec []string) string {
	for i, w := range spec {
		if (w == "-j" || w == "-g") && i+1 < len(spec) {
			return spec[i+1]
		}
	}
	return ""
}

// familyNames are the families of tables as nft(8) calls them.
var familyNames = map[uint8]string{
	unix.NFPROTO_INET: "inet", unix.NFPROTO_IPV4: "ip", unix.NFPROTO_IPV6: "ip6",
	unix.NFPROTO_BRIDGE: "bridge", unix.NFPROTO_NETDEV: "netdev",
}

// place names the chain in a sentence.
func (d *decision) place() string {
	s := "chain " + d.chain
	if d.native {
		s += fmt.Sprintf(" of table %s %s", d.family, d.table)
	} else if d.table != "filter" {
		s += " of table " + d.table
	}
	if d.base != "" {
		s += " (called from " + d.base + ")"
	}
	return s
}

// by says what decided.
func (d *decision) by() string {
	switch {
	case d.number == 0:
		return "by policy (no rule matched)"
	case d.rule == "":
		return "by rule " + strconv.Itoa(d.number)
	}
	return "by rule " + strconv.Itoa(d.number) + ": " + d.rule
}

// stage is the chain as a line of the walk has it.
func (d *decision) stage() string {
	s := d.chain
	if d.base != "" {
		s = d.base + "/" + d.chain
	}
	if d.native {
		s = d.family + " " + d.table + " " + s
	} else if d.table != "filter" {
		s = d.table + " " + s
	}
	return s
}
