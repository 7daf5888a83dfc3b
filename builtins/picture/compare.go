package picture

import (
	"fmt"
	"nsscript/builtins/kernel/abi"
	"slices"
	"sort"
	"strings"

	"nsscript/builtins/kernel"
)

// CompareOptions say what counts when pictures are compared.
type CompareOptions struct {
	// MACs are the interfaces, as NAMESPACE/NAME, whose link-layer address was given;
	// that of others is the kernel's choice.
	MACs map[string]bool
	// STP are the bridges, as NAMESPACE/NAME, that find their tree first: they have a
	// carrier when their ports have listened for long enough.
	STP map[string]bool
	// Sysctls are the parameters that count, by namespace.
	Sysctls map[string][]string
	// Ignore names namespaces that are not compared.
	Ignore map[string]bool
	// Mark is the comment of a lab's rules, which does not count.
	Mark string
}

// Compared are the options by which another picture is compared with p: what is set in p
// counts.
func (p *Picture) Compared() CompareOptions {
	o := CompareOptions{MACs: map[string]bool{}, STP: map[string]bool{}, Sysctls: map[string][]string{}, Ignore: map[string]bool{}}
	for _, n := range p.Namespaces {
		for _, l := range n.Links {
			o.MACs[l.String()] = l.MAC != ""
			o.STP[l.String()] = l.Option(stpState) != ""
		}
		for key := range n.Sysctls {
			o.Sysctls[n.Name] = append(o.Sysctls[n.Name], key)
		}
		o.Ignore[n.Name] = !n.Owned
	}
	return o
}

// String is the interface's name with that of its namespace.
func (l *Link) String() string { return l.NS.Name + "/" + l.Name }

// Facts writes a picture as lines, one fact each, sorted, such that two networks are
// the same if their lines are.
func (p *Picture) Facts(o CompareOptions) []string {
	var facts []string
	for _, n := range p.Namespaces {
		if o.Ignore[n.Name] {
			continue
		}
		say := func(format string, args ...any) {
			facts = append(facts, n.Name+": "+fmt.Sprintf(format, args...))
		}
		say("namespace")
		for _, l := range n.Links {
			say("link %s", l.fact(o))
			for _, a := range l.Addrs {
				if l.likeKernels(a) {
					continue // one that was given looks like one that was not
				}
				say("addr %s dev %s scope %s%s", a.Prefix, l.Name, a.Scope, secondary(a))
			}
		}
		routes, _ := View{n}.Routes() // of a picture, it has no error
		for _, r := range routes {
			if automatic(&r) {
				continue
			}
			say("route %s", routeFact(r))
		}
		for _, r := range n.Rules {
			say("rule %d %s", familyRank(r.Family), r.String())
		}
		for _, key := range o.Sysctls[n.Name] {
			value, _ := n.Sysctl(key)
			say("sysctl %s = %s", key, strings.Join(strings.Fields(value), " "))
		}
		for _, t := range n.Tables {
			for _, f := range t.facts(o.Mark) {
				say("%s", f)
			}
		}
	}
	sort.Strings(facts)
	return facts
}

func secondary(a kernel.Addr) string {
	if a.Flags&abi.AddrSecondary != 0 {
		return " secondary"
	}
	return ""
}

// stpState is the option of a bridge that speaks the spanning tree protocol.
const stpState = "stp_state"

func (l *Link) fact(o CompareOptions) string {
	words := []string{l.Name, l.Kind, fmt.Sprintf("mtu %d", l.MTU)}
	if l.Up {
		words = append(words, "UP")
	}
	if l.Carrier() && !o.STP[l.String()] {
		words = append(words, "LOWER_UP")
	}
	if l.Peer != nil && !o.Ignore[l.Peer.NS.Name] {
		words = append(words, "peer "+l.Peer.String())
	}
	if l.Master != nil {
		words = append(words, "master "+l.Master.Name)
	}
	if o.MACs[l.String()] {
		words = append(words, "mac "+l.MAC)
	}
	for _, opt := range l.Options {
		if opt[0] == stpState {
			continue // a scan does not read it
		}
		words = append(words, opt[0]+" "+opt[1])
	}
	return strings.Join(words, " ")
}

// remarks are what the kernel says of a route whose interface has no carrier: the
// interface tells that already, and sooner.
const remarks = abi.HopDead | abi.HopLinkDown

// routeFact is a route without the kernel's remarks, the order of its ways not counting.
func routeFact(r kernel.Route) string {
	r.Flags &^= remarks
	r.Hops = slices.Clone(r.Hops)
	for i := range r.Hops {
		r.Hops[i].Flags &^= remarks
	}
	slices.SortFunc(r.Hops, func(a, b kernel.NextHop) int {
		return strings.Compare(a.Via.String()+a.Dev, b.Via.String()+b.Dev)
	})
	return fmt.Sprintf("%d %s", familyRank(r.Family), r.String())
}

// facts are the chains and rules of a table, numbered; a table that lets everything
// through says nothing.
func (t *Table) facts(mark string) []string {
	program := "iptables"
	if t.V6 {
		program = "ip6tables"
	}
	var facts []string
	for _, c := range t.Chains {
		if c.Policy == "" {
			facts = append(facts, fmt.Sprintf("%s -t %s -N %s", program, t.Name, c.Name))
		} else if c.Policy != "ACCEPT" {
			facts = append(facts, fmt.Sprintf("%s -t %s -P %s %s", program, t.Name, c.Name, c.Policy))
		}
		for i, r := range c.Rules {
			facts = append(facts, fmt.Sprintf("%s -t %s -A %s #%03d %s", program, t.Name, c.Name, i+1, ruleFact(r, mark)))
		}
	}
	return facts
}

// ruleFact is a rule without what does not change its meaning: the order of its
// options, and the matches that are named only because an option is theirs.
func ruleFact(spec []string, mark string) string {
	var options []string
	var option []string
	flush := func() {
		text := strings.Join(option, " ")
		if len(option) > 0 && option[0] != "-m" && option[0] != "--match" && text != "--comment "+mark {
			options = append(options, text)
		}
		option = nil
	}
	for i, w := range kernel.CanonicalSpec(spec) {
		starts := strings.HasPrefix(w, "-") && len(w) > 1 || w == "!"
		if starts && (i == 0 || len(option) > 0 && option[len(option)-1] != "!") {
			flush()
		}
		option = append(option, w)
	}
	flush()
	sort.Strings(options)
	return strings.Join(options, " ")
}
