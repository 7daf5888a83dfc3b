// Package markdown prints Markdown (CommonMark, https://spec.commonmark.org) on a
// terminal: in a given number of columns, with or without colours. It is for texts that
// people read in one go, such as the briefs of exercises; images and HTML are printed as
// they stand.
package markdown

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// Options say how to print.
type Options struct {
	// Width is the number of columns; 0 for 78.
	Width int
	Color bool
}

// defaultWidth leaves a margin in a terminal of 80 columns.
const defaultWidth = 78

// Render returns a text in the form for the terminal. It ends with a line break.
func Render(source string, o Options) string {
	if o.Width <= 0 {
		o.Width = defaultWidth
	}
	src := []byte(source)
	doc := goldmark.New(goldmark.WithExtensions(extension.Table)).Parser().Parse(text.NewReader(src))
	r := &renderer{src: src, color: o.Color}
	return strings.Join(r.blocks(doc, o.Width), "\n") + "\n"
}

// renderer turns nodes into lines.
type renderer struct {
	src   []byte
	color bool
}

// The escape sequences (ECMA-48, SGR).
const (
	bold      = "\x1b[1m"
	italic    = "\x1b[3m"
	heading   = "\x1b[1;36m"
	codeColor = "\x1b[33m"
	plain     = "\x1b[0m"
)

func (r *renderer) in(style, s string) string {
	if !r.color || s == "" {
		return s
	}
	return style + s + plain
}

// blocks are the lines of all blocks in a node, with an empty line between two of them.
func (r *renderer) blocks(parent ast.Node, width int) []string {
	var lines []string
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		b := r.block(n, width)
		if len(b) == 0 {
			continue
		}
		if len(lines) > 0 && !tight(parent) {
			lines = append(lines, "")
		}
		lines = append(lines, b...)
	}
	return lines
}

// tight reports whether the parts of a node stand without empty lines between them.
func tight(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.List:
		return n.IsTight
	case *ast.ListItem:
		list, ok := n.Parent().(*ast.List)
		return ok && list.IsTight
	}
	return false
}

func (r *renderer) block(n ast.Node, width int) []string {
	switch n := n.(type) {
	case *ast.Heading:
		return r.heading(n, width)
	case *ast.Paragraph, *ast.TextBlock:
		return wrap(r.inline(n), width)
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		return r.code(n)
	case *ast.List:
		return r.list(n, width)
	case *ast.Blockquote:
		return prefixed(r.blocks(n, width-2), "│ ", "│ ")
	case *ast.ThematicBreak:
		return []string{strings.Repeat("─", width)}
	case *extast.Table:
		return r.table(n)
	case *ast.HTMLBlock:
		return r.raw(n)
	}
	return r.blocks(n, width)
}

func (r *renderer) heading(n *ast.Heading, width int) []string {
	var lines []string
	for _, line := range wrap(r.plainText(n), width) {
		lines = append(lines, r.in(heading, line))
	}
	if !r.color && len(lines) > 0 {
		under := map[bool]string{true: "═", false: "─"}[n.Level == 1]
		lines = append(lines, strings.Repeat(under, columns(lines[len(lines)-1])))
	}
	return lines
}

// code is printed as it stands, set in, and never broken.
func (r *renderer) code(n ast.Node) []string {
	lines := r.raw(n)
	for i, line := range lines {
		lines[i] = "    " + r.in(codeColor, line)
	}
	return lines
}

func (r *renderer) raw(n ast.Node) []string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		seg := n.Lines().At(i)
		b.Write(seg.Value(r.src))
	}
	return strings.Split(strings.TrimRight(printable(b.String()), "\n"), "\n")
}

func (r *renderer) list(n *ast.List, width int) []string {
	var lines []string
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		mark := "• "
		if n.IsOrdered() {
			mark = fmt.Sprintf("%d. ", number)
			number++
		}
		if len(lines) > 0 && !n.IsTight {
			lines = append(lines, "")
		}
		indent := columns(mark)
		lines = append(lines, prefixed(r.blocks(item, width-indent-2), "  "+mark, strings.Repeat(" ", indent+2))...)
	}
	return lines
}

// table has columns as wide as their widest cell.
func (r *renderer) table(n *extast.Table) []string {
	var rows [][]string
	var widths []int
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		var cells []string
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			text := strings.Join(wrap(r.inline(cell), 1<<20), " ")
			if len(cells) == len(widths) {
				widths = append(widths, 0)
			}
			widths[len(cells)] = max(widths[len(cells)], columns(text))
			cells = append(cells, text)
		}
		rows = append(rows, cells)
	}
	var lines []string
	for i, cells := range rows {
		var b, rule strings.Builder
		for j, text := range cells {
			fmt.Fprintf(&b, "  %s%s", text, strings.Repeat(" ", widths[j]-columns(text)))
			rule.WriteString("  " + strings.Repeat("─", widths[j]))
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
		if i == 0 {
			lines = append(lines, rule.String())
		}
	}
	return lines
}

// plainText is the text of a node without styles.
func (r *renderer) plainText(n ast.Node) []span {
	spans := r.inline(n)
	for i := range spans {
		spans[i].style = ""
	}
	return spans
}

// span is a piece of text in one style.
type span struct {
	text  string
	style string
	brk   bool // a line ends here
}

// inline are the pieces of text of a block.
func (r *renderer) inline(parent ast.Node) []span {
	var spans []span
	add := func(style string, inner []span) {
		for _, s := range inner {
			if r.color {
				s.style = style + s.style
			}
			spans = append(spans, s)
		}
	}
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			spans = append(spans, span{text: printable(string(n.Segment.Value(r.src)))})
			if n.HardLineBreak() {
				spans = append(spans, span{brk: true})
			} else if n.SoftLineBreak() {
				spans = append(spans, span{text: " "})
			}
		case *ast.String:
			spans = append(spans, span{text: printable(string(n.Value))})
		case *ast.CodeSpan:
			inner := r.inline(n)
			if !r.color { // what is typed is told from what is said
				inner = append(append([]span{{text: "`"}}, inner...), span{text: "`"})
			}
			add(codeColor, inner)
		case *ast.Emphasis:
			add(map[bool]string{true: bold, false: italic}[n.Level > 1], r.inline(n))
		case *ast.Link:
			spans = append(spans, r.inline(n)...)
			spans = append(spans, span{text: " (" + printable(string(n.Destination)) + ")"})
		case *ast.AutoLink:
			spans = append(spans, span{text: printable(string(n.Label(r.src)))})
		case *ast.RawHTML:
			for i := range n.Segments.Len() {
				seg := n.Segments.At(i)
				spans = append(spans, span{text: printable(string(seg.Value(r.src)))})
			}
		default:
			spans = append(spans, r.inline(n)...)
		}
	}
	return spans
}

// printable leaves out what would command the terminal.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 {
			return -1
		}
		return c
	}, s)
}

// columns is how many columns a text takes, without its escape sequences.
func columns(s string) int { return ansi.StringWidth(s) }

// prefixed puts one text before the first line, and another before the others.
func prefixed(lines []string, first, others string) []string {
	for i, line := range lines {
		before := others
		if i == 0 {
			before = first
		}
		lines[i] = strings.TrimRight(before+line, " ")
	}
	return lines
}
