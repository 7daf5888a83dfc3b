package layout

import (
	"cmp"
	"math"
	"slices"
)

const sweeps = 8

// arrange finds what stands above what in each layer: each at the mean of the places
// of its neighbours, from the left and from the right by turns. Of all the orders that
// come of it the one with the fewest crossings is kept.
func (p *part) arrange() {
	for _, l := range p.layers {
		l.number()
	}
	best, fewest := p.orders(), p.crossings()
	for i := range 2 * sweeps {
		for k := range p.layers {
			if i%2 == 1 {
				k = len(p.layers) - 1 - k
			}
			p.layers[k].sort(i)
			p.layers[k].number()
		}
		if c := p.crossings(); c < fewest {
			best, fewest = p.orders(), c
		}
	}
	for k, l := range p.layers {
		l.items = best[k]
		l.number()
	}
}

// orders are the items of the layers as they stand.
func (p *part) orders() [][]item {
	all := make([][]item, len(p.layers))
	for k, l := range p.layers {
		all[k] = slices.Clone(l.items)
	}
	return all
}

// crossings counts how often lines between two layers cross.
func (p *part) crossings() int {
	type line struct{ left, right float64 }
	lines := make([][]line, len(p.layers))
	p.edges(func(e *Edge) {
		a, b := e.A, e.B
		if a.layer > b.layer {
			a, b = b, a
		}
		if a.layer != b.layer {
			lines[a.layer] = append(lines[a.layer], line{a.rank + a.portRank(e), b.rank + b.portRank(e)})
		}
	})
	sum := 0
	for _, list := range lines {
		slices.SortFunc(list, func(a, b line) int { return cmp.Or(cmp.Compare(a.left, b.left), cmp.Compare(a.right, b.right)) })
		rights := make([]float64, len(list))
		for i, l := range list {
			rights[i] = l.right
		}
		sum += inversions(rights)
	}
	return sum
}

// inversions counts the pairs of which the greater stands first, and sorts the list.
func inversions(list []float64) int {
	if len(list) < 2 {
		return 0
	}
	a, b := slices.Clone(list[:len(list)/2]), slices.Clone(list[len(list)/2:])
	sum := inversions(a) + inversions(b)
	for i := range list {
		if len(a) > 0 && (len(b) == 0 || a[0] <= b[0]) {
			list[i], a = a[0], a[1:]
			continue
		}
		list[i], b = b[0], b[1:]
		sum += len(a)
	}
	return sum
}

// ports finds what stands above what in each box.
func (p *part) ports() {
	for _, n := range p.nodes {
		n.sortPorts(func(o *Node) bool { return p.leftward(n, o) })
	}
}

// number gives each item its place, from 0 for the first to 1 for the last.
func (l *layer) number() {
	for i, it := range l.items {
		*it.order() = (float64(i) + 0.5) / float64(len(l.items))
		boxes := it.boxes()
		for k, n := range boxes {
			if len(boxes) > 1 || n.block != nil {
				n.rank = *it.order() + (float64(k)+0.5)/float64(len(boxes)*len(l.items)) - 0.5/float64(len(l.items))
			}
		}
	}
}

// sort orders the items by the places of their neighbours in the layer to the left, or
// to the right in every other sweep.
func (l *layer) sort(sweep int) {
	mean := map[item]float64{}
	for _, it := range l.items {
		sum, count := 0.0, 0.0
		for _, n := range it.boxes() {
			for _, e := range n.links {
				o := e.other(n)
				if o.layer == n.layer || (sweep%2 == 0) != (o.layer < n.layer) {
					continue
				}
				sum += o.rank + o.portRank(e)
				count++
			}
		}
		mean[it] = *it.order()
		if count > 0 {
			mean[it] = sum / count
		}
	}
	slices.SortStableFunc(l.items, func(a, b item) int {
		if math.Abs(mean[a]-mean[b]) < 1e-9 {
			return 0
		}
		return cmp.Compare(mean[a], mean[b])
	})
}

// portRank tells lines apart that lead to ports of one box, if these keep their places.
func (n *Node) portRank(e *Edge) float64 {
	p := e.portOf(n)
	if p.Group != 0 {
		return 0
	}
	i := slices.Index(n.Ports, p)
	return 1e-4 * float64(i) / float64(len(n.Ports))
}

// sortPorts puts the ports of each group in the order of what they lead to, those to
// the left beside those to the right.
func (n *Node) sortPorts(isLeft func(*Node) bool) {
	to, left := map[*Port]float64{}, map[*Port]bool{}
	for _, e := range n.links {
		o := e.other(n)
		to[e.portOf(n)] = o.rank + o.portRank(e)
		left[e.portOf(n)] = isLeft(o)
	}
	saved := 0.0
	for i := 0; i < len(n.Ports); {
		j := i + 1
		for j < len(n.Ports) && n.Ports[i].Group != 0 && n.Ports[j].Group == n.Ports[i].Group {
			j++
		}
		y, end := n.Ports[i].Top()-saved, n.Ports[j-1].Bottom()-saved
		run := n.Ports[i:j]
		slices.SortStableFunc(run, func(a, b *Port) int { return cmp.Compare(to[a], to[b]) })
		if bottom := stack(run, y, left); bottom < end {
			saved += end - bottom
			n.widen(run)
		}
		i = j
	}
	n.H -= saved
}

// stack puts ports below each other, on each side by itself, and returns where the
// longer of both ends.
func stack(run []*Port, y float64, left map[*Port]bool) float64 {
	l, r := y, y
	for _, p := range run {
		side := &r
		if left[p] {
			side = &l
		}
		p.Y = *side + p.H/2
		*side += p.H
	}
	return max(l, r)
}

// widen makes room for two ports side by side.
func (n *Node) widen(run []*Port) {
	for _, p := range run {
		n.W = max(n.W, 2*p.W)
	}
}
