package builtins

import (
	"io"
	"os"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/graph"
)

var graphSpec = spec{
	sig: "graph(format = \"text\", *, file = None, trace = None)",
	doc: graphDoc,
	run: drawGraph,
}

func drawGraph(c *call) (starlark.Value, error) {
	format, file := "text", ""
	var walked walkOf
	if err := c.unpack(&format, &file, &walked); err != nil {
		return nil, err
	}
	if c.given("file") && file == "" {
		return nil, &argError{"file", badArg("", "want the name of a file, got \"\"")}
	}
	if !c.given("format") {
		format = graph.FormatOf(file)
	}
	if err := graph.CheckFormat(format); err != nil {
		return nil, err
	}
	w, err := walked.walk(c)
	if err != nil {
		return nil, &argError{"trace", err}
	}
	p, err := c.lab.Pictured(c.ctx)
	if err != nil {
		return nil, c.interrupted(err)
	}
	var text strings.Builder
	if err := graph.Draw(&text, p, graph.Options{Format: format, Width: c.opts.Width, Walk: w}); err != nil {
		return nil, err
	}
	switch {
	case file == "":
		_, err = io.WriteString(c.opts.Out, text.String())
	case !c.lab.Planned(): // a plan changes nothing
		if err = os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			return nil, &argError{"file", badArg("", "%q cannot be written: %s", file, FileProblem(err))}
		}
	}
	return nil, err
}

// walkOf is the way of a packet: a Path, or from where to where one is sent.
type walkOf struct {
	path *record
	ends starlark.Tuple
}

func (w *walkOf) unpack(_ *Session, v starlark.Value) error {
	switch v := v.(type) {
	case *record:
		if v.kind == "Path" {
			w.path = v
			return nil
		}
	case starlark.Tuple:
		if len(v) == 2 {
			w.ends = v
			return nil
		}
	}
	return want("a Path, as trace() returns it, or a pair such as (red, blue)", v)
}

// walk is what is drawn, nil for nothing.
func (w *walkOf) walk(c *call) (*graph.Walk, error) {
	if w.ends != nil {
		v, err := c.Call("trace", []any{w.ends[0], w.ends[1]}, nil)
		if err != nil {
			_, err = WrongArgument(err)
			return nil, err
		}
		w.path = v.(*record)
	}
	if w.path == nil {
		return nil, nil
	}
	return walkOfPath(w.path), nil
}

// WalkOf is a Path, as the builtin trace returns it, in the terms of a drawing.
func WalkOf(path starlark.Value) *graph.Walk {
	if r, ok := path.(*record); ok && r.kind == "Path" {
		return walkOfPath(r)
	}
	return nil
}

func walkOfPath(r *record) *graph.Walk {
	title, _, _ := strings.Cut(r.text, "\n")
	w := &graph.Walk{Title: title, Verdict: r.str("verdict"), Arrived: r.truth}
	hops, _ := r.field("hops").(*starlark.List)
	for v := range hops.Elements() {
		hop, ok := v.(*record)
		if !ok {
			continue
		}
		s := graph.Step{NS: hop.place("ns"), Back: hop.field("back") == starlark.True}
		if dir := hop.str("direction"); dir != "" {
			s.Dev, s.Out = hop.str("dev"), dir == "out"
		}
		w.Steps = append(w.Steps, s)
	}
	if at := r.place("dropped_at"); at != "" {
		w.Death = &graph.Death{NS: at, Reason: r.str("reason"), Text: strings.TrimPrefix(w.Verdict, "✗ "), Back: r.field("cause") != starlark.None}
	}
	return w
}

// field is a field's value, None where there is no such field.
func (r *record) field(name string) starlark.Value {
	for _, f := range r.fields {
		if f.name == name {
			return f.value
		}
	}
	return starlark.None
}

// str is a field that is a string, "" where it is none.
func (r *record) str(name string) string {
	s, _ := starlark.AsString(r.field(name))
	return s
}

// place is the name of the namespace in a field, "" for none.
func (r *record) place(name string) string {
	if n, ok := r.field(name).(*Namespace); ok {
		return n.name
	}
	return ""
}

const graphDoc = `
Draws the lab as it is now: namespaces with their interfaces and addresses, bridges, cables, and where there are routers, NAT and firewalls.

As text it is for the terminal: a box for each namespace, with what its cables lead to; what has a single cable stands there in brackets. From 31 boxes on, those that are alike are drawn as one.

As svg it is a picture for a browser or a book: rules are shown under the pointer, and routes.

As json it is for programs: the fields are lab; namespaces, each with name, owned, router, links (name, kind, mac, mtu, up, addrs, master, lower, options), routes, sysctls, services and tables (name, v6, policies, rules, lines); cables (a, b, kind, tunnel, up); bridges (namespace, link, ports); and walk (title, verdict, arrived, stops, death). Fields may be added, and those that there are keep their meaning.

With trace the way of a packet is drawn on it: the boxes and cables that it passed are numbered in order, and where it was lost there is a cross with the reason. A pair sends a packet; a Path is one that was sent before.

format (string): "text", "svg", "dot" for Graphviz, "mermaid" for Markdown, "json"; without it the one that the file's name ends with
file (string): write it to this file in place of printing it
trace (Path | tuple): what trace() has returned, or where from and where to
returns (None): nothing
errors: there is no such format; the file cannot be written; no packet can be sent
example:
    red, blue = namespace("red"), namespace("blue")
    veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    graph()
    #> ┌─ red ──────────────────┐
    #> │ eth0 10.0.0.1/24       ├── [blue] eth0 10.0.0.2/24
    #> └────────────────────────┘
    path = trace(red, blue)
    if not path:
        graph(trace = path, file = "lost.svg")
command: nsscript graph LAB|FILE [--format FORMAT] [-o FILE] [--trace FROM TO]
`
