package graph

import (
	"fmt"
	"slices"
	"strings"
)

// dot is the input of Graphviz (https://graphviz.org/doc/info/lang.html): a table for
// each box, with a row for each interface.
func (d *drawing) dot(*Options) string {
	var b strings.Builder
	b.WriteString("graph lab {\n  rankdir=LR;\n  node [shape=plain, fontname=\"Helvetica\"];\n  edge [fontname=\"Helvetica\", color=\"#64748b\"];\n")
	if d.track != nil {
		fmt.Fprintf(&b, "  labelloc=t;\n  fontname=\"Helvetica\";\n  label=%s;\n", dotString(plain(d.track.Title)+"\n"+plain(d.track.Verdict)))
	}
	for _, x := range d.boxes {
		fmt.Fprintf(&b, "  %s [tooltip=%s, label=<\n%s  >];\n", dotString(plain(x.key())), dotString(x.hover()), x.dotTable(d.track))
	}
	for _, c := range d.cables {
		fmt.Fprintf(&b, "  %s -- %s%s;\n", c.a.dotEnd(), c.b.dotEnd(), c.dotLooks(d.track))
	}
	b.WriteString("}\n")
	return b.String()
}

// dotString quotes a string in the manner of Graphviz, which takes a backslash in it
// for the beginning of an escape.
func dotString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// dotEnd is where a cable ends: at the row of its interface.
func (p *port) dotEnd() string {
	return fmt.Sprintf("%s:p%d", dotString(plain(p.box.key())), slices.Index(p.box.ports, p))
}

// fills are the colours of the boxes' titles, as in SVG.
func (b *box) fill() string {
	switch {
	case b.bridge != nil:
		return "#dcfce7"
	case b.isHost():
		return "#fef3c7"
	case b.routes():
		return "#dbeafe"
	}
	return "#eef2f7"
}

func (b *box) dotTable(t *track) string {
	border, title := "#94a3b8", "<b>"+esc(b.name())+"</b>"
	if k := b.kind(); k != "" {
		title += " " + k
	}
	if t != nil && len(t.boxes[b]) > 0 {
		border = "#ea580c"
		title = fmt.Sprintf(`<font color="#ea580c"><b>(%s)</b></font> `, joinInts(t.boxes[b])) + title
	}
	var w strings.Builder
	if t != nil && t.dead == b {
		border = "#dc2626"
		title += fmt.Sprintf(` <font color="#dc2626"><b>✗ %s</b></font>`, esc(plain(t.Death.Reason)))
	}
	fmt.Fprintf(&w, `    <table border="1" cellborder="0" cellspacing="0" cellpadding="4" color="%s">`+"\n", border)
	fmt.Fprintf(&w, `      <tr><td bgcolor="%s">%s</td></tr>`+"\n", b.fill(), title)
	for _, l := range b.subtitle() {
		fmt.Fprintf(&w, "      <tr><td>%s</td></tr>\n", esc(l))
	}
	for _, f := range b.facts {
		fmt.Fprintf(&w, `      <tr><td><font point-size="11" color="#5b21b6">%s</font></td></tr>`+"\n", esc(f.label))
	}
	for i, p := range b.ports {
		text := strings.Repeat("&#160;&#160;", p.depth) + esc(p.caption())
		if !p.link.Up {
			text = `<font color="#94a3b8">` + text + "</font>"
		}
		fmt.Fprintf(&w, `      <tr><td port="p%d" align="left">%s</td></tr>`+"\n", i, text)
	}
	w.WriteString("    </table>\n")
	return w.String()
}

// dotLooks are the attributes of a cable.
func (c *cable) dotLooks(t *track) string {
	var list []string
	s := t.on(c)
	switch {
	case s != nil:
		dir := "forward"
		if s.from == c.b {
			dir = "back"
		}
		list = append(list, `color="#ea580c"`, "penwidth=3", "dir="+dir, `fontcolor="#ea580c"`)
		if n := t.lines[c]; len(n) > 0 {
			list = append(list, fmt.Sprintf(`label="%s"`, joinInts(n)))
		}
		if s.back {
			list = append(list, "style=dashed")
		}
	case c.down():
		list = append(list, "style=dashed", `color="#cbd5e1"`)
	case c.kind != "veth":
		list = append(list, "style=dotted")
	}
	if len(list) == 0 {
		return ""
	}
	return " [" + strings.Join(list, ", ") + "]"
}
