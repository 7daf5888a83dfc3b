// Package graph draws networks: a [picture.Picture] as text for a terminal, as SVG, as
// input for Graphviz or Mermaid, or as JSON. The way of a packet can be drawn on it.
//
// All forms are made from a drawing: boxes with ports, and cables between these. A box
// is a namespace, or a bridge of the host where the host is nothing but bridges.
//
//	drawing.go  from the picture to the drawing
//	facts.go    what a namespace is besides its interfaces: a router, a firewall
//	walk.go     the way of a packet over the drawing
//	names.go    names as they can be shown, and runs of them in short
//	fold.go     boxes that are alike, for large networks
//	text.go, svg.go, dot.go, mermaid.go, json.go  the forms
//	layout      where the boxes of an SVG stand
package graph

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"nsscript/builtins/op"
	"nsscript/builtins/picture"
)

// Options say how to draw.
type Options struct {
	Format string // one of Formats
	Width  int    // columns of the terminal, for text; 0 for 80
	Walk   *Walk  // the way of a packet, nil for none
}

var formats = map[string]func(*drawing, *Options) string{
	"text": (*drawing).text, "svg": (*drawing).svg, "dot": (*drawing).dot, "mermaid": (*drawing).mermaid, "json": (*drawing).json,
}

// Formats are the forms in which a network is drawn.
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

// FormatOf is the form that a file's name tells, text where it tells none.
func FormatOf(file string) string {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".svg":
		return "svg"
	case ".dot", ".gv":
		return "dot"
	case ".mmd", ".mermaid":
		return "mermaid"
	case ".json":
		return "json"
	}
	return "text"
}

// CheckFormat returns an error for a form that there is not.
func CheckFormat(format string) error {
	if formats[format] == nil {
		return &op.Error{Msg: fmt.Sprintf("there is no format %q", format), Tip: `there is "` + strings.Join(Formats(), `", "`) + `"`}
	}
	return nil
}

// Draw draws a network.
func Draw(w io.Writer, p *picture.Picture, o Options) error {
	if err := CheckFormat(o.Format); err != nil {
		return err
	}
	d := newDrawing(p)
	d.follow(o.Walk)
	_, err := io.WriteString(w, formats[o.Format](d, &o))
	return err
}
