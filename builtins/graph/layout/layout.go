// Package layout finds places for boxes that are joined by lines, as networks are
// drawn: in columns from left to right, with what hangs on a single neighbour beside it.
//
// A layout of the general kind, such as Graphviz's, puts a hundred hosts of one bridge
// into one row, and knows nothing of ports that have their line in a box. The steps
// here are those of layered drawing, made simpler by two things: the columns are the
// distances from a root, so that a line leads into the next column or stays in its
// own, and never past a box; and hosts that hang on one neighbour are a block.
//
//	layout.go  what is given and what is found; parts that are not connected
//	layers.go  which column a box belongs to
//	block.go   the hosts of one neighbour as a block
//	order.go   what stands above what in a column
//	coord.go   the places
//	route.go   the lines
package layout

import "math"

// Distances, in pixels.
const (
	gapY      = 26.0 // between boxes of a column
	gutterMin = 70.0 // between columns
	gutterMax = 230.0
	gapParts  = 60.0 // between parts that are not connected
	wide      = 1500.0
)

// Graph is what is to be placed.
type Graph struct {
	Nodes []*Node
	Edges []*Edge
	// W and H are its size, X and Y of all else begin at 0.
	W, H float64
}

// Node is a box.
type Node struct {
	W, H  float64
	Ports []*Port
	X, Y  float64 // found: the upper left corner

	index int
	links []*Edge
	layer int
	rank  float64 // its place among those of its column
	block *block
}

// Port is where lines end: a line of text in the box.
type Port struct {
	// Y is its middle below the top of the box. It changes for a port of a group.
	Y, H float64
	// Ports in sequence that have the same number here, not 0, are a group: they may
	// change places, and one whose line leads to the left may stand beside one whose
	// line leads to the right. W is then the room that its text takes.
	Group int
	W     float64
	// Left and Right are found: on which sides lines end.
	Left, Right bool
}

// Top is the port's upper edge, below the top of the box.
func (p *Port) Top() float64 { return p.Y - p.H/2 }

// Bottom is its lower edge.
func (p *Port) Bottom() float64 { return p.Y + p.H/2 }

// Edge is a line from a port of one box to a port of another, or of the same.
type Edge struct {
	A, B         *Node
	PortA, PortB *Port
	Path         Path // found, from A to B
}

// Path is a line: straight from From to In, a curve to Out, which has its tangents
// level, and straight on through Rest.
type Path struct {
	From, In, Out Point
	// Bulge is 0 for a curve that leads to another column. One that comes back to its
	// own swings out so far, to the left where it is negative.
	Bulge float64
	Rest  []Point
	// Reversed tells that From is at the edge's B.
	Reversed bool
}

// Point is a place, y downwards.
type Point struct{ X, Y float64 }

// Place finds the places of all boxes and the ways of all lines.
func Place(g *Graph) {
	for i, n := range g.Nodes {
		n.index, n.links, n.block = i, nil, nil
	}
	for _, e := range g.Edges {
		e.A.links = append(e.A.links, e)
		if e.A != e.B {
			e.B.links = append(e.B.links, e)
		}
	}
	var parts []*part
	for _, nodes := range components(g.Nodes) {
		p := &part{nodes: nodes}
		p.place()
		parts = append(parts, p)
	}
	g.pack(parts)
}

// components are the parts that are connected, in the order of their first boxes.
func components(nodes []*Node) [][]*Node {
	seen := make(map[*Node]bool, len(nodes))
	var all [][]*Node
	for _, first := range nodes {
		if seen[first] {
			continue
		}
		seen[first] = true
		list := []*Node{first}
		for i := 0; i < len(list); i++ {
			for _, o := range list[i].neighbours() {
				if !seen[o] {
					seen[o] = true
					list = append(list, o)
				}
			}
		}
		all = append(all, list)
	}
	return all
}

// other is the box at the edge's other end.
func (e *Edge) other(n *Node) *Node {
	if e.A == n {
		return e.B
	}
	return e.A
}

// neighbours are the boxes that lines lead to, each once, itself not among them.
func (n *Node) neighbours() []*Node {
	var list []*Node
	seen := map[*Node]bool{n: true}
	for _, e := range n.links {
		if o := e.other(n); !seen[o] {
			seen[o] = true
			list = append(list, o)
		}
	}
	return list
}

// pack puts the parts beside and below each other.
func (g *Graph) pack(parts []*part) {
	limit, area := 0.0, 0.0
	for _, p := range parts {
		limit = max(limit, p.w)
		area += (p.w + gapParts) * (p.h + gapParts)
	}
	if len(parts) > 1 {
		limit = max(limit, min(wide, 1.3*math.Sqrt(area)))
	}
	var x, y, row float64
	for _, p := range parts {
		if x > 0 && x+p.w > limit {
			x, y, row = 0, y+row+gapParts, 0
		}
		p.move(x, y)
		g.W, g.H = max(g.W, x+p.w), max(g.H, y+p.h)
		x, row = x+p.w+gapParts, max(row, p.h)
	}
}
