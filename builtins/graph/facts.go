package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/kballard/go-shellquote"

	"nsscript/builtins/picture"
)

// fact is what there is to say of a namespace in a word or two, with all of it in
// lines.
type fact struct {
	kind  string // router, nat, filter, mangle, raw, security, services, note
	label string
	lines []string
}

// factsOf are the facts of a namespace, the most important first.
func factsOf(n *picture.Namespace) []fact {
	var list []fact
	if f, ok := routing(n); ok {
		list = append(list, f)
	}
	for _, table := range []string{"nat", "filter", "mangle", "raw", "security"} {
		if f, ok := tableFact(n, table); ok {
			list = append(list, f)
		}
	}
	if len(n.Services) > 0 {
		list = append(list, fact{"services", services(n.Services), plainAll(n.Services)})
	}
	if n.Note != "" {
		list = append(list, fact{"note", ansi.Truncate(plain(n.Note), longLabel, "…"), []string{plain(n.Note)}})
	}
	return list
}

// longLabel is how many letters of what runs in a namespace are shown.
const longLabel = 34

// services are the servers of a namespace in short: of nsscript's own only what they
// are, or their ports.
func services(commands []string) string {
	var list []string
	for _, c := range commands {
		words, err := shellquote.Split(c)
		if err != nil || len(words) < 3 || words[0] != "nsscript" || words[1] != "serve" {
			list = append(list, plain(c))
			continue
		}
		if !strings.HasPrefix(words[2], "-") { // dns, dhcp
			list = append(list, plain(words[2]))
			continue
		}
		for i := 2; i+1 < len(words); i += 2 {
			switch words[i] {
			case "--tcp", "--udp", "--http":
				list = append(list, plain(words[i][2:]+" "+words[i+1]))
			}
		}
	}
	return ansi.Truncate(strings.Join(list, ", "), longLabel, "…")
}

// routing tells whether the namespace forwards, and of which protocol.
func routing(n *picture.Namespace) (fact, bool) {
	v6 := n.Sysctls["net.ipv6.conf.all.forwarding"]
	has6 := v6 != "" && v6 != "0"
	switch {
	case n.Forwards() && has6:
		return fact{"router", "router", []string{"forwards IPv4 and IPv6"}}, true
	case n.Forwards():
		return fact{"router", "router", []string{"forwards IPv4"}}, true
	case has6:
		return fact{"router", "router for IPv6", []string{"forwards IPv6"}}, true
	}
	return fact{}, false
}

// summary lists what a table has: its rules, and the policies that are not ACCEPT.
func summary(t *picture.Table) TableSummary {
	sum := TableSummary{Name: t.Name, V6: t.V6, Lines: []string{}}
	program := "iptables"
	if t.V6 {
		program = "ip6tables"
	}
	if t.Name != "filter" {
		program += " -t " + t.Name
	}
	for _, c := range t.Chains {
		if c.Policy != "" {
			if sum.Policies == nil {
				sum.Policies = map[string]string{}
			}
			sum.Policies[c.Name] = c.Policy
		}
		if drops(c) {
			sum.Lines = append(sum.Lines, fmt.Sprintf("%s -P %s %s", program, c.Name, c.Policy))
		}
		for _, r := range c.Rules {
			sum.Rules++
			sum.Lines = append(sum.Lines, fmt.Sprintf("%s -A %s %s", program, c.Name, shellquote.Join(r...)))
		}
	}
	return sum
}

func drops(c *picture.Chain) bool { return c.Policy != "" && c.Policy != "ACCEPT" }

// tableFact sums a table of both protocols up: how many rules it has, and which chains
// end with DROP.
func tableFact(n *picture.Namespace, name string) (fact, bool) {
	rules := 0
	var dropping, lines []string
	for _, v6 := range []bool{false, true} {
		t := n.Table(v6, name)
		if t == nil {
			continue
		}
		sum := summary(t)
		rules += sum.Rules
		lines = append(lines, plainAll(sum.Lines)...)
		for _, c := range t.Chains {
			if drops(c) && !slices.Contains(dropping, plain(c.Name)) {
				dropping = append(dropping, plain(c.Name))
			}
		}
	}
	if len(lines) == 0 {
		return fact{}, false
	}
	var parts []string
	if len(dropping) > 0 {
		parts = append(parts, strings.Join(dropping, ", ")+" drop")
	}
	if rules > 0 {
		parts = append(parts, count(rules, "rule"))
	}
	return fact{name, tableLabel(name) + ": " + strings.Join(parts, ", "), lines}, true
}

func tableLabel(table string) string {
	switch table {
	case "filter":
		return "firewall"
	case "nat":
		return "NAT"
	}
	return table
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// routesOf are the routes that somebody made, as `ip route` has them. Those to the
// networks of its addresses go without saying.
func routesOf(n *picture.Namespace) []string {
	var list []string
	for i := range n.Routes {
		if n.Routes[i].Protocol != "kernel" {
			list = append(list, plain(n.Routes[i].String()))
		}
	}
	return list
}
