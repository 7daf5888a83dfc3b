package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"nsscript/builtins/graph/layout"
)

// The sizes of a card, in pixels.
const (
	padding    = 12.0
	headHeight = 30.0
	lineHeight = 17.0
	pillHeight = 18.0
	pillGap    = 5.0
	indent     = 14.0
	minCard    = 96.0
	textSize   = 12.0
	noteWidth  = 26 // letters
)

// card is a box as SVG draws it.
type card struct {
	box   *box
	node  *layout.Node
	title string
	lines []string // below the title: the addresses of a bridge
	pills []pill
	ports map[*port]*layout.Port
	rows  map[*port][]row
}

// row is a line of text of a port.
type row struct{ strong, text, faint string }

// pill is a mark with a fact.
type pill struct {
	fact
	x, y, w float64
}

// newCard measures a box.
func newCard(b *box, t *track) *card {
	c := &card{box: b, title: b.name(), ports: map[*port]*layout.Port{}, rows: map[*port][]row{}}
	c.lines = b.subtitle()
	w := max(minCard, sansWidth(c.title, 15)+2*padding+sansWidth(b.kind(), 11)+4)
	for _, l := range c.lines {
		w = max(w, monoWidth(l)+2*padding)
	}
	for _, p := range b.ports {
		c.rows[p] = rowsOf(p)
		for _, r := range c.rows[p] {
			w = max(w, r.width()+2*padding+2+p.indent())
		}
	}
	facts := b.facts
	if t != nil && t.dead == b {
		facts = append([]fact{{"death", "✗ " + plain(t.Death.Reason), []string{plain(t.Death.Text)}}}, facts...)
	}
	for _, f := range facts {
		w = max(w, pillWidth(f.label)+2*padding)
	}
	y := headHeight + lineHeight*float64(len(c.lines))
	y = c.placePills(facts, w, y)
	c.node = &layout.Node{W: w}
	for _, p := range b.ports {
		h := lineHeight*float64(len(c.rows[p])) + 5
		q := &layout.Port{Y: y + h/2, H: h, Group: c.group(p), W: p.width(c.rows[p])}
		c.ports[p] = q
		c.node.Ports = append(c.node.Ports, q)
		y += h
	}
	c.node.H = y + 6
	return c
}

// group is a number that the ports of one bridge have in common, which may be drawn in
// any order.
func (c *card) group(p *port) int {
	m := p.link.Master
	switch {
	case m == nil || m.Kind != "bridge" || p.cable == nil:
		return 0
	case c.box.bridge != nil:
		return 1
	}
	return 2 + slices.Index(c.box.ns.Links, m)
}

// placePills puts the marks side by side, and below each other where they are many.
func (c *card) placePills(facts []fact, w, y float64) float64 {
	x := padding
	for i, f := range facts {
		wide := pillWidth(f.label)
		if i > 0 && x+wide > w-padding {
			x, y = padding, y+pillHeight+pillGap
		}
		c.pills = append(c.pills, pill{f, x, y, wide})
		x += wide + pillGap
	}
	if len(facts) > 0 {
		y += pillHeight + 2*pillGap
	}
	return y
}

// rowsOf are the lines of a port: its name with the first address, and one for each
// other thing.
func rowsOf(p *port) []row {
	first := row{strong: p.name()}
	rows := []row{}
	for i, a := range p.addrs() {
		if i == 0 {
			first.text = a
			continue
		}
		rows = append(rows, row{text: a})
	}
	if note := p.note(); first.text == "" && len(note) <= noteWidth {
		first.faint = note
	} else {
		for _, l := range strings.Split(ansi.Wordwrap(note, noteWidth, ""), "\n") {
			if l != "" {
				rows = append(rows, row{faint: l})
			}
		}
	}
	return append([]row{first}, rows...)
}

// indent is how far in a port stands that is below another one. Those of a bridge
// have a ground in common instead.
func (p *port) indent() float64 {
	deep := p.depth
	for l := p.link; l != nil && deep > 0; l = lower(l) {
		if l.Master != nil {
			deep--
		}
	}
	return float64(deep) * indent
}

// width is the room that a port takes beside another one.
func (p *port) width(rows []row) float64 {
	w := 0.0
	for _, r := range rows {
		w = max(w, r.width())
	}
	return w + 1.5*padding + p.indent()
}

func (r row) width() float64 {
	return monoWidth(strings.Join(r.words(), " "))
}

func (r row) words() []string {
	return slices.DeleteFunc([]string{r.strong, r.text, r.faint}, func(s string) bool { return s == "" })
}

// port is the port in the terms of the layout.
func (c *card) port(p *port) *layout.Port { return c.ports[p] }

// monoWidth is how wide text is in a font whose letters are all as wide.
func monoWidth(s string) float64 { return float64(ansi.StringWidth(s)) * textSize * 0.605 }

// sansWidth is an upper bound for other fonts, a little more than the widest letters
// have on the average.
func sansWidth(s string, size float64) float64 {
	return float64(ansi.StringWidth(s)) * size * 0.62
}

func pillWidth(label string) float64 { return sansWidth(label, 10.5) + 14 }

// card draws a box.
func (w *svgWriter) card(c *card, t *track) {
	n, b := c.node, c.box
	classes := []string{"box"}
	switch {
	case b.bridge != nil:
		classes = append(classes, "bridge")
	case b.isHost():
		classes = append(classes, "host")
	case b.routes():
		classes = append(classes, "router")
	}
	if t != nil && len(t.boxes[b]) > 0 {
		classes = append(classes, "walked")
	}
	if t != nil && t.dead == b {
		classes = append(classes, "dead")
	}
	fmt.Fprintf(w, `<g class="%s" transform="translate(%s %s)"><title>%s</title>`+"\n", strings.Join(classes, " "), px(n.X), px(n.Y), esc(b.hover()))
	fmt.Fprintf(w, `<rect class="card" width="%s" height="%s" rx="8"/>`, px(n.W), px(n.H))
	fmt.Fprintf(w, `<path class="top" d="M0 %s%s"/>`, px(headHeight-4), fmt.Sprintf("V8Q0 0 8 0H%sQ%s 0 %s 8V%sz", px(n.W-8), px(n.W), px(n.W), px(headHeight-4)))
	fmt.Fprintf(w, `<rect class="edge" width="%s" height="%s" rx="8"/>`, px(n.W), px(n.H))
	fmt.Fprintf(w, `<text class="name" x="%s" y="18.5">%s</text>`, px(padding), esc(c.title))
	if k := b.kind(); k != "" {
		fmt.Fprintf(w, `<text class="kind" x="%s" y="18">%s</text>`, px(n.W-padding), k)
	}
	for i, l := range c.lines {
		fmt.Fprintf(w, `<text class="addr" x="%s" y="%s">%s</text>`, px(padding), px(headHeight+lineHeight*float64(i)+11), esc(l))
	}
	w.WriteString("\n")
	for _, p := range c.pills {
		fmt.Fprintf(w, `<g class="pill %s"><title>%s</title><rect x="%s" y="%s" width="%s" height="%s" rx="9"/><text x="%s" y="%s">%s</text></g>`+"\n",
			p.kind, esc(strings.Join(p.lines, "\n")), px(p.x), px(p.y), px(p.w), px(pillHeight), px(p.x+p.w/2), px(p.y+12.7), esc(p.label))
	}
	w.ground(c)
	for _, p := range b.ports {
		w.port(c, p)
	}
	if t != nil && len(t.boxes[b]) > 0 {
		w.number(t.boxes[b], -1, -2)
	}
	if t != nil && t.dead == b {
		fmt.Fprintf(w, `<path class="cross" d="M%s -7l14 14m0 -14l-14 14"/>`+"\n", px(n.W-12))
	}
	w.WriteString("</g>\n")
}

// port draws the lines of a port, and the point on the border where its cable ends.
func (w *svgWriter) port(c *card, p *port) {
	q, n := c.ports[p], c.node
	class := "port"
	if !p.link.Up {
		class += " down"
	}
	fmt.Fprintf(w, `<g class="%s">`, class)
	x, anchor, right := padding+p.indent(), "", q.Right && !q.Left
	if right {
		x, anchor = n.W-padding-p.indent(), ` text-anchor="end"`
	}
	for i, r := range c.rows[p] {
		y := q.Top() + 2.5 + lineHeight*float64(i) + 12.5
		fmt.Fprintf(w, `<text x="%s" y="%s"%s>%s</text>`, px(x), px(y), anchor, r.spans(right))
	}
	if q.Left {
		fmt.Fprintf(w, `<circle cx="0" cy="%s" r="4.5"/>`, px(q.Y))
	}
	if q.Right {
		fmt.Fprintf(w, `<circle cx="%s" cy="%s" r="4.5"/>`, px(n.W), px(q.Y))
	}
	w.WriteString("</g>\n")
}

// ground draws what the bridges of a namespace, its bonds and VRFs, and their ports
// stand on.
func (w *svgWriter) ground(c *card) {
	for _, m := range c.box.ports {
		q := c.ports[m]
		top, end, ports := q.Top(), q.Bottom(), 0
		for _, p := range c.box.ports {
			if p.link.Master == m.link {
				end, ports = max(end, c.ports[p].Bottom()), ports+1
			}
		}
		class := "section"
		if m.link.Kind == "bridge" {
			class += " bridge"
		} else if ports == 0 {
			continue
		}
		fmt.Fprintf(w, `<rect class="%s" x="5" y="%s" width="%s" height="%s" rx="5"/>`+"\n", class, px(top), px(c.node.W-10), px(end-top))
	}
}

// spans are the words of a line, the name next to the border.
func (r row) spans(right bool) string {
	var words []string
	for _, s := range []struct{ class, text string }{{"if", r.strong}, {"addr", r.text}, {"faint", r.faint}} {
		if s.text != "" {
			words = append(words, fmt.Sprintf(`<tspan class="%s">%s</tspan>`, s.class, esc(s.text)))
		}
	}
	if right {
		slices.Reverse(words)
	}
	return strings.Join(words, " ")
}
