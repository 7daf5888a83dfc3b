//go:build linux

package main

import (
	"time"

	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// memory looks at what a lab of 1,000 namespaces takes while it is built, and when it
// stands idle.
func memory(k *kit) benchmark {
	const idle = "idle"
	c := k.star("sandbox", inSandbox, 1000)
	c.job.Steps = []pen.Step{c.job.Steps[0], {Name: idle, Watch: 3 * time.Second}}
	of := func(step string, of func(pen.Measure) float64) figure {
		return figure{contender: c.name, step: step, of: of}
	}
	return benchmark{
		name:       "memory",
		contenders: []contender{c},
		rows: []row{
			{work: "memory: building 1,000 namespaces", mine: "peak resident", unit: table.Bytes, goal: megabytes(60),
				ours: of(up, func(m pen.Measure) float64 { return float64(m.Peak) })},
			{work: "memory: an idle lab of 1,000", mine: "resident", unit: table.Bytes, goal: megabytes(12),
				ours: of(idle, func(m pen.Measure) float64 { return float64(m.Left) })},
			{work: "processor: an idle lab of 1,000, 3 s", mine: "time taken", unit: table.Seconds, goal: table.AtMost(0),
				ours: of(idle, func(m pen.Measure) float64 { return m.LeftAs.Seconds() })},
		},
	}
}
