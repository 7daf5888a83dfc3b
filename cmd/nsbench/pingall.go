//go:build linux

package main

import (
	"fmt"

	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// pingall pings all pairs of a star. The script with it is measured, and the one without
// is taken off.
func pingall(k *kit) benchmark {
	const n, pairs, few = 100, 100 * 99, 20
	star := fmt.Sprintf("load(\"@std//topo.star\", \"star\")\nhosts = star(%d)\n", n)
	with := k.file("with.star", star+"check(\"all\", pingall(hosts))\n")
	without := k.file("without.star", star)
	const built, pinged = "built", "pinged"
	named := func(s pen.Step, name string) pen.Step {
		s.Name = name
		return s
	}
	down := func(lab string) pen.Step { return named(k.down(inSandbox, lab), "") }
	ours := figure{contender: "sandbox", step: pinged, less: built}
	return benchmark{
		name: "pingall",
		contenders: []contender{
			{name: "bare sockets", job: pen.Job{Steps: []pen.Step{{Argv: k.floor("star-up", n)}, {Name: pinged, Argv: k.floor("pingall", n)}}}},
			{name: "sandbox", job: pen.Job{Steps: []pen.Step{
				named(k.run(inSandbox, without), built), down("without"),
				named(k.run(inSandbox, with), pinged), down("with"),
			}}},
			k.mininetPing(few, pinged),
		},
		rows: []row{
			{work: "pingall of 100: 9,900 pairs", ours: ours, against: wall("bare sockets", pinged), goal: table.AtMost(2)},
			{work: "pingall: a pair", ours: ours.per(pairs), against: wall("Mininet", pinged).per(few * (few - 1)), faster: true,
				label: fmt.Sprintf("Mininet, of %d", few), goal: table.AtLeast(20)},
		},
	}
}

// mininetPing is Mininet at the same with fewer hosts: of 100 it takes minutes.
func (k *kit) mininetPing(n int, step string) contender {
	c := k.mininetStar(n)
	start := c.job.Steps[0]
	start.Name, start.Argv = "", append(start.Argv, "ping")
	c.job.Steps = []pen.Step{start, {Name: step, Resume: true, Stay: true}, {Resume: true}}
	return c
}
