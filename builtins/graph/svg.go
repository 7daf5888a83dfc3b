package graph

import (
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"

	"nsscript/builtins/graph/layout"
)

// margin is the room around the drawing, in pixels.
const margin = 28.0

// svg is a picture for a browser or a book: no script, no font and no file besides.
func (d *drawing) svg(*Options) string {
	cards := make([]*card, len(d.boxes))
	g := &layout.Graph{}
	for i, b := range d.boxes {
		cards[i] = newCard(b, d.track)
		g.Nodes = append(g.Nodes, cards[i].node)
	}
	edges := map[*cable]*layout.Edge{}
	for _, c := range d.cables {
		a, b := cards[c.a.box.number], cards[c.b.box.number]
		e := &layout.Edge{A: a.node, B: b.node, PortA: a.port(c.a), PortB: b.port(c.b)}
		edges[c] = e
		g.Edges = append(g.Edges, e)
	}
	layout.Place(g)

	w := &svgWriter{}
	head := w.measureHead(d)
	width, height := max(g.W, head.w)+2*margin, g.H+head.h+2*margin
	w.open(width, height, d)
	w.head(d)
	fmt.Fprintf(w, `<g transform="translate(%s %s)">`+"\n", px(margin+max(0, (head.w-g.W)/2)), px(margin+head.h))
	for _, c := range d.cables {
		w.cable(c, edges[c], d.track)
	}
	for _, c := range cards {
		w.card(c, d.track)
	}
	for _, c := range d.cables {
		w.numbers(c, edges[c], d.track)
	}
	w.WriteString("</g>\n</svg>\n")
	return w.String()
}

// svgWriter writes elements.
type svgWriter struct{ strings.Builder }

// px is a length: two digits are enough.
func px(x float64) string { return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64) }

// esc is text as XML has it.
func esc(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}

// open begins the drawing.
func (w *svgWriter) open(width, height float64, d *drawing) {
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" role="img" xml:space="preserve">`+"\n",
		px(width), px(height), px(width), px(height))
	fmt.Fprintf(w, "<title>%s</title>\n<style>%s</style>\n", esc(d.title()), svgStyle)
	w.WriteString(`<defs><marker id="arrow" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="5" markerHeight="5" orient="auto-start-reverse"><path class="arrow" d="M0 0 10 5 0 10z"/></marker></defs>` + "\n")
	fmt.Fprintf(w, `<rect class="ground" width="%s" height="%s"/>`+"\n", px(width), px(height))
}

// title names the drawing.
func (d *drawing) title() string {
	what := "a network"
	if d.pic.Lab != "" {
		what = "the lab " + plain(d.pic.Lab)
	}
	return fmt.Sprintf("%s: %s, %s", what, count(len(d.boxes)-d.bridges(), "namespace"), count(len(d.cables), "cable"))
}

// bridges are how many of the boxes are bridges.
func (d *drawing) bridges() int {
	n := 0
	for _, b := range d.boxes {
		if b.bridge != nil {
			n++
		}
	}
	return n
}

type extent struct{ w, h float64 }

// measureHead is the room for the lines above the drawing: what became of a packet.
func (w *svgWriter) measureHead(d *drawing) extent {
	if d.track == nil {
		return extent{}
	}
	return extent{max(sansWidth(d.track.Title, 14), sansWidth(d.track.Verdict, 14)), 62}
}

func (w *svgWriter) head(d *drawing) {
	if d.track == nil {
		return
	}
	class := "arrived"
	if !d.track.Arrived {
		class = "lost"
	}
	fmt.Fprintf(w, `<text class="walk" x="%s" y="%s">%s</text>`+"\n", px(margin), px(margin+12), esc(plain(d.track.Title)))
	fmt.Fprintf(w, `<text class="walk %s" x="%s" y="%s">%s</text>`+"\n", class, px(margin), px(margin+34), esc(plain(d.track.Verdict)))
}

// cable draws a line.
func (w *svgWriter) cable(c *cable, e *layout.Edge, t *track) {
	classes := []string{"cable"}
	switch {
	case c.tunnel:
		classes = append(classes, "tunnel")
	case c.kind != "veth":
		classes = append(classes, "stacked")
	}
	if c.down() {
		classes = append(classes, "down")
	}
	marker := ""
	if s := t.on(c); s != nil {
		classes = append(classes, "walked")
		marker = ` marker-end="url(#arrow)"`
		if (s.from == c.b) != e.Path.Reversed {
			marker = ` marker-start="url(#arrow)"`
		}
		if s.back {
			classes = append(classes, "back")
		}
	}
	fmt.Fprintf(w, `<path class="%s" d="%s"%s><title>%s</title></path>`+"\n", strings.Join(classes, " "), pathData(&e.Path), marker,
		esc(c.a.String()+" — "+c.b.String()))
}

// pathData is a line in the terms of SVG.
func pathData(p *layout.Path) string {
	var b strings.Builder
	fmt.Fprintf(&b, "M%s %s", px(p.From.X), px(p.From.Y))
	if p.In != p.From {
		fmt.Fprintf(&b, "H%s", px(p.In.X))
	}
	if p.In.Y == p.Out.Y && p.Bulge == 0 {
		fmt.Fprintf(&b, "H%s", px(p.Out.X))
	} else {
		a, z := handles(p)
		fmt.Fprintf(&b, "C%s %s %s %s %s %s", px(a.X), px(a.Y), px(z.X), px(z.Y), px(p.Out.X), px(p.Out.Y))
	}
	last := p.Out
	for i, q := range p.Rest {
		if i+1 < len(p.Rest) { // a corner is round
			last = corner(&b, last, q, p.Rest[i+1])
			continue
		}
		if q != last {
			fmt.Fprintf(&b, "L%s %s", px(q.X), px(q.Y))
		}
	}
	return b.String()
}

// handles are the two points that bend a curve.
func handles(p *layout.Path) (a, z layout.Point) {
	if p.Bulge != 0 {
		return layout.Point{X: p.In.X + p.Bulge, Y: p.In.Y}, layout.Point{X: p.Out.X + p.Bulge, Y: p.Out.Y}
	}
	half := (p.Out.X - p.In.X) / 2
	return layout.Point{X: p.In.X + half, Y: p.In.Y}, layout.Point{X: p.Out.X - half, Y: p.Out.Y}
}

// corner draws a line up to a corner and around it.
func corner(b *strings.Builder, from, at, to layout.Point) layout.Point {
	near := func(p layout.Point) layout.Point {
		dx, dy := p.X-at.X, p.Y-at.Y
		long := math.Hypot(dx, dy)
		r := min(6, long/2) / max(long, 1e-9)
		return layout.Point{X: at.X + dx*r, Y: at.Y + dy*r}
	}
	in, out := near(from), near(to)
	fmt.Fprintf(b, "L%s %sQ%s %s %s %s", px(in.X), px(in.Y), px(at.X), px(at.Y), px(out.X), px(out.Y))
	return out
}

// numbers marks a cable that a packet passed, in the middle of its curve.
func (w *svgWriter) numbers(c *cable, e *layout.Edge, t *track) {
	if t == nil || len(t.lines[c]) == 0 {
		return
	}
	p := &e.Path
	a, z := handles(p)
	x := (p.In.X + 3*a.X + 3*z.X + p.Out.X) / 8
	y := (p.In.Y + 3*a.Y + 3*z.Y + p.Out.Y) / 8
	w.number(t.lines[c], x, y)
}

// number draws a mark with the places in the order of the way.
func (w *svgWriter) number(numbers []int, x, y float64) {
	text := joinInts(numbers)
	wide := max(20, 8*float64(len(text))+8)
	fmt.Fprintf(w, `<g class="number"><rect x="%s" y="%s" width="%s" height="20" rx="10"/><text x="%s" y="%s">%s</text></g>`+"\n",
		px(x-wide/2), px(y-10), px(wide), px(x), px(y+4), text)
}

func joinInts(numbers []int) string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ",")
}
