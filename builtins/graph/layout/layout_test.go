package layout

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// random makes a network of so many boxes, with so many lines besides those of a tree.
func random(r *rand.Rand, nodes, more int) *Graph {
	g := &Graph{}
	for range nodes {
		g.Nodes = append(g.Nodes, &Node{W: 90 + float64(r.IntN(200)), H: 36})
	}
	join := func(a, b *Node) {
		e := &Edge{A: a, B: b, PortA: a.port(r), PortB: b.port(r)}
		g.Edges = append(g.Edges, e)
	}
	for i := 1; i < nodes; i++ {
		if r.IntN(12) > 0 {
			join(g.Nodes[i], g.Nodes[r.IntN(i)])
		}
	}
	for range more {
		join(g.Nodes[r.IntN(nodes)], g.Nodes[r.IntN(nodes)])
	}
	return g
}

// port adds a port to a box.
func (n *Node) port(r *rand.Rand) *Port {
	h := 22.0
	if r.IntN(4) == 0 {
		h = 39
	}
	p := &Port{Y: n.H + h/2 - 6, H: h, W: 80, Group: r.IntN(2)}
	n.H += h
	n.Ports = append(n.Ports, p)
	return p
}

// TestPlace lays random networks out: no two boxes overlap, and no line passes a box.
func TestPlace(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			n := 1 + r.IntN(80)
			g := random(r, n, r.IntN(n+1))
			Place(g)
			for i, a := range g.Nodes {
				if a.X < -0.5 || a.Y < -0.5 || a.X+a.W > g.W+0.5 || a.Y+a.H > g.H+0.5 {
					t.Errorf("box %d lies outside", i)
				}
				for j, b := range g.Nodes[:i] {
					if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
						t.Errorf("the boxes %d and %d overlap", i, j)
					}
				}
				for k, p := range a.Ports {
					if p.Top() < 0 || p.Bottom() > a.H+1 {
						t.Errorf("port %d of box %d lies outside of it", k, i)
					}
				}
			}
			for k, e := range g.Edges {
				for _, q := range e.Path.points() {
					for i, b := range g.Nodes {
						if q.X > b.X+1 && q.X < b.X+b.W-1 && q.Y > b.Y+1 && q.Y < b.Y+b.H-1 {
							t.Fatalf("line %d passes box %d", k, i)
						}
					}
				}
			}
		})
	}
}

// points are so many points of a line that a box between two would be narrow.
func (p *Path) points() []Point {
	var list []Point
	along := func(a, b Point) {
		for i := range 101 {
			f := float64(i) / 100
			list = append(list, Point{a.X + (b.X-a.X)*f, a.Y + (b.Y-a.Y)*f})
		}
	}
	along(p.From, p.In)
	a, z := Point{(p.In.X + p.Out.X) / 2, p.In.Y}, Point{(p.In.X + p.Out.X) / 2, p.Out.Y}
	if p.Bulge != 0 {
		a.X, z.X = p.In.X+p.Bulge, p.Out.X+p.Bulge
	}
	for i := range 201 {
		f := float64(i) / 200
		g := 1 - f
		list = append(list, Point{
			g*g*g*p.In.X + 3*g*g*f*a.X + 3*g*f*f*z.X + f*f*f*p.Out.X,
			g*g*g*p.In.Y + 3*g*g*f*a.Y + 3*g*f*f*z.Y + f*f*f*p.Out.Y,
		})
	}
	last := p.Out
	for _, q := range p.Rest {
		along(last, q)
		last = q
	}
	return list
}
