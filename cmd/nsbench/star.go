//go:build linux

package main

import (
	"fmt"

	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// star builds namespaces on one bridge with addresses and default routes, and takes them
// down.
func star(k *kit) benchmark {
	const n, few = 1000, 100
	return benchmark{
		name: "star of 1,000",
		contenders: []contender{
			k.starFloor(n),
			k.star("sandbox", inSandbox, n),
			k.star("sandbox of 100", inSandbox, few),
			k.star("host mode", onHost, n),
			k.rootless(k.star("rootless", rootless, n)),
		},
		rows: []row{
			{work: "star of 1,000: up", ours: wall("sandbox", up), against: wall("floor", up), goal: table.AtMost(1.25)},
			{work: "star of 1,000: up, a node", ours: wall("sandbox", up).per(n), against: wall("sandbox of 100", up).per(few),
				label: "a node of 100", goal: table.AtMost(1.4)},
			{work: "star of 1,000: down", ours: wall("sandbox", down), against: wall("floor", down), goal: table.AtMost(1.3)},
			{work: "star of 1,000: up", ours: wall("host mode", up), against: wall("sandbox", up), goal: table.AtMost(1.3)},
			{work: "star of 1,000: down", ours: wall("host mode", down), against: wall("sandbox", down), goal: table.AtMost(1.3)},
			{work: "star of 1,000: up", ours: wall("rootless", up), against: wall("sandbox", up), goal: table.AtMost(1.3)},
			{work: "star of 1,000: down", ours: wall("rootless", down), against: wall("sandbox", down), goal: table.AtMost(1.3)},
		},
	}
}

// star is nsscript at a star.
func (k *kit) star(name string, at where, n int) contender {
	lab := fmt.Sprintf("star%d", n)
	script := k.file(lab+".star", fmt.Sprintf("load(\"@std//topo.star\", \"star\")\nstar(%d)\n", n))
	return contender{name: name, job: pen.Job{Steps: []pen.Step{k.run(at, script), k.down(at, lab)}}}
}

func (k *kit) starFloor(n int) contender {
	return contender{name: "floor", job: pen.Job{Steps: []pen.Step{
		{Name: up, Argv: k.floor("star-up", n)},
		{Name: down, Argv: k.floor("star-down", n), Settle: true},
	}}}
}

// rootless tells what the machine lacks for a contender without root.
func (k *kit) rootless(c contender) contender {
	c.lacks = rootlessLacks()
	return c
}
