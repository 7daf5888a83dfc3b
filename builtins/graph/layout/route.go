package layout

import "math"

// route finds the way of each line: level out of its column, a curve through the
// gutter, and level into the other column.
func (p *part) route() {
	cols := p.columns()
	left, right := make([]float64, cols), make([]float64, cols)
	for i := range left {
		left[i], right[i] = math.Inf(1), math.Inf(-1)
	}
	for _, l := range p.layers {
		for _, it := range l.items {
			w, _ := it.size()
			x := it.boxes()[0].X
			if b, ok := it.(*block); ok {
				x = b.x
			}
			left[l.col], right[l.col] = min(left[l.col], x), max(right[l.col], x+w)
		}
	}
	p.edges(func(e *Edge) {
		a, b := e.A, e.B
		pa, pb := e.PortA, e.PortB
		if a.block != nil { // from the hub on
			a, b, pa, pb, e.Path.Reversed = b, a, pb, pa, true
		}
		ca, cb := p.col(a), p.col(b)
		turn := 0.0
		out, in := !p.leftward(a, b), !p.leftward(b, a) // whether they end on the right
		if ca == cb {
			turn = pick(out, 1, -1)
		}
		pa.mark(out)
		pb.mark(in)
		e.Path.From = Point{side(a, out), a.Y + pa.Y}
		e.Path.In = Point{pick(out, right[ca], left[ca]), e.Path.From.Y}
		e.Path.Out = Point{pick(in, right[cb], left[cb]), b.Y + pb.Y}
		if b.block != nil {
			e.Path.Out.Y = e.end(b)
		}
		e.Path.Bulge = turn * min(gutterMax, 24+0.25*math.Abs(e.Path.From.Y-e.Path.Out.Y))
		e.Path.Rest = []Point{{side(b, in), b.Y + pb.Y}}
		if b.block != nil {
			e.Path.Rest = b.block.way(b, e)
		}
	})
}

// leftward reports whether a line to a box ends on the left of n. One within a column
// swings out to the right, but in the first column, where there is room on the left.
func (p *part) leftward(n, o *Node) bool {
	a, b := p.col(n), p.col(o)
	return b < a || a == b && a == 0 && p.columns() > 1
}

// mark notes on which side a line ends.
func (p *Port) mark(right bool) {
	p.Left, p.Right = p.Left || !right, p.Right || right
}

func side(n *Node, right bool) float64 { return pick(right, n.X+n.W, n.X) }

func pick(which bool, a, b float64) float64 {
	if which {
		return a
	}
	return b
}

// bounds moves the part so that it begins at 0, and finds its size.
func (p *part) bounds() {
	x0, y0 := math.Inf(1), math.Inf(1)
	x1, y1 := math.Inf(-1), math.Inf(-1)
	see := func(x, y float64) {
		x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
	}
	for _, n := range p.nodes {
		see(n.X, n.Y)
		see(n.X+n.W, n.Y+n.H)
	}
	p.edges(func(e *Edge) {
		see(e.Path.In.X+0.75*e.Path.Bulge, e.Path.In.Y)
		see(e.Path.Out.X+0.75*e.Path.Bulge, e.Path.Out.Y)
		for _, q := range e.Path.Rest {
			see(q.X, q.Y)
		}
	})
	p.move(-x0, -y0)
	p.w, p.h = x1-x0, y1-y0
}

// move moves all that was found.
func (p *part) move(dx, dy float64) {
	for _, n := range p.nodes {
		n.X, n.Y = n.X+dx, n.Y+dy
	}
	p.edges(func(e *Edge) {
		for _, q := range []*Point{&e.Path.From, &e.Path.In, &e.Path.Out} {
			q.X, q.Y = q.X+dx, q.Y+dy
		}
		for i := range e.Path.Rest {
			e.Path.Rest[i].X += dx
			e.Path.Rest[i].Y += dy
		}
	})
}
