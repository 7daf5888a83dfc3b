package layout

import "math"

func (n *Node) size() (w, h float64) { return n.W, n.H }
func (n *Node) moveTo(x, y float64)  { n.X, n.Y = x, y }
func (n *Node) top() float64         { return n.Y }
func (n *Node) order() *float64      { return &n.rank }
func (n *Node) boxes() []*Node       { return []*Node{n} }

// wanted has the lines of the box level on the average.
func (n *Node) wanted(see func(*Node) bool) (y, weight float64) {
	sum := 0.0
	for _, e := range n.links {
		o := e.other(n)
		if o == n || !see(o) {
			continue
		}
		at := o.Y + e.portOf(o).Y
		if o.block != nil {
			at = o.block.entries[e].Y
		}
		sum += at - e.portOf(n).Y
		weight++
	}
	if weight == 0 {
		return 0, 0
	}
	return sum / weight, weight
}

// place finds the places within the part.
func (p *part) place() {
	p.assign()
	p.trim()
	p.spread()
	p.even()
	p.arrange()
	p.fold()
	p.ports()
	p.vertical()
	p.bands()
	p.horizontal()
	p.route()
	p.bounds()
}

// vertical finds how far down each item stands: its lines should be level, and no two
// may overlap.
func (p *part) vertical() {
	for _, l := range p.layers {
		y := 0.0
		for _, it := range l.items {
			it.moveTo(0, y)
			_, h := it.size()
			y += h + gapY
		}
	}
	for i := range 3 * sweeps {
		for k := range p.layers {
			if i%2 == 1 {
				k = len(p.layers) - 1 - k
			}
			l := p.layers[k]
			l.settle(func(o *Node) bool {
				switch {
				case o.layer == k:
					return false
				case i >= 2*sweeps:
					return true
				}
				return (o.layer < k) == (i%2 == 0)
			})
		}
	}
}

// settle moves the items of a layer to where they want to be, as near as their order
// and their sizes allow: those that would overlap make a pool that moves as one.
func (l *layer) settle(see func(*Node) bool) {
	type pool struct {
		at, weight float64
		items      int
	}
	var pools []pool
	offsets := make([]float64, len(l.items))
	below := 0.0
	for i, it := range l.items {
		offsets[i] = below
		_, h := it.size()
		below += h + gapY
		y, weight := it.wanted(see)
		if weight == 0 {
			y, weight = it.top(), 0.01
		}
		pools = append(pools, pool{y - offsets[i], weight, 1})
		for n := len(pools); n > 1 && pools[n-2].at > pools[n-1].at; n = len(pools) {
			a, b := pools[n-2], pools[n-1]
			w := a.weight + b.weight
			pools = append(pools[:n-2], pool{(a.at*a.weight + b.at*b.weight) / w, w, a.items + b.items})
		}
	}
	i := 0
	for _, q := range pools {
		for range q.items {
			l.items[i].moveTo(0, math.Round(q.at+offsets[i]))
			i++
		}
	}
}

// bands moves the bands of a folded network below each other, and all to the top.
func (p *part) bands() {
	tops, ends := map[int]float64{}, map[int]float64{}
	last := 0
	for _, l := range p.layers {
		for _, it := range l.items {
			_, h := it.size()
			if top, ok := tops[l.band]; !ok || it.top() < top {
				tops[l.band] = it.top()
			}
			if end, ok := ends[l.band]; !ok || it.top()+h > end {
				ends[l.band] = it.top() + h
			}
		}
		last = max(last, l.band)
	}
	start := map[int]float64{}
	y := 0.0
	for b := 0; b <= last; b++ {
		start[b] = y - tops[b]
		y += ends[b] - tops[b] + 2*gapY
	}
	for _, l := range p.layers {
		for _, it := range l.items {
			it.moveTo(0, it.top()+start[l.band])
		}
	}
}

// horizontal finds where each column stands: the farther its lines lead up or down,
// the more room they have.
func (p *part) horizontal() {
	cols := p.columns()
	width, gutter := make([]float64, cols), make([]float64, cols)
	for _, l := range p.layers {
		w, _ := l.extent()
		width[l.col] = max(width[l.col], w)
	}
	p.edges(func(e *Edge) {
		a, b := e.end(e.A), e.end(e.B)
		left := min(p.col(e.A), p.col(e.B))
		gutter[left] = max(gutter[left], math.Abs(a-b)*0.3)
	})
	x := 0.0
	for col := range width {
		for _, l := range p.layers {
			if l.col != col {
				continue
			}
			for _, it := range l.items {
				w, _ := it.size()
				at := x + (width[col]-w)/2
				if b, ok := it.(*block); ok {
					at = x
					if !b.right {
						at = x + width[col] - w
					}
				}
				it.moveTo(math.Round(at), it.top())
			}
		}
		x += width[col] + min(gutterMax, max(gutterMin, gutter[col]))
	}
}

// end is how far down the line ends at a box, or comes into its block.
func (e *Edge) end(n *Node) float64 {
	if n.block != nil {
		return n.block.entries[e].Y
	}
	return n.Y + e.portOf(n).Y
}

// columns are how many there are.
func (p *part) columns() int {
	cols := 0
	for _, l := range p.layers {
		cols = max(cols, l.col+1)
	}
	return cols
}

func (p *part) col(n *Node) int { return p.layers[n.layer].col }

// edges calls do once for each line.
func (p *part) edges(do func(e *Edge)) {
	for _, n := range p.nodes {
		for _, e := range n.links {
			if e.A == n {
				do(e)
			}
		}
	}
}
