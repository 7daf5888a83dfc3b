package graph

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// TestTextWidth draws for narrow and wide terminals.
func TestTextWidth(t *testing.T) {
	for name, n := range shapes() {
		for _, width := range []int{40, 80, 132} {
			for _, l := range strings.Split(drawn(t, n, Options{Format: "text", Width: width}), "\n") {
				if w := ansi.StringWidth(l); w > width {
					t.Errorf("%s: %d columns, of %d: %s", name, w, width, l)
				}
			}
		}
	}
}

// TestTextSize checks that a text stays short enough to be read.
func TestTextSize(t *testing.T) {
	for name, n := range shapes() {
		if lines := strings.Count(drawn(t, n, Options{Format: "text"}), "\n"); lines > 150 && !strings.HasPrefix(name, "mesh") {
			t.Errorf("%s has %d lines", name, lines)
		}
	}
}

// TestTextNames checks that in a text that is not folded each namespace is drawn once:
// in a box of its own, or in brackets at the end of its cable.
func TestTextNames(t *testing.T) {
	drawnAt := regexp.MustCompile(`┌─ (\S+)|\[(\S+?)\]`)
	for name, n := range shapes() {
		d := newDrawing(n.Picture)
		if len(d.boxes) > readable {
			continue
		}
		got := map[string]int{}
		for _, m := range drawnAt.FindAllStringSubmatch(drawn(t, n, Options{Format: "text"}), -1) {
			got[m[1]+m[2]]++
		}
		for _, b := range d.boxes {
			if got[b.name()] != 1 {
				t.Errorf("%s: %s is drawn %d times", name, b.name(), got[b.name()])
			}
		}
	}
}

// TestWalkFolded draws the way of a packet over what is folded: the boxes that it, or
// its answer, was in are drawn each by itself, also where one was not seen to leave.
func TestWalkFolded(t *testing.T) {
	walk := &Walk{Title: "h3 → h50", Verdict: "✓ delivered to h50", Arrived: true, Steps: []Step{
		{NS: "h50", Dev: "eth0"}, {NS: "h50", Dev: "eth0", Out: true, Back: true}, {NS: "h3", Dev: "eth0", Back: true},
	}}
	got := drawn(t, star(60), Options{Format: "text", Walk: walk})
	for _, want := range []string{"\n1 br0 ─2→ 3 h50; back: ─4→ 5 br0 ─6→ 7 h3\n", "┝━2━▶ [3 h50] eth0", "┝━6━▶ [h3] eth0", "[h1 … h60] 58 alike"} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in:\n%s", want, got)
		}
	}
}

// printable reports whether a terminal shows a text and does nothing else.
func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r != '\n' && r != ' ' && !unicode.IsPrint(r) && !unicode.Is(unicode.M, r) }) < 0
}
