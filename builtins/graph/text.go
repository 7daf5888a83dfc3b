package graph

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// The sizes of a text, in letters.
const (
	usualWidth = 80
	leastWidth = 40
	step       = 8 // the width of a box is a multiple, so that one change does not move all lines
)

// text is a drawing for the terminal: a box for each namespace and each bridge, with
// its interfaces and what their cables lead to. What has a single cable stands at the
// other end of that.
func (d *drawing) text(o *Options) string {
	t := &texter{d: d, of: d.fold(), width: max(leastWidth, o.Width)}
	if o.Width == 0 {
		t.width = usualWidth
	}
	t.way()
	drawn := map[*class]bool{}
	for _, b := range d.boxes {
		if c := t.of[b]; !drawn[c] && !t.inline(c) {
			drawn[c] = true
			t.box(c)
		}
	}
	return t.String()
}

type texter struct {
	strings.Builder
	d     *drawing
	of    map[*box]*class
	width int
}

// limit is how wide a box may be: the rest is for what its cables lead to.
func (t *texter) limit() int { return t.width * 3 / 5 / step * step }

// inline reports whether boxes are drawn at the other end of their only cable.
func (t *texter) inline(c *class) bool {
	b := c.boxes[0]
	if len(b.ports) != 1 || len(b.ports[0].cables) != 1 || b.bridge != nil {
		return false
	}
	o := b.ports[0].cables[0].other(b.ports[0]).box
	if o == b || t.of[o] == c {
		return false
	}
	return len(o.ports) != 1 || len(o.ports[0].cables) != 1 || o.bridge != nil || b.number > o.number
}

// way says above the drawing what became of a packet.
func (t *texter) way() {
	k := t.d.track
	if k == nil {
		return
	}
	var words []string
	back := false
	for _, s := range k.stops {
		if s.back && !back {
			back = true
			words = append(words, "; back:")
		}
		if s.box != nil {
			words = append(words, fmt.Sprintf("%d %s", s.number, s.box.name()))
		} else {
			words = append(words, fmt.Sprintf("─%d→", s.number))
		}
	}
	if k.Death != nil {
		words = append(words, "✗ "+plain(k.Death.Reason))
	}
	for _, l := range []string{k.Title, k.Verdict, strings.ReplaceAll(strings.Join(words, " "), " ;", ";")} {
		for _, part := range wrap(plain(l), t.width, "  ") {
			t.WriteString(part + "\n")
		}
	}
	t.WriteString("\n")
}

// textRow is a line within a box, and what leads on from it.
type textRow struct {
	left string
	arms []string // each begins at the border
}

// box draws boxes that are alike.
func (t *texter) box(c *class) {
	b := c.boxes[0]
	rows := []textRow{}
	for _, f := range t.facts(b) {
		rows = append(rows, textRow{left: f})
	}
	for _, g := range t.groups(c) {
		rows = append(rows, textRow{g.caption(), t.arms(c, g)})
	}
	title := t.title(c)
	wide, limit := ansi.StringWidth(title)+4, t.limit()
	for _, r := range rows {
		wide = max(wide, ansi.StringWidth(r.left)+2)
	}
	wide = min((wide+step-1)/step*step, limit)
	lead := fmt.Sprintf("┌─ %s ", ansi.Truncate(title, t.width-5, "…"))
	t.WriteString(lead + strings.Repeat("─", max(0, wide+1-ansi.StringWidth(lead))) + "┐\n")
	for _, r := range rows {
		t.row(r, wide)
	}
	t.WriteString("└" + strings.Repeat("─", wide) + "┘\n")
}

// title is the name of a box, or how many alike there are.
func (t *texter) title(c *class) string {
	b := c.boxes[0]
	words := []string{t.names(c)}
	if k := b.kind(); k != "" {
		words = append(words, strings.Join(append([]string{k}, b.subtitle()...), " "))
	}
	if n := len(c.boxes); n > 1 {
		words = append(words, fmt.Sprintf("%d %s alike", n, t.what(c)))
	}
	return strings.Join(words, " ─ ")
}

func (t *texter) what(c *class) string {
	if c.boxes[0].bridge != nil {
		return "bridges"
	}
	return "namespaces"
}

// names are the names of the boxes, with their places on the way of a packet.
func (t *texter) names(c *class) string {
	var names []string
	for _, b := range c.boxes {
		names = append(names, b.name())
	}
	text := span(names)
	if k := t.d.track; k != nil {
		if n := k.boxes[c.boxes[0]]; len(n) > 0 {
			text = joinInts(n) + " " + text
		}
		if k.dead == c.boxes[0] {
			text += " ✗ " + plain(k.Death.Reason)
		}
	}
	return text
}

// facts are the lines that say what a namespace is, as many in one as there is room
// for.
func (t *texter) facts(b *box) []string {
	var lines []string
	for _, f := range b.facts {
		n := len(lines)
		if n > 0 && ansi.StringWidth(lines[n-1]+" · "+f.label) <= t.limit()-2 {
			lines[n-1] += " · " + f.label
			continue
		}
		lines = append(lines, f.label)
	}
	return lines
}

// row draws a line of a box with what leads on from it; what is too long goes on in
// the next line.
func (t *texter) row(r textRow, wide int) {
	lefts := wrap(r.left, wide-2, "  ")
	var rights []string
	for _, a := range r.arms {
		rights = append(rights, wrap(a, t.width-wide-1, "    ")...)
	}
	for i := range max(len(lefts), len(rights)) {
		left, right := "", "│"
		if i < len(lefts) {
			left = lefts[i]
		}
		if i < len(rights) {
			right = rights[i]
			if strings.HasPrefix(right, " ") {
				right = "│" + right[1:]
			}
		}
		t.WriteString(strings.TrimRight("│ "+left+strings.Repeat(" ", max(0, wide-1-ansi.StringWidth(left)))+right, " ") + "\n")
	}
}

// group is ports that are drawn as one: of boxes that are alike, to boxes that are
// alike.
type group struct {
	ports []*port
	to    []*class // what their cables lead to
}

// groups puts the ports of a class together.
func (t *texter) groups(c *class) []*group {
	var list []*group
	at := map[string]*group{}
	for _, b := range c.boxes {
		for _, p := range b.ports {
			key, to := t.groupOf(c, p)
			g := at[key]
			if g == nil {
				g = &group{to: to}
				at[key] = g
				list = append(list, g)
			}
			g.ports = append(g.ports, p)
		}
	}
	return list
}

// groupOf is a key that ports have in common which are drawn as one.
func (t *texter) groupOf(c *class, p *port) (key string, to []*class) {
	folded := len(c.boxes) > 1
	key = fmt.Sprint(p.look(stem), p.depth)
	for _, l := range p.cables {
		o := t.of[l.other(p).box]
		to = append(to, o)
		folded = folded || len(o.boxes) > 1
		key += fmt.Sprintf(" %p", o)
	}
	if !folded || t.walked(p) {
		key = fmt.Sprintf("%p", p)
	} else if len(p.cables) == 0 && len(c.boxes) > 1 {
		key += p.name()
	}
	return key, to
}

// walked reports whether a packet's way leads over the port.
func (t *texter) walked(p *port) bool {
	return slices.ContainsFunc(p.cables, func(c *cable) bool { return t.d.track.on(c) != nil })
}

// caption is what a group is called: its names, addresses and what is unusual.
func (g *group) caption() string {
	p := g.ports[0]
	words := []string{strings.Repeat("  ", p.depth) + g.names()}
	if len(g.ports) == 1 {
		words = append(words, p.addrs()...)
	} else if s := g.addrs(); s != "" {
		words = append(words, s)
	}
	if n := p.note(); n != "" {
		words = append(words, "("+n+")")
	}
	return strings.Join(words, " ")
}

// names are the names of the ports, of one box where they are alike.
func (g *group) names() string {
	var names []string
	for _, p := range g.ports {
		if !slices.Contains(names, p.name()) {
			names = append(names, p.name())
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { // eth2 before eth10
		return cmp.Or(len(a)-len(b), strings.Compare(a, b))
	})
	return span(names)
}

func (g *group) addrs() string {
	var list []netip.Prefix
	for _, p := range g.ports {
		list = append(list, p.link.Global()...)
	}
	return addrSpan(list)
}

// arms are the cables of a group, each as it begins at the border.
func (t *texter) arms(c *class, g *group) []string {
	if len(g.ports) > 1 {
		if len(g.to) == 0 {
			return nil
		}
		var far group
		for _, p := range g.ports {
			for _, l := range p.cables {
				far.ports = append(far.ports, l.other(p))
			}
		}
		return []string{"├── " + t.far(c, g.to[0], &far)}
	}
	p := g.ports[0]
	var list []string
	for i, l := range p.cables {
		o := l.other(p)
		list = append(list, t.arm(p, l)+t.far(c, g.to[i], &group{ports: []*port{o}}))
	}
	return list
}

// arm is the line of a cable.
func (t *texter) arm(p *port, c *cable) string {
	s := t.d.track.on(c)
	switch {
	case s != nil && s.from == p:
		return fmt.Sprintf("┝━%d━▶ ", s.number)
	case s != nil:
		return fmt.Sprintf("◀━%d━ ", s.number)
	case c.down():
		return "├┄┄ "
	case c.kind != "veth":
		return "├╌╌ "
	}
	return "├── "
}

// far is the other end of a cable. What is drawn nowhere else stands in brackets.
func (t *texter) far(c, to *class, g *group) string {
	if to == c && len(to.boxes) > 1 {
		return "one another: " + g.names()
	}
	if !t.inline(to) {
		return t.short(to) + ":" + g.names()
	}
	words := []string{"[" + t.names(to) + "]"}
	if n := len(to.boxes); n > 1 {
		words = append(words, fmt.Sprintf("%d alike,", n))
	}
	words = append(words, g.caption())
	for _, f := range to.boxes[0].facts {
		words = append(words, "· "+f.label)
	}
	return strings.Join(words, " ")
}

// short are the names of boxes that are drawn elsewhere.
func (t *texter) short(c *class) string {
	var names []string
	for _, b := range c.boxes {
		names = append(names, b.name())
	}
	return span(names)
}

// wrap breaks a line where it is too long, at a blank if there is one. The lines after
// the first are indented.
func wrap(s string, width int, indent string) []string {
	if ansi.StringWidth(s) <= width {
		return []string{s}
	}
	lead := s[:len(s)-len(strings.TrimLeft(s, " "))]
	indent = lead + indent
	var lines []string
	for i, l := range strings.Split(ansi.Wrap(s, max(8, width-len(indent)), "–"), "\n") {
		if i > 0 {
			l = indent + strings.TrimLeft(l, " ")
		}
		lines = append(lines, strings.TrimRight(l, " "))
	}
	return lines
}
