//go:build linux

package main

import (
	"fmt"

	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// firewalls gives namespaces rules. What the namespaces alone take is taken off.
func firewalls(k *kit) benchmark {
	const bare = "bare"
	b := benchmark{name: "firewall"}
	for _, c := range []struct {
		name             string
		namespaces, each int
	}{
		{"1,000 rules in one namespace", 1, 1000},
		{"10 rules in each of 200 namespaces", 200, 10},
	} {
		with, without := fmt.Sprintf("rules%d", c.namespaces), fmt.Sprintf("bare%d", c.namespaces)
		named := func(lab string, each int) pen.Step {
			return k.run(inSandbox, k.file(lab+".star", rules(c.namespaces, each)))
		}
		alone, gone := named(without, 0), k.down(inSandbox, without)
		alone.Name, gone.Name = bare, ""
		ours, floor := "sandbox: "+c.name, "iptables-restore: "+c.name
		b.contenders = append(b.contenders,
			contender{name: ours, job: pen.Job{Steps: []pen.Step{alone, gone, named(with, c.each)}}},
			contender{name: floor, lacks: program("iptables-restore"), job: pen.Job{Steps: []pen.Step{
				{Name: bare, Argv: k.floor("rules", c.namespaces, 0)}, {Name: up, Argv: k.floor("rules", c.namespaces, c.each)},
			}}},
		)
		b.rows = append(b.rows, row{work: c.name, ours: figure{contender: ours, step: up, less: bare},
			against: figure{contender: floor, step: up, less: bare}, mine: "sandbox", label: "one iptables-restore each", goal: table.AtMost(2)})
	}
	return b
}

// rules is a script that makes so many namespaces and gives each so many rules.
func rules(namespaces, each int) string {
	return fmt.Sprintf(`
def main():
    for i in range(%d):
        ns = namespace("h%%d" %% (i + 1))
        for j in range(%d):
            firewall.drop(ns, src = "10.1.%%d.%%d" %% (j // 250, j %% 250 + 1), tcp = 80)
main()
`, namespaces, each)
}
