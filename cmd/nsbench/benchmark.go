//go:build linux

package main

import (
	"fmt"
	"time"

	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// A benchmark is work that several contenders do side by side, and the rows that come
// of it.
type benchmark struct {
	name       string
	long       bool // it takes minutes: it is run beside peers, and where it is asked for
	contenders []contender
	rows       []row
}

// A contender is one way to do the work.
type contender struct {
	name  string
	peer  bool   // another program, which is measured on request
	lacks string // what the machine lacks for it, if anything
	job   pen.Job
}

// A row compares two figures, or tells one where there is nothing to compare with.
type row struct {
	work    string
	ours    figure
	against figure
	faster  bool // the result is how many times faster ours is, not how many times slower
	unit    table.Unit
	goal    table.Goal
	label   string // of what is compared with, if not the contender's name
	mine    string // of ours, if not the contender's name
}

// A figure is what is taken of a contender's measure.
type figure struct {
	contender, step string
	less            string // a step whose time is taken off
	share           float64
	of              func(pen.Measure) float64 // the time, where nil
}

// wall is the time of a step.
func wall(contender, step string) figure { return figure{contender: contender, step: step} }

// processor is the processor time of a step.
func processor(contender, step string) figure {
	return figure{contender: contender, step: step, of: func(m pen.Measure) float64 { return m.CPU.Seconds() }}
}

// per divides a figure.
func (f figure) per(n float64) figure {
	f.share = n
	return f
}

func (f figure) value(m map[string]pen.Measure) (float64, error) {
	get := f.of
	if get == nil {
		get = func(m pen.Measure) float64 { return m.Wall.Seconds() }
	}
	at, ok := m[f.step]
	if !ok {
		return 0, fmt.Errorf("%s has no step %q", f.contender, f.step)
	}
	v := get(at)
	if f.less != "" {
		v -= get(m[f.less])
	}
	if f.share != 0 {
		v /= f.share
	}
	return v, nil
}

// milliseconds is a goal of milliseconds.
func milliseconds(n int) table.Goal {
	return table.AtMost((time.Duration(n) * time.Millisecond).Seconds())
}

func megabytes(n int) table.Goal { return table.AtMost(float64(n) * 1e6) }
