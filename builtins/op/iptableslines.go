package op

import (
	"slices"
	"strings"
)

// IptablesLines takes a text of several commands of iptables apart, one a line, as
// `iptables -S` prints them. Empty lines and comments are left out. A text is not
// several commands, and the result nil, unless each of its lines holds one.
func IptablesLines(text string) [][]string {
	var lines [][]string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words, err := Words(line)
		if err != nil || len(words) == 0 {
			return nil
		}
		if words[0] == "iptables" || words[0] == "ip6tables" {
			words = words[1:]
		}
		if parseIptables(words).verb() == "" {
			return nil
		}
		lines = append(lines, words)
	}
	if len(lines) < 2 {
		return nil
	}
	return lines
}

// IptablesOps are the operations that do several commands in their order. Rules that
// are appended one after the other are one operation, which adds all of them or none.
func IptablesOps(ns string, v6 bool, lines [][]string) []Op {
	var ops []Op
	var rules []FilterRule
	flush := func() {
		if len(rules) > 0 {
			ops = append(ops, &AddFilterRules{NS: ns, Rules: rules})
		}
		rules = nil
	}
	for _, words := range lines {
		p := parseIptables(words)
		if p.verb() != "-A" || len(p.flags) > 0 || !slices.Contains(FilterTables, p.table) {
			flush()
			ops = append(ops, &RunIptables{NS: ns, V6: v6, Args: words})
			continue
		}
		if len(rules) > 0 && rules[0].Table != p.table {
			flush()
		}
		for _, spec := range p.each() {
			rules = append(rules, FilterRule{V6: v6, Table: p.table, Chain: p.chain, Spec: spec})
		}
	}
	flush()
	return ops
}
