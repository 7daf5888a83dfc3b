package capture

import (
	"slices"
	"testing"
	"time"
)

// TestMerger: packets come out in the order of their times, those of one time in that
// in which they came, and none before its time.
func TestMerger(t *testing.T) {
	t.Parallel()
	begun := time.Unix(1000, 0)
	var got []int
	m := NewMerger(1, func(p *Packet) { got = append(got, p.Length) })
	for i, at := range []int{5, 1, 3, 3, 9, 2} {
		m.Add(&Packet{Time: begun.Add(time.Duration(at)), Length: 10*at + i, Data: []byte("xy")})
	}
	m.Release(begun.Add(4))
	if want := []int{11, 25, 32, 33}; !slices.Equal(got, want) {
		t.Errorf("released %v, want %v", got, want)
	}
	m.Add(&Packet{Time: begun.Add(6), Length: 60})
	if m.Release(begun.Add(5)) {
		t.Error("one is released at its own time")
	}
	m.Release(begun.Add(time.Hour))
	if want := []int{11, 25, 32, 33, 50, 60, 94}; !slices.Equal(got, want) {
		t.Errorf("released %v, want %v", got, want)
	}
}
