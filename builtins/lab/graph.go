package lab

import (
	"fmt"
	"slices"
	"strings"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// graphFormats are the forms in which a lab is drawn.
var graphFormats = map[string]func(*drawing) string{
	"text": (*drawing).text, "dot": (*drawing).dot, "mermaid": (*drawing).mermaid,
}

// Graph draws the lab as the kernel has it now.
func Graph(l *Lab, format string) (string, error) {
	draw, ok := graphFormats[format]
	if !ok {
		return "", &op.Error{Msg: fmt.Sprintf("there is no format %q", format), Tip: `there is "text", "dot", "mermaid"`}
	}
	d, err := l.drawing()
	if err != nil {
		return "", err
	}
	return draw(d), nil
}

// drawing is what is drawn: the namespaces with their interfaces.
type drawing struct{ nodes []*node }

type node struct {
	name  string
	links []*port
}

// port is an interface.
type port struct {
	of     *node
	name   string
	kind   string
	down   bool
	addrs  []string
	master string // the bridge in the same namespace
	peer   *port  // the other end of a cable
}

func (p *port) String() string { return p.of.name + ":" + p.name }

func (l *Lab) drawing() (*drawing, error) {
	d := &drawing{}
	type key struct {
		ns   string
		link int
	}
	ports := map[key]*port{}
	raw := map[key]kernel.Link{}
	for _, name := range append([]string{op.Host}, l.sys.Names()...) {
		ns, err := l.sys.Look(name)
		if err != nil {
			continue
		}
		links, err := l.shownLinks(name, ns)
		if err != nil {
			return nil, err
		}
		n := &node{name: name}
		for _, k := range links {
			p := &port{of: n, name: k.Name, kind: k.Kind, down: !k.Up(), addrs: k.global(), master: k.master}
			n.links = append(n.links, p)
			ports[key{name, k.Index}], raw[key{name, k.Index}] = p, k.Link
		}
		if name != op.Host || len(n.links) > 0 {
			d.nodes = append(d.nodes, n)
		}
	}
	for at, k := range raw {
		if k.Peer == 0 || ports[at].peer != nil {
			continue
		}
		ns, err := l.sys.Look(at.ns)
		if err != nil {
			return nil, err
		}
		for other, p := range ports {
			if other.link != k.Peer || raw[other].Peer != k.Index || other == at || p.kind != k.Kind {
				continue
			}
			there, err := l.sys.Look(other.ns)
			if err != nil {
				return nil, err
			}
			if other.ns == at.ns && k.PeerNetNS < 0 || other.ns != at.ns && k.PeerNetNS >= 0 && ns.PeerIn(&k, there) {
				ports[at].peer, p.peer = p, ports[at]
			}
		}
	}
	return d, nil
}

// text draws one paragraph a namespace: its interfaces and where they lead to;
// the ports of a bridge stand below it.
func (d *drawing) text() string {
	var b strings.Builder
	for _, n := range d.nodes {
		b.WriteString(n.name + "\n")
		wide := 0
		for _, p := range n.links {
			wide = max(wide, len(p.label())+2*btoi(p.master != ""))
		}
		for _, p := range n.links {
			if p.master != "" {
				continue
			}
			p.line(&b, "  ", wide)
			if p.kind == "bridge" {
				for _, q := range n.links {
					if q.master == p.name {
						q.line(&b, "    ", wide-2)
					}
				}
			}
		}
	}
	return b.String()
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// label is the interface with its kind and addresses.
func (p *port) label() string {
	words := []string{p.name}
	if p.kind != "veth" {
		words = append(words, p.kind)
	}
	words = append(words, p.addrs...)
	if p.down {
		words = append(words, "down")
	}
	return strings.Join(words, "  ")
}

func (p *port) line(b *strings.Builder, indent string, wide int) {
	text := p.label()
	if p.peer != nil {
		text = fmt.Sprintf("%-*s  ── %s", wide, text, p.peer)
	}
	b.WriteString(indent + text + "\n")
}

// cables calls draw once for each cable.
func (d *drawing) cables(draw func(a, b *port)) {
	seen := map[*port]bool{}
	for _, n := range d.nodes {
		for _, p := range n.links {
			if p.peer != nil && !seen[p] {
				seen[p.peer] = true
				draw(p, p.peer)
			}
		}
	}
}

// vertex is what a cable's end is drawn at: the bridge that it is a port of, else
// the namespace.
func (p *port) vertex() string {
	if p.master != "" {
		return p.of.name + "/" + p.master
	}
	return p.of.name
}

func (p *port) caption() string { return strings.Join(append([]string{p.name}, p.addrs...), " ") }

// bridges lists the bridges of all namespaces.
func (d *drawing) bridges() []*port {
	var list []*port
	for _, n := range d.nodes {
		for _, p := range n.links {
			if p.kind == "bridge" {
				list = append(list, p)
			}
		}
	}
	return list
}

// empty reports whether nothing of the node is drawn but bridges: the host, most
// often.
func (n *node) empty() bool {
	return n.name == op.Host && !slices.ContainsFunc(n.links, func(p *port) bool { return p.kind != "bridge" && p.master == "" })
}

// dot is the input of Graphviz (https://graphviz.org/doc/info/lang.html).
func (d *drawing) dot() string {
	var b strings.Builder
	b.WriteString("graph lab {\n  node [shape=box];\n")
	for _, n := range d.nodes {
		if !n.empty() {
			fmt.Fprintf(&b, "  %q;\n", n.name)
		}
	}
	for _, p := range d.bridges() {
		fmt.Fprintf(&b, "  %q [shape=ellipse, label=%q];\n", p.of.name+"/"+p.name, p.caption())
	}
	d.cables(func(p, q *port) {
		fmt.Fprintf(&b, "  %q -- %q [taillabel=%q, headlabel=%q];\n", p.vertex(), q.vertex(), p.caption(), q.caption())
	})
	b.WriteString("}\n")
	return b.String()
}

// mermaid is a flowchart (https://mermaid.js.org/syntax/flowchart.html), which
// knows names by numbers here, for those that it would not take.
func (d *drawing) mermaid() string {
	var b strings.Builder
	b.WriteString("graph LR\n")
	ids := map[string]string{}
	declare := func(vertex, open, label, shut string) {
		ids[vertex] = fmt.Sprintf("n%d", len(ids))
		fmt.Fprintf(&b, "  %s%s\"%s\"%s\n", ids[vertex], open, label, shut)
	}
	for _, n := range d.nodes {
		if !n.empty() {
			declare(n.name, "[", n.name, "]")
		}
	}
	for _, p := range d.bridges() {
		declare(p.of.name+"/"+p.name, "([", p.caption(), "])")
	}
	d.cables(func(p, q *port) {
		fmt.Fprintf(&b, "  %s ---|\"%s — %s\"| %s\n", ids[p.vertex()], p.caption(), q.caption(), ids[q.vertex()])
	})
	return b.String()
}
