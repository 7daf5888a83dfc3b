package builtins

import (
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/kernel"
	"nsscript/builtins/near"
	"nsscript/builtins/op"
)

const matchParams = "chain = \"forward\", src = None, dst = None, iface = None, out = None, tcp = None, udp = None, icmp = None, proto = None, established = False, limit = None, comment = None"

var firewallSpecs = []spec{
	{
		sig: "firewall.policy(ns, *, input = None, forward = None, output = None)",
		doc: policyDoc,
		run: policy,
	},
	{
		sig: "firewall.allow(ns, *, " + matchParams + ")", doc: allowDoc,
		run: func(c *call) (starlark.Value, error) { return c.appendRule("ACCEPT") },
	},
	{
		sig: "firewall.drop(ns, *, " + matchParams + ")", doc: dropDoc,
		run: func(c *call) (starlark.Value, error) { return c.appendRule("DROP") },
	},
	{
		sig: "firewall.reject(ns, *, " + matchParams + ")", doc: rejectDoc,
		run: func(c *call) (starlark.Value, error) { return c.appendRule("REJECT") },
	},
	{
		sig: "firewall.log(ns, *, prefix = None, " + matchParams + ")", doc: logDoc,
		run: logRule,
	},
	{
		sig: "firewall.rules(ns, table = \"filter\")", doc: rulesDoc,
		run: listRules,
	},
	{
		sig: "firewall.flush(ns, table = \"filter\")", doc: flushDoc,
		run: func(c *call) (starlark.Value, error) {
			var ns *Namespace
			table := "filter"
			if err := c.unpack(&ns, &table); err != nil {
				return nil, err
			}
			if err := checkTable(table); err != nil {
				return nil, err
			}
			for _, v6 := range families() {
				if err := c.do(&op.FlushTable{NS: ns.name, V6: v6, Table: table}); err != nil {
					return nil, err
				}
			}
			return nil, nil
		},
	},
}

// families are the IP versions that this kernel speaks.
func families() []bool {
	if op.HasIPv6() {
		return []bool{false, true}
	}
	return []bool{false}
}

var tableNames = []string{"filter", "nat", "mangle", "raw", "security"}

func checkTable(table string) error {
	if !slices.Contains(tableNames, table) {
		return badArg(near.Hint(tableNames, table), "argument \"table\": no table is called %q", table)
	}
	return nil
}

func policy(c *call) (starlark.Value, error) {
	var ns *Namespace
	var input, forward, output string
	if err := c.unpack(&ns, &input, &forward, &output); err != nil {
		return nil, err
	}
	chains := []struct{ arg, chain, policy string }{
		{"input", "INPUT", input}, {"forward", "FORWARD", forward}, {"output", "OUTPUT", output},
	}
	for _, ch := range chains {
		if p := strings.ToUpper(ch.policy); p != "" && p != "ACCEPT" && p != "DROP" {
			return nil, badArg("to tell the sender, end the chain with firewall.reject(…)", "argument %q: want \"accept\" or \"drop\", got %q", ch.arg, ch.policy)
		}
	}
	if input+forward+output == "" {
		return nil, badArg("", "give input, forward or output")
	}
	for _, ch := range chains {
		if ch.policy == "" {
			continue
		}
		for _, v6 := range families() {
			if err := c.later(&op.SetPolicy{NS: ns.name, V6: v6, Chain: ch.chain, Policy: strings.ToUpper(ch.policy)}); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// longestComment is how many bytes of a comment iptables keeps
// (iptables-extensions(8), comment).
const longestComment = 255

// chainName turns forward into FORWARD; another chain is called as it is.
func chainName(s string) (string, error) {
	switch up := strings.ToUpper(s); up {
	case "INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING":
		return up, nil
	}
	if s == "" || strings.HasPrefix(s, "-") || len(s) > 28 || strings.ContainsAny(s, " \t\n\x00") {
		return "", badArg("", "argument \"chain\": want \"input\", \"forward\", \"output\" or the name of a chain, got %q", s)
	}
	return s, nil
}

// readMatch reads the arguments that all rules have in common.
func (c *call) readMatch(ns **Namespace, first ...any) (m match, chain string, err error) {
	chain = "forward"
	var src, dst starlark.Value
	var in, out devName
	dest := append([]any{ns}, first...)
	dest = append(dest, &chain, &src, &dst, &in, &out, &m.tcp, &m.udp, &m.icmp, &m.proto, &m.established, &m.limit, &m.comment)
	if err = c.unpack(dest...); err != nil {
		return m, "", err
	}
	if m.in, err = in.in(*ns, "iface"); err != nil {
		return m, "", err
	}
	if m.out, err = out.in(*ns, "out"); err != nil {
		return m, "", err
	}
	if chain, err = chainName(chain); err != nil {
		return m, "", err
	}
	switch {
	case chain == "INPUT" && m.out != "":
		return m, "", badArg("use iface for where it came in", "argument \"out\": a packet in the chain input leaves through no interface")
	case chain == "OUTPUT" && m.in != "":
		return m, "", badArg("use out for where it leaves", "argument \"iface\": a packet in the chain output came in through no interface")
	case m.proto != "" && (m.tcp != nil || m.udp != nil || m.icmp != ""):
		return m, "", badArg("", "give proto, or one of tcp, udp and icmp, not both")
	case strings.ContainsAny(m.comment, "\n\x00"):
		return m, "", badArg("", "argument \"comment\": want one line")
	case len(m.comment) > longestComment:
		return m, "", badArg("", "argument \"comment\": want at most %d bytes, got %d", longestComment, len(m.comment))
	}
	if m.limit != "" {
		if m.limit, err = readLimit(m.limit); err != nil {
			return m, "", err
		}
	}
	if m.src, err = c.readNets("src", src); err != nil {
		return m, "", err
	}
	m.dst, err = c.readNets("dst", dst)
	return m, chain, err
}

func (c *call) appendRule(target string) (starlark.Value, error) {
	var ns *Namespace
	m, chain, err := c.readMatch(&ns)
	if err != nil {
		return nil, err
	}
	rules, err := m.rules("filter", chain, func(v6 bool) []string {
		switch {
		case target != "REJECT":
			return []string{"-j", target}
		case m.tcp != nil || m.proto == "tcp":
			return []string{"-j", "REJECT", "--reject-with", "tcp-reset"}
		case v6:
			return []string{"-j", "REJECT", "--reject-with", "icmp6-port-unreachable"}
		}
		return []string{"-j", "REJECT", "--reject-with", "icmp-port-unreachable"}
	})
	if err != nil {
		return nil, err
	}
	v, err := c.addRules(ns, rules)
	if err != nil && strings.Contains(err.Error(), "has no chain") {
		if best := near.Name([]string{"forward", "input", "output"}, chain); best != "" {
			return nil, badArg(near.DidYouMean(best), "argument \"chain\": %s has no chain %q", ns.title(), chain)
		}
	}
	if err != nil && m.proto != "" && strings.Contains(err.Error(), "protocol") {
		return nil, badArg("", "argument \"proto\": no protocol is called %q", m.proto)
	}
	return v, err
}

func logRule(c *call) (starlark.Value, error) {
	var ns *Namespace
	prefix := ""
	m, chain, err := c.readMatch(&ns, &prefix)
	if err != nil {
		return nil, err
	}
	if len(prefix) > 29 || strings.ContainsAny(prefix, "\n\x00") {
		return nil, badArg("", "argument \"prefix\": want one line of at most 29 bytes, got %q", prefix)
	}
	rules, err := m.rules("filter", chain, func(bool) []string {
		if prefix == "" {
			return []string{"-j", "LOG"}
		}
		return []string{"-j", "LOG", "--log-prefix", prefix}
	})
	if err != nil {
		return nil, err
	}
	return c.addRules(ns, rules)
}

// addRules appends the concrete rules of one step.
func (c *call) addRules(ns *Namespace, rules []op.FilterRule) (starlark.Value, error) {
	for i := range rules {
		rules[i].Spec = kernel.CanonicalSpec(rules[i].Spec)
	}
	o := &op.AddFilterRules{NS: ns.name, Rules: rules}
	if err := c.later(o); err != nil {
		return nil, err
	}
	return &Rule{n: ns, rules: o.Rules}, nil
}

// Rule is a rule of iptables. One that a builtin made may stand for several
// concrete ones, one for each IP version, address or protocol.
type Rule struct {
	n     *Namespace
	rules []op.FilterRule
	nth   int // which it is of those that say the same, from 0
}

var _ starlark.HasAttrs = (*Rule)(nil)

// String prints the rules as `iptables -S` does.
func (r *Rule) String() string {
	lines := make([]string, len(r.rules))
	for i, f := range r.rules {
		lines[i] = "-A " + f.Chain + " " + kernel.SpecText(f.Spec)
	}
	return strings.Join(slices.Compact(lines), "; ")
}

func (r *Rule) Type() string          { return "Rule" }
func (r *Rule) Freeze()               {}
func (r *Rule) Truth() starlark.Bool  { return true }
func (r *Rule) Hash() (uint32, error) { return starlark.String(r.n.name + r.String()).Hash() }

// counts sums the counters of those of the rules that are still there.
func (r *Rule) counts() (packets, bytes uint64, err error) {
	type table struct {
		v6   bool
		name string
	}
	listed := map[table][]kernel.ListedRule{}
	found := false
	for _, f := range r.rules {
		t := table{f.V6, f.Table}
		if _, ok := listed[t]; !ok {
			if listed[t], err = r.n.s.listTable(r.n, f.V6, f.Table); err != nil {
				return 0, 0, err
			}
		}
		same := r.nth
		i := slices.IndexFunc(listed[t], func(l kernel.ListedRule) bool {
			if l.Chain != f.Chain || !kernel.SameSpec(l.Spec, f.Spec) {
				return false
			}
			same--
			return same < 0
		})
		if i >= 0 {
			found = true
			packets, bytes = packets+listed[t][i].Packets, bytes+listed[t][i].Bytes
		}
	}
	if !found {
		return 0, 0, badArg("", "%s has no rule %q (any more)", r.n.title(), r.String())
	}
	return packets, bytes, nil
}

// listTable lists the rules of a table as the kernel has them.
func (s *Session) listTable(n *Namespace, v6 bool, table string) ([]kernel.ListedRule, error) {
	if s.lab.Planned() {
		return s.lab.Picture().Namespace(n.name).Table(v6, table).Listed(), n.alive()
	}
	ns, err := n.real()
	if err != nil {
		return nil, err
	}
	x, err := s.lab.System().Iptables.Find(v6)
	if err != nil {
		return nil, err
	}
	return x.List(s.ctx, ns, table)
}

var ruleFields = map[string]func(*Rule) (starlark.Value, error){
	"chain": func(r *Rule) (starlark.Value, error) { return starlark.String(r.rules[0].Chain), nil },
	"table": func(r *Rule) (starlark.Value, error) { return starlark.String(r.rules[0].Table), nil },
	"ns":    func(r *Rule) (starlark.Value, error) { return r.n, nil },
	"spec": func(r *Rule) (starlark.Value, error) {
		var specs []string
		for _, f := range r.rules {
			specs = append(specs, kernel.SpecText(f.Spec))
		}
		return starlark.String(strings.Join(slices.Compact(specs), "; ")), nil
	},
	"packets": func(r *Rule) (starlark.Value, error) {
		p, _, err := r.counts()
		return starlark.MakeUint64(p), err
	},
	"bytes": func(r *Rule) (starlark.Value, error) {
		_, b, err := r.counts()
		return starlark.MakeUint64(b), err
	},
}

var ruleMethods = []spec{{
	sig: "delete(rule)", doc: ruleDeleteDoc,
	run: func(c *call) (starlark.Value, error) {
		r := c.args[0].(*Rule)
		if err := r.n.alive(); err != nil {
			return nil, err
		}
		return nil, c.do(&op.DelFilterRules{NS: r.n.name, Rules: r.rules})
	},
}}

// AttrNames lists fields and methods.
func (r *Rule) AttrNames() []string { return attrNames(ruleFields, ruleMethods) }

// Attr returns a field or a method.
func (r *Rule) Attr(name string) (starlark.Value, error) {
	if f, ok := ruleFields[name]; ok {
		return f(r)
	}
	if m := r.n.s.method(r, name, ruleMethods); m != nil {
		return m, nil
	}
	return nil, noAttr(r, name)
}

func listRules(c *call) (starlark.Value, error) {
	var ns *Namespace
	table := "filter"
	if err := c.unpack(&ns, &table); err != nil {
		return nil, err
	}
	if err := checkTable(table); err != nil {
		return nil, err
	}
	var list []*Rule
	for _, v6 := range families() {
		rules, err := c.listTable(ns, v6, table)
		if err != nil {
			return nil, err
		}
		for _, r := range rules {
			f := op.FilterRule{V6: v6, Table: table, Chain: r.Chain, Spec: r.Spec}
			if twin := ipv4Twin(list, f); v6 && twin != nil {
				twin.rules = append(twin.rules, f)
				continue
			}
			nth := 0
			for _, r := range list {
				if o := r.rules[0]; o.V6 == v6 && o.Chain == f.Chain && kernel.SameSpec(o.Spec, f.Spec) {
					nth++
				}
			}
			list = append(list, &Rule{n: ns, rules: []op.FilterRule{f}, nth: nth})
		}
	}
	return listOf(list, func(r *Rule) starlark.Value { return r }), nil
}

// ipv4Twin finds the IPv4 rule that says the same as an IPv6 one: the two are one
// rule to whoever named no address.
func ipv4Twin(list []*Rule, f op.FilterRule) *Rule {
	text := func(spec []string) string {
		return strings.ReplaceAll(kernel.SpecText(spec), "icmp6-port-unreachable", "icmp-port-unreachable")
	}
	for _, r := range list {
		if len(r.rules) == 1 && !r.rules[0].V6 && r.rules[0].Chain == f.Chain && text(r.rules[0].Spec) == text(f.Spec) {
			return r
		}
	}
	return nil
}

const firewallDoc = `
Which packets pass: the rules of iptables' filter table. A rule that names no address is made for IPv4 and IPv6.

A packet meets the rules of a chain in their order; the first that decides on it ends its way, and what none decides on is the policy's. Rules are added together, when something looks at the network, sends or waits; one that is refused then is an error of its own line. The chain is input for what is meant for the namespace itself, output for what it sends, forward for what it passes on.

example:
    fw = namespace("fw", forward = True)
    firewall.policy(fw, forward = "drop")
    firewall.allow(fw, established = True)
    firewall.allow(fw, tcp = [80, 443], comment = "web")
    for r in firewall.rules(fw):
        print(r)
    #> -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    #> -A FORWARD -p tcp -m multiport --dports 80,443 -m comment --comment web -j ACCEPT
source: iptables(8), iptables-extensions(8)
`

const policyDoc = `
What becomes of the packets that no rule of a chain decides on.

input (string): "accept" or "drop", for packets to the namespace itself
forward (string): "accept" or "drop", for packets that it passes on
output (string): "accept" or "drop", for packets that it sends
returns (None): nothing
errors: none of the three is given, or it is another word
example:
    fw = namespace("fw")
    firewall.policy(fw, input = "drop", forward = "drop")
command: iptables -P FORWARD DROP
source: iptables(8)
`

const matchDoc = `chain (string): "forward", "input" or "output", or a chain of one's own
src (string | Address | Network | Link | Namespace | list): where packets come from; of a Namespace all its global addresses
dst (string | Address | Network | Link | Namespace | list): where they go
iface (string | Link): the interface they came in by
out (string | Link): the interface they leave by
tcp (int | string | list): the TCP port they go to, a list of ports, or a range "1000:2000"
udp (int | string | list): the UDP port they go to
icmp (bool | string | int): True for all ICMP, or a type such as "echo-request"
proto (string | int): another protocol, by name or number
established (bool): packets that belong to a connection let through before, or are about one
limit (string): how often it matches at most, such as "10/minute"
comment (string): kept with the rule
returns (Rule): the rule
errors: both tcp and udp are given, or an interface that the chain never sees; a source and destination of different families
`

const allowDoc = `
Appends a rule that lets packets through.

` + matchDoc + `example:
    fw = namespace("fw")
    firewall.policy(fw, input = "drop")
    print(firewall.allow(fw, chain = "input", tcp = 22))
    #> -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
command: iptables -A FORWARD -s SRC -d DST -p tcp --dport PORT -j ACCEPT
source: iptables-extensions(8)
`

const dropDoc = `
Appends a rule that drops packets without a word.

` + matchDoc + `example:
    fw = namespace("fw")
    print(firewall.drop(fw, src = "10.0.0.0/8"))
    #> -A FORWARD -s 10.0.0.0/8 -j DROP
command: iptables -A FORWARD -s SRC -j DROP
source: iptables-extensions(8)
`

const rejectDoc = `
Appends a rule that drops packets and tells the sender so, by ICMP or, for TCP, by a reset.

` + matchDoc + `example:
    fw = namespace("fw")
    firewall.reject(fw, chain = "input", tcp = 23)
    print(connect(fw, "127.0.0.1", 23).error)
    #> refused
command: iptables -A FORWARD -p tcp -j REJECT --reject-with tcp-reset
source: iptables-extensions(8)
`

const logDoc = `
Appends a rule that writes packets to the kernel's log and lets them go on.

The log of namespaces other than the machine's own is off unless net.netfilter.nf_log_all_netns is 1 on the machine.

prefix (string, at most 29 bytes): what the lines begin with
` + matchDoc + `example:
    fw = namespace("fw")
    firewall.log(fw, prefix = "dropped: ", limit = "5/minute")
command: iptables -A FORWARD -j LOG --log-prefix PREFIX
source: iptables-extensions(8)
`

const rulesDoc = `
The rules of a table, in their order; one that is the same for IPv4 and IPv6 is listed once.

table (string): filter, nat, mangle, raw or security
returns (list[Rule]): the rules, with their counters
errors: there is no such table
example:
    fw = namespace("fw")
    firewall.drop(fw, udp = 53)
    print([r.packets for r in firewall.rules(fw)])
    #> [0]
command: iptables-save -c -t TABLE
source: iptables(8)
`

const flushDoc = `
Deletes the rules of a table; on the host and in joined namespaces the lab's own only. Policies stay.

table (string): filter, nat, mangle, raw or security
returns (None): nothing
errors: there is no such table
example:
    fw = namespace("fw")
    firewall.drop(fw, udp = 53)
    firewall.flush(fw)
    print(firewall.rules(fw))
    #> []
command: iptables -t TABLE -F
source: iptables(8)
`

const ruleTypeDoc = `
A rule of iptables, printed as "iptables -S" does.

chain (string): the chain that it is in
table (string): the table
ns (Namespace): whose rule it is
spec (string): the rule without its chain
packets (int): how many have matched
bytes (int, bytes): how many these held
errors: its counters are asked for and it is no more
source: iptables(8)
`

const ruleDeleteDoc = `
Deletes the rule.

returns (None): nothing
errors: it is gone already; on the host, the lab did not make it
example:
    fw = namespace("fw")
    r = firewall.drop(fw, udp = 53)
    r.delete()
    print(firewall.rules(fw))
    #> []
command: iptables -D CHAIN SPEC
source: iptables(8)
`
