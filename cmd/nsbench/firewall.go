//go:build linux

package main

import (
	"fmt"

	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// firewalls gives namespaces rules.
func firewalls(k *kit) benchmark {
	b := benchmark{name: "firewall"}
	for _, c := range []struct {
		name             string
		namespaces, each int
	}{
		{"1,000 rules in one namespace", 1, 1000},
		{"10 rules in each of 200 namespaces", 200, 10},
	} {
		script := k.file(fmt.Sprintf("rules%d.star", c.namespaces), fmt.Sprintf(`
def main():
    for i in range(%d):
        ns = namespace("h%%d" %% (i + 1))
        for j in range(%d):
            firewall.drop(ns, src = "10.1.%%d.%%d" %% (j // 250, j %% 250 + 1), tcp = 80)
main()
`, c.namespaces, c.each))
		ours, floor := "sandbox: "+c.name, "iptables-restore: "+c.name
		b.contenders = append(b.contenders,
			contender{name: ours, job: pen.Job{Steps: []pen.Step{k.run(inSandbox, script)}}},
			contender{name: floor, lacks: program("iptables-restore"),
				job: pen.Job{Steps: []pen.Step{{Name: up, Argv: k.floor("rules", c.namespaces, c.each)}}}},
		)
		b.rows = append(b.rows, row{work: c.name, ours: wall(ours, up), against: wall(floor, up),
			mine: "sandbox", label: "one iptables-restore each", goal: table.AtMost(2)})
	}
	return b
}
