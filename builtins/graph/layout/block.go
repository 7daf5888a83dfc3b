package layout

import "math"

// block is the boxes that hang on one neighbour, in rows and columns. Their lines
// come from the side of the hub; those to the farther columns run between the rows.
type block struct {
	hub    *Node
	leaves []*Node
	cols   int
	right  bool // it stands to the right of its hub
	rank   float64

	x, y     float64
	w, h     float64
	colW     []float64
	rowH     []float64
	lanes    []float64       // the room above or below each row, for lines
	laneSide float64         // and before each column
	entries  map[*Edge]Point // where a line comes in
}

const (
	gapLeaf  = 14.0 // between the boxes of a block
	lane     = 9.0  // between lines that run beside each other
	tallCol  = 10   // boxes that stand in one column, before there are more columns
	roundTo  = 1.25 // how much wider than high a block may become
	sideRoom = 16.0
)

// addBlock puts the boxes that hang on a hub into a layer.
func (p *part) addBlock(hub *Node, leaves []*Node, layer int) {
	b := &block{hub: hub, leaves: leaves, right: layer > hub.layer, entries: map[*Edge]Point{}}
	for _, n := range leaves {
		n.block, n.layer = b, layer
	}
	b.shape()
	l := p.at(layer)
	l.items = append(l.items, b)
}

// shape finds how many columns a block has, and its size.
func (b *block) shape() {
	for b.cols = 1; ; b.cols++ {
		b.measure()
		if len(b.leaves) <= tallCol || b.w >= roundTo*b.h/2 || b.cols >= len(b.leaves) {
			return
		}
	}
}

func (b *block) rows() int { return (len(b.leaves) + b.cols - 1) / b.cols }

// at are the column, counted from the hub, and the row of a box. Read from the left to
// the right they are in order.
func (b *block) at(i int) (col, row int) {
	row, col = i/b.cols, i%b.cols
	if !b.right {
		col = min(b.cols, len(b.leaves)-row*b.cols) - 1 - col
	}
	return col, row
}

// measure finds the size for so many columns, of equal boxes.
func (b *block) measure() {
	b.colW, b.rowH = make([]float64, b.cols), make([]float64, b.rows())
	b.lanes = make([]float64, b.rows())
	b.laneSide = 0
	for i, n := range b.leaves {
		col, row := b.at(i)
		b.colW[col], b.rowH[row] = max(b.colW[col], n.W), max(b.rowH[row], n.H)
		if col > 0 {
			b.lanes[row] += lane * float64(len(n.links))
			b.laneSide = max(b.laneSide, lane*float64(len(n.links)))
		}
	}
	b.w, b.h = 0, 0
	for col, w := range b.colW {
		b.w += w
		if col > 0 {
			b.w += sideRoom + b.laneSide
		}
	}
	for row, h := range b.rowH {
		b.h += h + b.lanes[row]
		if row > 0 {
			b.h += gapLeaf
		}
	}
	b.h = math.Ceil(b.h)
}

func (b *block) size() (w, h float64) { return b.w, b.h }
func (b *block) top() float64         { return b.y }
func (b *block) order() *float64      { return &b.rank }
func (b *block) boxes() []*Node       { return b.leaves }

// moveTo places the block and its boxes.
func (b *block) moveTo(x, y float64) {
	b.x, b.y = x, y
	left := make([]float64, b.cols)
	at := 0.0
	for col, w := range b.colW {
		left[col] = at
		if !b.right {
			left[col] = b.w - at - w
		}
		at += w + sideRoom + b.laneSide
	}
	tops := make([]float64, b.rows())
	for row, h := range b.rowH {
		if row > 0 {
			tops[row] += gapLeaf
		}
		if !b.right {
			tops[row] += b.lanes[row]
		}
		tops[row] += y
		y = tops[row] + h
		if b.right {
			y += b.lanes[row]
		}
	}
	for i, n := range b.leaves {
		col, row := b.at(i)
		n.X, n.Y, n.W = x+left[col], tops[row], b.colW[col]
	}
	b.enter()
}

// enter finds where each line comes in: those to the near column straight, the others
// above their row in a block on the left and below it in one on the right. So, from
// above, the lines are in the order of the boxes.
func (b *block) enter() {
	used, last := 0.0, -1
	for k := range b.leaves {
		i := k
		if !b.right {
			i = len(b.leaves) - 1 - k
		}
		n := b.leaves[i]
		col, row := b.at(i)
		if row != last {
			used, last = 0, row
		}
		for j := range n.links {
			e := n.links[j]
			if !b.right {
				e = n.links[len(n.links)-1-j]
			}
			y := n.Y + e.portOf(n).Y
			if col > 0 {
				y = n.Y - gapLeaf/2 - lane*used
				if b.right {
					y = n.Y + b.rowH[row] + gapLeaf/2 + lane*used
				}
				used++
			}
			b.entries[e] = Point{b.near(), y}
		}
	}
}

// near is the side of the block where the hub is.
func (b *block) near() float64 {
	if b.right {
		return b.x
	}
	return b.x + b.w
}

// wanted has the lines of the block level on the average.
func (b *block) wanted(see func(*Node) bool) (y, weight float64) {
	if !see(b.hub) {
		return 0, 0
	}
	sum := 0.0
	for _, n := range b.leaves {
		for _, e := range n.links {
			sum += b.hub.Y + e.portOf(b.hub).Y - (b.entries[e].Y - b.y)
			weight++
		}
	}
	return sum / weight, weight
}

// way is the line within the block, from where it comes in to the box.
func (b *block) way(n *Node, e *Edge) []Point {
	in := b.entries[e]
	port := e.portOf(n)
	end := Point{n.X, n.Y + port.Y}
	out := -1.0
	if !b.right {
		end.X, out = n.X+n.W, 1
	}
	if in.Y == end.Y {
		return []Point{end}
	}
	k := 0
	for i, l := range n.links {
		if l == e {
			k = i
		}
	}
	if b.right { // from below, the first is the outermost
		k = len(n.links) - 1 - k
	}
	x := end.X + out*(sideRoom/2+lane*float64(k))
	return []Point{{x, in.Y}, {x, end.Y}, end}
}

// portOf is the edge's end at that box.
func (e *Edge) portOf(n *Node) *Port {
	if e.A == n {
		return e.PortA
	}
	return e.PortB
}
