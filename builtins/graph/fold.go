package graph

import (
	"fmt"
	"slices"
	"strings"
)

// readable is how many boxes a reader takes in. Beyond that those that are alike are
// drawn as one.
const readable = 30

// fewAlike is how many have to be alike for that.
const fewAlike = 3

// class is boxes that are drawn as one: most often a single one.
type class struct{ boxes []*box }

// fold tells for each box to which class it belongs. Boxes are alike when they have
// the same interfaces, the same facts and neighbours that are alike, as far as two
// cables away; their names differ in nothing but numbers, unless that leaves too many.
func (d *drawing) fold() map[*box]*class {
	if len(d.boxes) <= readable {
		return singles(d.boxes)
	}
	byName := d.alike(stem)
	if distinct(byName) <= readable {
		return byName
	}
	if all := d.alike(func(string) string { return "" }); distinct(all) < distinct(byName)/2 {
		return all
	}
	return byName
}

func singles(boxes []*box) map[*box]*class {
	of := make(map[*box]*class, len(boxes))
	for _, b := range boxes {
		of[b] = &class{[]*box{b}}
	}
	return of
}

func distinct(of map[*box]*class) int {
	seen := map[*class]bool{}
	for _, c := range of {
		seen[c] = true
	}
	return len(seen)
}

// alike sorts the boxes into classes by colours, which each takes from its neighbours
// as well. A box on a packet's way is like no other.
func (d *drawing) alike(short func(string) string) map[*box]*class {
	colour := make([]int, len(d.boxes))
	numbers := map[string]int{}
	number := func(s string) int {
		if _, ok := numbers[s]; !ok {
			numbers[s] = len(numbers)
		}
		return numbers[s]
	}
	for i, b := range d.boxes {
		colour[i] = number(b.look(short, d.track))
	}
	for range 2 {
		next := make([]int, len(colour))
		for i, b := range d.boxes {
			var around []string
			for _, p := range b.ports {
				for _, c := range p.cables {
					o := c.other(p)
					around = append(around, fmt.Sprint(p.look(short), " ", colour[o.box.number], o.look(short)))
				}
			}
			slices.Sort(around)
			next[i] = number(fmt.Sprint(colour[i], around))
		}
		colour = next
	}
	classes := map[int]*class{}
	for i, b := range d.boxes {
		if classes[colour[i]] == nil {
			classes[colour[i]] = &class{}
		}
		classes[colour[i]].boxes = append(classes[colour[i]].boxes, b)
	}
	of := singles(d.boxes)
	for _, c := range classes {
		if len(c.boxes) >= fewAlike {
			for _, b := range c.boxes {
				of[b] = c
			}
		}
	}
	return of
}

// look is what a box is by itself.
func (b *box) look(short func(string) string, t *track) string {
	words := []string{b.kind(), short(b.name())}
	if t.visited(b) {
		words = append(words, b.key())
	}
	for _, f := range b.facts {
		words = append(words, f.label)
	}
	var ports []string
	for _, p := range b.ports {
		ports = append(ports, fmt.Sprint(p.look(short), " ", p.depth, len(p.addrs())))
	}
	slices.Sort(ports)
	return strings.Join(append(words, ports...), "\n")
}

// look is what a port is by itself.
func (p *port) look(short func(string) string) string {
	return short(p.name()) + " " + p.link.Kind + " " + p.note()
}
