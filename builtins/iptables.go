package builtins

import (
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

var iptablesSpecs = []spec{
	{
		sig: "iptables(ns, args)", doc: iptablesDoc,
		run: func(c *call) (starlark.Value, error) { return c.runIptables(false) },
	},
	{
		sig: "ip6tables(ns, args)", doc: ip6tablesDoc,
		run: func(c *call) (starlark.Value, error) { return c.runIptables(true) },
	},
}

func (c *call) runIptables(v6 bool) (starlark.Value, error) {
	var ns *Namespace
	var args words
	if len(c.args) > 1 {
		if text, ok := starlark.AsString(c.args[1]); ok {
			if lines := op.IptablesLines(text); lines != nil {
				return c.runIptablesLines(v6, lines)
			}
		}
	}
	if err := c.unpack(&ns, &args); err != nil {
		return nil, err
	}
	if args[0] == "iptables" || args[0] == "ip6tables" {
		args = args[1:]
	}
	o := &op.RunIptables{NS: ns.name, V6: v6, Args: args}
	if err := c.do(o); err != nil {
		return nil, err
	}
	rule, err := c.appended(ns, o)
	if rule != nil || err != nil {
		return rule, err
	}
	return &record{kind: "Result", truth: o.Code == 0, text: strings.TrimRight(string(o.Stdout), "\n"), fields: []field{
		{"code", starlark.MakeInt(o.Code)},
		{"stdout", starlark.String(o.Stdout)},
		{"stderr", starlark.String(o.Stderr)},
		{"ok", starlark.Bool(o.Code == 0)},
	}}, nil
}

// runIptablesLines runs several commands.
func (c *call) runIptablesLines(v6 bool, lines [][]string) (starlark.Value, error) {
	var ns *Namespace
	if err := c.unpack(&ns, nil); err != nil {
		return nil, err
	}
	for _, o := range op.IptablesOps(ns.name, v6, lines) {
		if err := c.do(o); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// appended returns the rule that a command has appended, in the kernel's words:
// it is what stands last in its chain now. nil stands for another command.
func (c *call) appended(ns *Namespace, o *op.RunIptables) (starlark.Value, error) {
	table, chain, count := o.Appended()
	if count == 0 {
		return nil, nil
	}
	listed, err := c.listTable(ns, o.V6, table)
	if err != nil {
		return nil, err
	}
	var rules []op.FilterRule
	for _, l := range slices.Backward(listed) {
		mine := ns.owned() || c.lab.System().Marked(l.Spec)
		if l.Chain == chain && mine && len(rules) < count {
			rules = append(rules, op.FilterRule{V6: o.V6, Table: table, Chain: chain, Spec: l.Spec})
		}
	}
	if len(rules) == 0 {
		return nil, nil
	}
	slices.Reverse(rules)
	return &Rule{n: ns, rules: rules}, nil
}

const iptablesDoc = `
Runs iptables with any arguments: what no other builtin says. The rule is taken back with the lab like the rest.

args (string | list[string]): such as "-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"; or several commands, one a line, as "iptables -S" prints them
returns (Rule | Result | None): the rule that was appended, or what the command printed; None for several commands
errors: iptables refuses it; the message is its own
example:
    gw = namespace("gw")
    print(iptables(gw, "-t mangle -A FORWARD -p udp -j DSCP --set-dscp 46").table)
    #> mangle
    iptables(gw, """
        -N WEB
        -A WEB -p tcp -m multiport --dports 80,443 -j ACCEPT
        -A FORWARD -j WEB
    """)
    print(len(firewall.rules(gw)))
    #> 2
command: ip netns exec NS iptables ARGS
source: iptables(8)
`

const ip6tablesDoc = `
Runs ip6tables with any arguments; the rule is taken back with the lab like the rest.

args (string | list[string]): such as "-A INPUT -p ipv6-icmp -j ACCEPT"; or several commands, one a line
returns (Rule | Result | None): the rule that was appended, or what the command printed; None for several commands
errors: ip6tables refuses it; the message is its own
example:
    gw = namespace("gw")
    print(ip6tables(gw, "-A INPUT -s 2001:db8::/32 -j DROP"))
    #> -A INPUT -s 2001:db8::/32 -j DROP
command: ip netns exec NS ip6tables ARGS
source: ip6tables(8)
`
