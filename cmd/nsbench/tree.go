//go:build linux

package main

import (
	"fmt"

	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// tree builds some 4,000 namespaces on 64 bridges.
func tree(k *kit) benchmark {
	const fanout = 63
	const work = "tree of 3,969 on 64 bridges: "
	script := k.file("tree.star", fmt.Sprintf("load(\"@std//topo.star\", \"tree\")\ntree(depth = 2, fanout = %d)\n", fanout))
	return benchmark{
		name: "tree of 3,969",
		contenders: []contender{
			{name: "floor", job: pen.Job{Steps: []pen.Step{
				{Name: up, Argv: k.floor("tree-up", fanout)},
				{Name: down, Argv: k.floor("tree-down", fanout), Settle: true},
			}}},
			{name: "sandbox", job: pen.Job{Steps: []pen.Step{k.run(inSandbox, script), k.down(inSandbox, "tree")}}},
		},
		rows: []row{
			{work: work + "up", ours: wall("sandbox", up), against: wall("floor", up), goal: table.AtMost(1.25)},
			{work: work + "down", ours: wall("sandbox", down), against: wall("floor", down), goal: table.AtMost(1.3)},
		},
	}
}
