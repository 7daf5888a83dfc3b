//go:build linux

package main

import (
	"time"

	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// idleStep watches a lab that stands and has nothing to do.
var idleStep = pen.Step{Name: "idle", Watch: 3 * time.Second}

// memoryRows are about what a lab of 1,000 namespaces takes while it is built, and when
// it stands idle. The memory is what the processes have resident (VmRSS), with the parts
// of the program's file, which they share.
func memoryRows(lab string) []row {
	of := func(step string, of func(pen.Measure) float64) figure {
		return figure{contender: lab, step: step, of: of}
	}
	return []row{
		{work: "memory: building 1,000 namespaces", mine: "peak resident", unit: table.Bytes, goal: megabytes(60),
			ours: of(up, func(m pen.Measure) float64 { return float64(m.Peak) })},
		{work: "memory: an idle lab of 1,000", mine: "resident", unit: table.Bytes, goal: megabytes(12),
			ours: of(idleStep.Name, func(m pen.Measure) float64 { return float64(m.Left) })},
		{work: "processor: an idle lab of 1,000, 3 s", mine: "time taken", unit: table.Seconds, goal: table.AtMost(0),
			ours: processor(lab, idleStep.Name)},
	}
}
