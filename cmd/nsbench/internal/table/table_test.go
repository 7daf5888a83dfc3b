package table

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		figures []float64
		want    Stats
	}{
		{[]float64{2}, Stats{2, 2, 2}},
		{[]float64{3, 1, 2}, Stats{2, 1, 3}},
		{[]float64{4, 1, 3, 2}, Stats{2.5, 1, 4}},
	} {
		if got := Of(c.figures); got != c.want {
			t.Errorf("Of(%v) = %v, want %v", c.figures, got, c.want)
		}
	}
}

func TestRatiosAreOfTheSameRound(t *testing.T) {
	if got := Ratios([]float64{2, 9}, []float64{1, 3}); !slices.Equal(got, []float64{2, 3}) {
		t.Errorf("got %v", got)
	}
}

func TestGoals(t *testing.T) {
	for _, c := range []struct {
		goal      Goal
		met, miss float64
	}{
		{AtMost(1.25), 1.25, 1.26},
		{AtLeast(4), 4, 3.9},
	} {
		if !c.goal.Met(c.met) || c.goal.Met(c.miss) {
			t.Errorf("goal %s: met by %v: %t, by %v: %t", c.goal.In(Times), c.met, c.goal.Met(c.met), c.miss, c.goal.Met(c.miss))
		}
	}
	if !(Goal{}).Met(1) {
		t.Error("no goal is not met")
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Times.Format(1.2345), "1.23 ×"},
		{Times.Format(123.4), "123 ×"},
		{Seconds.Format(0), "0 s"},
		{Seconds.Format(0.0000123), "12.3 µs"},
		{Seconds.Format(0.01234), "12.3 ms"},
		{Seconds.Format(1.5), "1.50 s"},
		{Bytes.Format(7.25e6), "7.25 MB"},
		{AtMost(0.3).In(Seconds), "≤ 300 ms"},
		{AtLeast(20).In(Times), "≥ 20 ×"},
		{AtMost(60e6).In(Bytes), "≤ 60 MB"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

var rows = []Row{
	{Work: "star", Ours: "sandbox 1.50 s", Against: "floor 1.00 s", Unit: Times, Result: Stats{1.5, 1.4, 1.6}, Goal: AtMost(1.25)},
	{Work: "star", Note: "mininet: not installed", Goal: AtLeast(15), Unit: Times},
	{Work: "help", Ours: "nsscript", Unit: Seconds, Result: Stats{0.01, 0.009, 0.012}, Goal: AtMost(0.015)},
}

func TestPrint(t *testing.T) {
	var out bytes.Buffer
	if err := Print(&out, rows); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 || !strings.HasSuffix(lines[1], "✗") || !strings.HasSuffix(lines[3], "✓") || !strings.Contains(lines[2], "not installed") {
		t.Error(out.String())
	}
	if rows[1].Met() || !rows[2].Met() {
		t.Error("a row without a result reaches no goal")
	}
}

func TestMarkdown(t *testing.T) {
	want := "| star | sandbox 1.50 s | floor 1.00 s | 1.50 × | 1.40 × – 1.60 × | ≤ 1.25 × | ✗ |\n"
	text := Markdown(rows)
	if !strings.Contains(text, want) || strings.Count(text, "\n") != len(rows)+2 {
		t.Error(text)
	}
}
