package builtins

import (
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
	verb, at := o.Verb()
	if verb == "-A" && len(o.Args) > at+2 {
		return &Rule{n: ns, rules: []op.FilterRule{{V6: v6, Table: o.Table(), Chain: o.Args[at+1], Spec: o.Args[at+2:]}}}, nil
	}
	return &record{kind: "Result", truth: true, text: strings.TrimRight(string(o.Stdout), "\n"), fields: []field{
		{"code", starlark.MakeInt(0)},
		{"stdout", starlark.String(o.Stdout)},
		{"stderr", starlark.String(o.Stderr)},
		{"ok", starlark.True},
	}}, nil
}
