package graph

import "slices"

// Walk is the way of one packet.
type Walk struct {
	Title   string // what was sent, and where
	Verdict string // what became of it
	// Arrived is set where nothing was lost on the way.
	Arrived bool
	Steps   []Step
	Death   *Death // nil where nothing was lost
}

// Step is an interface that the packet passed.
type Step struct {
	NS, Dev string
	Out     bool // it left the namespace
	Back    bool // it was the answer
}

// Death is where the packet was lost.
type Death struct {
	NS, Dev string // Dev is "" where it was at no interface
	Reason  string
	Text    string
	Back    bool
}

// track is a walk as it lies on the drawing.
type track struct {
	*Walk
	stops []stop           // boxes and cables, in order
	boxes map[*box][]int   // the numbers of those on the way there
	lines map[*cable][]int // and of the cables
	dead  *box             // where it was lost, nil for nowhere in the drawing
}

// stop is a box or a cable on the way.
type stop struct {
	number int
	box    *box
	cable  *cable
	from   *port // of a cable, where the packet came from
	back   bool
}

// follow lays a walk on the drawing.
func (d *drawing) follow(w *Walk) {
	if w == nil {
		return
	}
	t := &track{Walk: w, boxes: map[*box][]int{}, lines: map[*cable][]int{}}
	d.track = t
	var on *cable // what the packet is on
	for _, s := range w.Steps {
		b, p := d.find(s.NS, s.Dev)
		if b == nil {
			continue
		}
		if !s.Out && p != nil && p.cable != nil && on != p.cable {
			// It was not seen to leave, as may be where many packets pass.
			t.enter(p.other().box, s.Back)
			t.pass(p.cable, p.other(), s.Back)
		}
		t.enter(b, s.Back)
		on = nil
		if s.Out && p != nil && p.cable != nil {
			t.pass(p.cable, p, s.Back)
			on = p.cable
		}
	}
	if w.Death != nil {
		t.dead, _ = d.find(w.Death.NS, w.Death.Dev)
		if t.dead != nil {
			t.enter(t.dead, w.Death.Back)
		}
	}
}

// visited reports whether the packet, or its answer, was in a box.
func (t *track) visited(b *box) bool {
	return t != nil && slices.ContainsFunc(t.stops, func(s stop) bool { return s.box == b })
}

// enter notes that the packet is in a box.
func (t *track) enter(b *box, back bool) {
	if n := len(t.stops); n > 0 && t.stops[n-1].box == b {
		return
	}
	s := stop{number: len(t.stops) + 1, box: b, back: back}
	t.stops = append(t.stops, s)
	if !back {
		t.boxes[b] = append(t.boxes[b], s.number)
	}
}

// pass notes that the packet is on a cable.
func (t *track) pass(c *cable, from *port, back bool) {
	s := stop{number: len(t.stops) + 1, cable: c, from: from, back: back}
	t.stops = append(t.stops, s)
	if !back {
		t.lines[c] = append(t.lines[c], s.number)
	}
}

// find is the box in which an interface is, and the interface; without one of that
// name, the box alone.
func (d *drawing) find(ns, dev string) (*box, *port) {
	var at *box
	for _, b := range d.boxes {
		if b.ns.Name != ns {
			continue
		}
		if at == nil {
			at = b
		}
		for _, p := range b.ports {
			if p.link.Name == dev {
				return b, p
			}
		}
		if b.bridge != nil && b.bridge.Name == dev {
			return b, nil
		}
	}
	return at, nil
}

// on is the packet's first passage of a cable, the way there before the way back; nil
// where it did not pass.
func (t *track) on(c *cable) *stop {
	if t == nil {
		return nil
	}
	for _, back := range []bool{false, true} {
		for i := range t.stops {
			if s := &t.stops[i]; s.cable == c && s.back == back {
				return s
			}
		}
	}
	return nil
}
