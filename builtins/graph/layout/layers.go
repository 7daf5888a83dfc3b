package layout

import "slices"

// part is what is connected.
type part struct {
	nodes  []*Node
	core   []*Node // without those that hang on a single neighbour
	layers []*layer
	w, h   float64
}

// layer is a column, or one band of it.
type layer struct {
	items []item
	col   int
	band  int
}

// item is what stands in a column: a box or a block of them.
type item interface {
	size() (w, h float64)
	// wanted is where its upper edge should be for its lines to be level, by the
	// neighbours in the layers for which see is true; weight is how many these are.
	wanted(see func(*Node) bool) (y, weight float64)
	moveTo(x, y float64)
	top() float64
	order() *float64
	// nodes are its boxes.
	boxes() []*Node
}

// fewLeaves is how many hosts of a single hub stand on one side of it.
const fewLeaves = 6

// assign finds each box its layer.
func (p *part) assign() {
	hanging := p.leaves()
	for _, n := range p.nodes {
		if hanging[n] == nil {
			p.core = append(p.core, n)
		}
	}
	root, chain := p.root()
	p.distances(root, chain)
	blocks := map[*Node][]*Node{}
	for _, n := range p.nodes {
		if hub := hanging[n]; hub != nil {
			blocks[hub] = append(blocks[hub], n)
		}
	}
	for _, hub := range p.core {
		leaves := hub.byPort(blocks[hub])
		switch {
		case len(leaves) == 0:
		case len(p.core) == 1 && len(leaves) > fewLeaves:
			half := len(leaves) / 2
			p.addBlock(hub, leaves[:half], hub.layer-1)
			p.addBlock(hub, leaves[half:], hub.layer+1)
		case len(p.core) == 1 && len(leaves) > 1 && !hub.bus():
			p.addBlock(hub, leaves[:1], hub.layer-1)
			p.addBlock(hub, leaves[1:], hub.layer+1)
		case chain && hub == root && len(p.core) > 1:
			p.addBlock(hub, leaves, hub.layer-1)
		default:
			p.addBlock(hub, leaves, hub.layer+1)
		}
	}
}

// bus reports whether the box is nothing but a group of ports: a bridge.
func (n *Node) bus() bool {
	return len(n.Ports) > 0 && n.Ports[0].Group != 0 && n.Ports[0].Group == n.Ports[len(n.Ports)-1].Group
}

// byPort puts the boxes that hang on a hub in the order of its ports.
func (n *Node) byPort(leaves []*Node) []*Node {
	at := map[*Node]int{}
	for _, e := range n.links {
		o, i := e.other(n), slices.Index(n.Ports, e.portOf(n))
		if first, ok := at[o]; !ok || i < first {
			at[o] = i
		}
	}
	slices.SortStableFunc(leaves, func(a, b *Node) int { return at[a] - at[b] })
	return leaves
}

// leaves tells for each box that hangs on a single neighbour which that is.
func (p *part) leaves() map[*Node]*Node {
	hub := map[*Node]*Node{}
	for _, n := range p.nodes {
		around := n.neighbours()
		if len(around) != 1 || selfJoined(n) {
			continue
		}
		// Of two that hang on each other, the first is the hub.
		if hub[around[0]] == nil {
			hub[n] = around[0]
		}
	}
	if len(p.nodes) == 2 { // left and right as they were made
		for n, h := range hub {
			if n.index < h.index && !selfJoined(h) {
				return map[*Node]*Node{h: n}
			}
		}
	}
	return hub
}

func selfJoined(n *Node) bool {
	return slices.ContainsFunc(n.links, func(e *Edge) bool { return e.A == e.B })
}

// around are the neighbours that belong to the core.
func (p *part) around(in map[*Node]bool, n *Node) []*Node {
	return slices.DeleteFunc(n.neighbours(), func(o *Node) bool { return !in[o] })
}

// root is where the columns begin: an end of a chain; else the middle of the network.
func (p *part) root() (root *Node, chain bool) {
	in := map[*Node]bool{}
	for _, n := range p.core {
		in[n] = true
	}
	var ends []*Node
	chain = true
	for _, n := range p.core {
		switch c := len(p.around(in, n)); {
		case c > 2:
			chain = false
		case c < 2:
			ends = append(ends, n)
		}
	}
	if chain = chain && len(ends) > 0; chain {
		return ends[0], true
	}
	best, far := p.core[0], 0
	for i, n := range p.core {
		d := p.eccentricity(in, n)
		if i == 0 || d < far || d == far && len(p.around(in, n)) > len(p.around(in, best)) {
			best, far = n, d
		}
		if i > 200 { // of a large network a middle that is not exact will do
			break
		}
	}
	return best, false
}

// eccentricity is the distance to the farthest.
func (p *part) eccentricity(in map[*Node]bool, n *Node) int {
	dist := map[*Node]int{n: 0}
	list := []*Node{n}
	for i := 0; i < len(list); i++ {
		for _, o := range p.around(in, list[i]) {
			if _, ok := dist[o]; !ok {
				dist[o] = dist[list[i]] + 1
				list = append(list, o)
			}
		}
	}
	return dist[list[len(list)-1]]
}

// distances puts each box of the core into the layer of its distance. Those with the
// same neighbours as the root stand beside it: all the spines of a fabric. Where all
// are joined to each other, they stand in two columns.
func (p *part) distances(root *Node, chain bool) {
	in := map[*Node]bool{}
	for _, n := range p.core {
		in[n], n.layer = true, -1
	}
	root.layer = 0
	list := []*Node{root}
	if !chain {
		same, mesh := p.twins(in, root)
		for i, n := range same {
			n.layer = 0
			if mesh && i%2 == 0 {
				n.layer = 1
			}
		}
		for _, want := range []int{0, 1} {
			for _, n := range same {
				if n.layer == want {
					list = append(list, n)
				}
			}
		}
	}
	for i := 0; i < len(list); i++ {
		for _, o := range p.around(in, list[i]) {
			if o.layer < 0 {
				o.layer = list[i].layer + 1
				list = append(list, o)
			}
		}
	}
	for _, n := range list {
		p.at(n.layer).items = append(p.at(n.layer).items, n)
	}
}

// twins are the boxes that have the root's neighbours. In a mesh they are joined to
// the root as well.
func (p *part) twins(in map[*Node]bool, root *Node) (same []*Node, mesh bool) {
	key := func(n *Node, with ...*Node) []int {
		var k []int
		for _, o := range append(p.around(in, n), with...) {
			k = append(k, o.index)
		}
		slices.Sort(k)
		return k
	}
	open, closed := key(root), key(root, root)
	if len(open) <= 2 { // in a ring the one that faces the root has its neighbours too
		return nil, false
	}
	var joined []*Node
	for _, n := range p.core {
		switch {
		case n == root:
		case slices.Equal(key(n), open):
			same = append(same, n)
		case slices.Equal(key(n, n), closed):
			joined = append(joined, n)
		}
	}
	if len(joined) >= 2 && len(same) == 0 {
		return joined, true
	}
	return same, false
}

// at is the layer of that number, which may be -1.
func (p *part) at(number int) *layer {
	for len(p.layers) <= number+1 {
		p.layers = append(p.layers, &layer{})
	}
	return p.layers[number+1]
}

// trim drops the layers in which nothing stands.
func (p *part) trim() {
	p.layers = slices.DeleteFunc(p.layers, func(l *layer) bool { return len(l.items) == 0 })
	for i, l := range p.layers {
		l.col = i
		for _, it := range l.items {
			for _, n := range it.boxes() {
				n.layer = i
			}
		}
	}
}

// high is how much higher than wide a network may be, before the blocks of its longest
// column get more columns.
const (
	high     = 2.0
	highFrom = 400.0
	maxCols  = 8
)

// spread makes blocks wider where the network would be much too high.
func (p *part) spread() {
	for range maxCols {
		w, h := 0.0, 0.0
		var longest *layer
		for _, l := range p.layers {
			lw, lh := l.extent()
			w += lw + gutterMin
			if lh > h {
				longest, h = l, lh
			}
		}
		if h <= high*w+highFrom {
			return
		}
		for _, it := range longest.items {
			if b, ok := it.(*block); ok && b.cols < min(maxCols, len(b.leaves)) {
				b.cols++
				b.measure()
			}
		}
	}
}

// even makes all boxes equal that stand in a column of blocks.
func (p *part) even() {
	for _, l := range p.layers {
		w := 0.0
		for _, it := range l.items {
			if b, ok := it.(*block); ok && b.cols == 1 {
				w = max(w, b.colW[0])
			}
		}
		for _, it := range l.items {
			if b, ok := it.(*block); ok && b.cols == 1 {
				for _, n := range b.leaves {
					n.W = w
				}
				b.measure()
			}
		}
	}
}

// The columns of a long network run back and forth, so that it stays on a page.
const (
	longChain  = 8   // layers, from which on a network is folded
	flat       = 3.5 // how much wider than high such a network is
	pageAspect = 1.8
)

// fold lays a long and flat network in bands.
func (p *part) fold() {
	if len(p.layers) < longChain {
		return
	}
	var w, h float64
	for _, l := range p.layers {
		lw, lh := l.extent()
		w, h = w+lw+1.4*gutterMin, max(h, lh)
	}
	h += 2 * gapY
	if w < flat*h {
		return
	}
	bands := 1
	for w/float64(bands) > pageAspect*h*float64(bands) {
		bands++
	}
	per := (len(p.layers) + bands - 1) / bands
	for i, l := range p.layers {
		l.band, l.col = i/per, i%per
		if l.band%2 == 1 {
			l.col = per - 1 - l.col
			// So lines that turn lie within each other, and do not cross.
			slices.Reverse(l.items)
			l.number()
		}
	}
	p.face()
}

// face turns the blocks towards their hubs.
func (p *part) face() {
	for _, l := range p.layers {
		for _, it := range l.items {
			b, ok := it.(*block)
			if !ok {
				continue
			}
			hub := p.layers[b.hub.layer].col
			// Where the columns turn, lines swing out to the outer side.
			b.right = l.col > hub || l.col == hub && hub == 0
			b.measure()
		}
	}
}

// extent is the size of all that stands in the layer.
func (l *layer) extent() (w, h float64) {
	for i, it := range l.items {
		iw, ih := it.size()
		w, h = max(w, iw), h+ih
		if i > 0 {
			h += gapY
		}
	}
	return w, h
}
