package graph

import (
	"fmt"
	"strings"
)

// mermaid is a flowchart (https://mermaid.js.org/syntax/flowchart.html), which knows
// names by numbers here, for those that it would not take.
func (d *drawing) mermaid(*Options) string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	if d.track != nil {
		fmt.Fprintf(&b, "  way[\"%s<br/>%s\"]:::way\n", mermaidText(d.track.Title), mermaidText(d.track.Verdict))
	}
	for _, x := range d.boxes {
		open, shut := "[", "]"
		if x.bridge != nil {
			open, shut = "([", "])"
		}
		fmt.Fprintf(&b, "  n%d%s\"%s\"%s%s\n", x.number, open, x.mermaidLabel(d.track), shut, x.mermaidClass(d.track))
	}
	used := map[string]bool{"way": d.track != nil}
	for _, x := range d.boxes {
		used[strings.TrimPrefix(x.mermaidClass(d.track), ":::")] = true
	}
	var styles []string
	for i, c := range d.cables {
		arrow := "---"
		if c.down() || c.kind != "veth" {
			arrow = "-.-"
		}
		text := mermaidText(c.a.caption() + " — " + c.b.caption())
		a, z := c.a.box.number, c.b.box.number
		if s := d.track.on(c); s != nil {
			if arrow = "-->"; s.back {
				arrow = "-.->"
			}
			if s.from == c.b {
				a, z = z, a
				text = mermaidText(c.b.caption() + " — " + c.a.caption())
			}
			if n := d.track.lines[c]; len(n) > 0 {
				text = "<b>(" + joinInts(n) + ")</b> " + text
			}
			styles = append(styles, fmt.Sprintf("  linkStyle %d stroke:#ea580c,stroke-width:3px\n", i))
		}
		fmt.Fprintf(&b, "  n%d %s|\"%s\"| n%d\n", a, arrow, text, z)
	}
	b.WriteString(strings.Join(styles, ""))
	for _, s := range mermaidStyles {
		if used[s[0]] {
			fmt.Fprintf(&b, "  classDef %s %s\n", s[0], s[1])
		}
	}
	return b.String()
}

// mermaidStyles are the looks of the classes, in the order in which they are written.
var mermaidStyles = [][2]string{
	{"router", "fill:#dbeafe,stroke:#5b8def,color:#1e293b"},
	{"bridge", "fill:#dcfce7,stroke:#4ea46f,color:#1e293b"},
	{"host", "fill:#fef3c7,stroke:#c99a2e,color:#1e293b"},
	{"walked", "stroke:#ea580c,stroke-width:3px"},
	{"dead", "fill:#fee2e2,stroke:#dc2626,stroke-width:3px,color:#1e293b"},
	{"way", "fill:none,stroke:none"},
}

// mermaidLabel is what stands in a box: its name, its facts, and interfaces that no
// cable tells of.
func (b *box) mermaidLabel(t *track) string {
	name := "<b>" + mermaidText(b.name()) + "</b>"
	if t != nil && len(t.boxes[b]) > 0 {
		name = "(" + joinInts(t.boxes[b]) + ") " + name
	}
	lines := []string{name}
	if t != nil && t.dead == b {
		lines = append(lines, "✗ "+mermaidText(t.Death.Reason))
	}
	for _, l := range b.subtitle() {
		lines = append(lines, mermaidText(l))
	}
	for _, f := range b.facts {
		lines = append(lines, "<i>"+mermaidText(f.label)+"</i>")
	}
	for _, p := range b.ports {
		if len(p.cables) == 0 {
			lines = append(lines, mermaidText(p.caption()))
		}
	}
	return strings.Join(lines, "<br/>")
}

func (b *box) mermaidClass(t *track) string {
	class := ""
	switch {
	case t != nil && t.dead == b:
		return ":::dead"
	case b.bridge != nil:
		class = ":::bridge"
	case b.isHost():
		class = ":::host"
	case b.routes():
		class = ":::router"
	}
	if t != nil && len(t.boxes[b]) > 0 {
		return ":::walked" // of two classes in this form, the last would count alone
	}
	return class
}

// mermaidText is text in a label. Letters, digits and what addresses consist of stand
// as they are; all else is written by its number.
func mermaidText(s string) string {
	var b strings.Builder
	for _, r := range plain(s) {
		if r > 0x7F || strings.ContainsRune(" .,:/-_()+=@", r) || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, "#%d;", r)
	}
	return b.String()
}
