//go:build linux

package main

import (
	"fmt"
	"strings"

	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// linear is how much more than its size a lab of ten times the size may take, for what is
// called linear.
const linear = 1.1

// looks asks about a lab of 1,000 namespaces, and about one of 100: what is asked about
// ten times as many namespaces may take ten times as long, and not more. While the lab
// stands there, it is seen how much memory it takes.
func looks(k *kit) benchmark {
	const many, few = 1000, 100
	large, small := k.looks("lab of 1,000", many), k.looks("lab of 100", few)
	b := benchmark{name: "looks", contenders: []contender{large, small}}
	for _, l := range lookSteps {
		b.rows = append(b.rows,
			row{work: l.name + " in a lab of 1,000", ours: wall(large.name, l.name), unit: table.Seconds, goal: milliseconds(300), mine: "start to end"},
			row{work: l.name + ": 1,000 ÷ 100", ours: wall(large.name, l.name), against: wall(small.name, l.name), goal: table.AtMost(linear * many / few)},
		)
	}
	b.rows = append(b.rows, memoryRows(large.name)...)
	return b
}

// lookSteps are the commands that look, with LAB for the lab's name.
var lookSteps = []struct {
	name string
	args string
}{
	{"show", "show LAB"},
	{"ls", "ls"},
	{"completion", "__complete exec LAB/h"},
	{"trace", "trace LAB/h1 h2"},
}

func (k *kit) looks(name string, n int) contender {
	c := k.star(name, inSandbox, n)
	lab := fmt.Sprintf("star%d", n)
	steps := []pen.Step{c.job.Steps[0], idleStep}
	for _, l := range lookSteps {
		args := strings.Fields(strings.ReplaceAll(l.args, "LAB", lab))
		steps = append(steps, pen.Step{Name: l.name, Argv: append([]string{k.nsscript}, args...), Times: 3})
	}
	c.job.Steps = steps
	return c
}
