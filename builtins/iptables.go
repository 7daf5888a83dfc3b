package builtins

import (
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

var iptablesSpecs = []spec{
	{
		sig: "iptables(ns, args)", doc: "Runs iptables with any arguments; the rule is undone with the lab like the rest.",
		run: func(c *call) (starlark.Value, error) { return c.runIptables(false) },
	},
	{
		sig: "ip6tables(ns, args)", doc: "Runs ip6tables with any arguments; the rule is undone with the lab like the rest.",
		run: func(c *call) (starlark.Value, error) { return c.runIptables(true) },
	},
}

func (c *call) runIptables(v6 bool) (starlark.Value, error) {
	var ns *Namespace
	var args words
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

// appended returns the rule that a command has appended, in the kernel's words:
// it is what stands last in its chain now. nil stands for another command.
func (c *call) appended(ns *Namespace, o *op.RunIptables) (starlark.Value, error) {
	table, chain, count := o.Appended()
	if count == 0 {
		return nil, nil
	}
	k, err := ns.open()
	if err != nil {
		return nil, err
	}
	listed, err := c.listTable(k, o.V6, table)
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
