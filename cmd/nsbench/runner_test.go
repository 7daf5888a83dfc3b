//go:build linux

package main

import (
	"regexp"
	"testing"
	"time"

	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// two rounds: nsscript takes 4 s and 6 s, of which 1 s is not counted; the floor 1 s and 5 s.
var rounds = map[string]measures{
	"ours": {
		{up: {Wall: 4 * time.Second, Peak: 7}, down: {Wall: time.Second}},
		{up: {Wall: 6 * time.Second, Peak: 9}, down: {Wall: time.Second}},
	},
	"floor": {{up: {Wall: time.Second}}, {up: {Wall: 5 * time.Second}}},
}

func TestFill(t *testing.T) {
	ours := figure{contender: "ours", step: up, less: down}
	for _, c := range []struct {
		name string
		row  row
		want table.Row
	}{
		{"times slower", row{ours: ours, against: wall("floor", up)},
			table.Row{Ours: "ours 4.00 s", Against: "floor 3.00 s", Unit: table.Times, Result: table.Stats{Median: 2, Low: 1, High: 3}}},
		{"times faster, of parts", row{ours: ours.per(2), against: wall("floor", up), faster: true, mine: "mine", label: "theirs"},
			table.Row{Ours: "mine 2.00 s", Against: "theirs 3.00 s", Unit: table.Times, Result: table.Stats{Median: (2.0/3 + 2) / 2, Low: 2.0 / 3, High: 2}}},
		{"alone", row{ours: figure{contender: "ours", step: up, of: func(m pen.Measure) float64 { return float64(m.Peak) }}, unit: table.Bytes},
			table.Row{Ours: "ours", Unit: table.Bytes, Result: table.Stats{Median: 8, Low: 7, High: 9}}},
		{"missing", row{ours: ours, against: wall("peer", up)}, table.Row{Note: "peer: it is not installed"}},
	} {
		got, err := c.row.fill(rounds, map[string]string{"peer": "it is not installed"})
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
}

func TestChosen(t *testing.T) {
	b := benchmark{
		name:       "star",
		contenders: []contender{{name: "sandbox"}, {name: "floor"}, {name: "Mininet", peer: true}},
		rows: []row{
			{work: "up", ours: wall("sandbox", up), against: wall("floor", up)},
			{work: "down", ours: wall("sandbox", down), against: wall("Mininet", down)},
		},
	}
	long := b
	long.long = true
	for _, c := range []struct {
		name  string
		b     benchmark
		only  string
		peers bool
		want  int
	}{
		{"without peers", b, "", false, 1},
		{"with peers", b, "", true, 2},
		{"by its name", b, "star: down", true, 1},
		{"by its peer", b, "Mininet", true, 1},
		{"nothing", b, "tree", true, 0},
		{"long", long, "", false, 0},
		{"long, asked for", long, "star", false, 1},
		{"long, with peers", long, "", true, 2},
	} {
		r := &runner{options: &options{only: regexp.MustCompile(c.only), peers: c.peers}}
		if got := len(r.chosen(c.b)); got != c.want {
			t.Errorf("%s: %d rows, not %d", c.name, got, c.want)
		}
	}
}
