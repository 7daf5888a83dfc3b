//go:build linux

package main

import (
	"fmt"

	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// fatTree builds some 4,000 namespaces with 10,000 cables, and a bridge in each edge.
func fatTree(k *kit) benchmark {
	const ports = 24
	b := k.shape("fat tree of 4,176 with 288 bridges", fmt.Sprintf("fat_tree(%d)", ports), "fattree", ports)
	b.long = true
	return b
}

// tree builds namespaces on many bridges of one place.
func tree(k *kit) benchmark {
	const fanout = 31
	return k.shape("tree of 961 on 32 bridges", fmt.Sprintf("tree(depth = 2, fanout = %d)", fanout), "tree", fanout)
}

// shape builds a shape of @std//topo.star, and takes it down.
func (k *kit) shape(work, call, floor string, n int) benchmark {
	script := k.file(floor+".star", "load(\"@std//topo.star\", \"fat_tree\", \"tree\")\n"+call+"\n")
	return benchmark{
		name: work,
		contenders: []contender{
			{name: "floor", job: pen.Job{Steps: []pen.Step{
				{Name: up, Argv: k.floor(floor+"-up", n)},
				{Name: down, Argv: k.floor(floor+"-down", n), Settle: true},
			}}},
			{name: "sandbox", job: pen.Job{Steps: []pen.Step{k.run(inSandbox, script), k.down(inSandbox, floor)}}},
		},
		rows: []row{
			{work: work + ": up", ours: wall("sandbox", up), against: wall("floor", up), goal: table.AtMost(1.25)},
			{work: work + ": down", ours: wall("sandbox", down), against: wall("floor", down), goal: table.AtMost(1.3)},
		},
	}
}
