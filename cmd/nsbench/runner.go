//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// runner runs benchmarks.
type runner struct {
	options  *options
	progress io.Writer
	failed   bool // a contender did not do its work
}

// measures are those of one contender, a round after the other.
type measures []map[string]pen.Measure

// all runs benchmarks and returns the rows of those that were chosen.
func (r *runner) all(ctx context.Context, list []benchmark) ([]table.Row, error) {
	var rows []table.Row
	for _, b := range list {
		b.rows = r.chosen(b)
		if len(b.rows) == 0 {
			continue
		}
		began := time.Now()
		made, err := r.run(ctx, b)
		if err != nil {
			return nil, err
		}
		rows = append(rows, made...)
		fmt.Fprintf(r.progress, "%s: %.0f s\n", b.name, time.Since(began).Seconds())
	}
	return rows, nil
}

// chosen are the rows that the user wants.
func (r *runner) chosen(b benchmark) []row {
	if b.long && !r.options.peers && r.options.only.String() == "" {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(b.rows), func(w row) bool {
		if c := b.contender(w.against.contender); c != nil && c.peer && !r.options.peers {
			return true
		}
		return !r.options.only.MatchString(b.name + ": " + w.work + " " + w.ours.contender + " " + w.against.contender)
	})
}

func (b *benchmark) contender(name string) *contender {
	i := slices.IndexFunc(b.contenders, func(c contender) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return &b.contenders[i]
}

// run has the contenders work, each once a round. One that fails drops out.
func (r *runner) run(ctx context.Context, b benchmark) ([]table.Row, error) {
	wanted := slices.DeleteFunc(slices.Clone(b.contenders), func(c contender) bool {
		return !slices.ContainsFunc(b.rows, func(w row) bool { return w.ours.contender == c.name || w.against.contender == c.name })
	})
	got := map[string]measures{}
	failed := map[string]string{}
	for _, c := range wanted {
		if c.lacks != "" {
			failed[c.name] = c.lacks
		}
	}
	for range r.options.runs {
		for _, c := range wanted {
			if failed[c.name] != "" {
				continue
			}
			m, err := pen.Run(ctx, c.job)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				failed[c.name], r.failed = "it failed", true
				fmt.Fprintf(r.progress, "%s: %s: %v\n", b.name, c.name, err)
				continue
			}
			got[c.name] = append(got[c.name], m)
		}
		slices.Reverse(wanted)
	}
	var rows []table.Row
	for _, w := range b.rows {
		made, err := w.fill(got, failed)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.name, err)
		}
		rows = append(rows, made)
	}
	return rows, nil
}

// fill makes the row of what was measured.
func (w row) fill(got map[string]measures, failed map[string]string) (table.Row, error) {
	made := table.Row{Work: w.work, Unit: w.unit, Goal: w.goal}
	for _, c := range []string{w.ours.contender, w.against.contender} {
		if why := failed[c]; why != "" {
			made.Ours, made.Against = w.mine, w.label
			made.Note = c + ": " + why
			return made, nil
		}
	}
	ours, err := w.ours.all(got)
	if err != nil {
		return made, err
	}
	unit := w.unit
	if w.against.contender != "" {
		unit = table.Seconds
	}
	made.Ours = nameOr(w.mine, w.ours) + " " + unit.Format(table.Of(ours).Median)
	if w.against.contender == "" {
		made.Ours = nameOr(w.mine, w.ours)
		made.Result = table.Of(ours)
		return made, nil
	}
	against, err := w.against.all(got)
	if err != nil {
		return made, err
	}
	made.Unit = table.Times
	made.Against = nameOr(w.label, w.against) + " " + unit.Format(table.Of(against).Median)
	if w.faster {
		made.Result = table.Of(table.Ratios(against, ours))
	} else {
		made.Result = table.Of(table.Ratios(ours, against))
	}
	return made, nil
}

func nameOr(label string, f figure) string {
	if label != "" {
		return label
	}
	return f.contender
}

func (f figure) all(got map[string]measures) ([]float64, error) {
	var list []float64
	for _, m := range got[f.contender] {
		v, err := f.value(m)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}
