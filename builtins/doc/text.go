package doc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Style says how a page is printed.
type Style struct {
	Width int // of the terminal, in columns; 0 for 80
	Color bool
}

// widest is how wide a text may be to be read with ease.
const widest = 100

func (s Style) width() int {
	if s.Width <= 0 {
		return 80
	}
	return max(30, min(s.Width, widest))
}

// Strong marks what stands out.
func (s Style) Strong(text string) string {
	if !s.Color {
		return text
	}
	return "\x1b[1m" + text + "\x1b[0m"
}

// wrap breaks a text into lines, all of which are indented.
func (s Style) wrap(text string, indent int) string {
	pad := strings.Repeat(" ", indent)
	lines := strings.Split(ansi.Wordwrap(text, s.width()-indent, ""), "\n")
	for i := range lines {
		lines[i] = pad + strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// Hang prints a text behind a word of its own, from a column on.
func (s Style) Hang(word, text string, indent, column int) string {
	head := strings.Repeat(" ", indent) + word
	if gap := column - ansi.StringWidth(head); gap >= 2 {
		head += strings.Repeat(" ", gap)
		return head + strings.TrimLeft(s.wrap(text, column), " ")
	}
	return head + "\n" + s.wrap(text, column)
}

// Text prints the page for a terminal.
func (p *Page) Text(s Style) string {
	var b strings.Builder
	head := p.Name
	if p.Signature != "" {
		head = p.qualified()
	}
	b.WriteString(s.Signature(head))
	b.WriteString("\n" + s.wrap(p.Summary, 0))
	for _, t := range p.Prose {
		b.WriteString("\n" + s.wrap(t, 0))
	}
	s.args(&b, "", p.Args)
	s.args(&b, "Fields", p.Fields)
	if p.Base != "" {
		b.WriteString(s.wrap("and those of "+p.Base, 4))
	}
	if p.Returns.Type != "" {
		s.titled(&b, "Returns", strings.TrimSuffix(p.Returns.Type+": "+p.Returns.Text, ": "))
	}
	if p.Errors != "" {
		s.titled(&b, "Errors", p.Errors)
	}
	if p.Example != "" {
		b.WriteString("\n" + s.Strong("Example") + "\n" + indented(p.Example, 4))
	}
	if len(p.Commands) > 0 {
		b.WriteString("\n" + s.Strong("As commands") + "\n" + indented(strings.Join(p.Commands, "\n"), 4))
	}
	if p.Source != "" {
		s.titled(&b, "See", p.Source)
	}
	return b.String()
}

// qualified is the signature with the whole name of a method.
func (p *Page) qualified() string {
	if of, _, ok := CutName(p.Name); ok && p.Kind == Method {
		return of + "." + p.Signature
	}
	return p.Signature
}

// Signature prints a signature, a long one broken between its arguments.
func (s Style) Signature(sig string) string {
	name, rest, ok := strings.Cut(sig, "(")
	if !ok || len(sig) <= s.width() {
		return s.Strong(sig) + "\n"
	}
	indent := len(name) + 1
	lines := strings.Split(s.wrap(strings.ReplaceAll(rest, " = ", "\u00a0=\u00a0"), min(indent, 12)), "\n")
	text := strings.TrimLeft(strings.Join(lines, "\n"), " ")
	return s.Strong(name) + "(" + strings.ReplaceAll(text, "\u00a0", " ")
}

func (s Style) titled(b *strings.Builder, title, text string) {
	b.WriteString("\n" + s.Strong(title) + "\n" + s.wrap(text, 4))
}

func indented(text string, by int) string {
	pad := strings.Repeat(" ", by)
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(strings.TrimRight(pad+line, " ") + "\n")
	}
	return b.String()
}

// args lists arguments or fields with their types below one another.
func (s Style) args(b *strings.Builder, title string, args []Arg) {
	if args = described(args); len(args) == 0 {
		return
	}
	b.WriteString("\n")
	if title != "" {
		b.WriteString(s.Strong(title) + "\n")
	}
	column := 0
	for _, a := range args {
		column = max(column, len(a.Name))
	}
	column = min(column, 16) + 6
	for _, a := range args {
		b.WriteString(s.Hang(a.Name, a.Line(), 4, column))
	}
}

// described are the arguments of which the page says more than the signature: not
// those of Starlark's own functions.
func described(args []Arg) []Arg {
	return slices.DeleteFunc(slices.Clone(args), func(a Arg) bool { return a.Type == "" && a.Text == "" })
}

// Line says what an argument is.
func (a *Arg) Line() string {
	text := a.Type
	if a.Note != "" {
		text += ", " + a.Note
	}
	if text != "" && a.Text != "" {
		text += ": "
	}
	text += a.Text
	if a.Optional && a.Default != "None" {
		text += fmt.Sprintf(" (default %s)", a.Default)
	}
	return text
}

// line is the page as an entry of a table of contents.
func (p *Page) line(s Style, column int) string {
	head := p.Name
	if p.Callable() {
		head += "()"
	}
	return s.Hang(head, p.Summary, 2, column)
}

// Contents lists all pages by chapter.
func (l *Library) Contents(s Style) string {
	column := 0
	for _, p := range l.pages {
		if p.Kind != Method {
			column = max(column, len(p.Name)+6)
		}
	}
	var b strings.Builder
	for i, g := range l.Groups() {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(s.Strong(g.Title) + "\n")
		for _, p := range g.Pages {
			if p.Kind != Method {
				b.WriteString(p.line(s, column))
			}
		}
	}
	return b.String()
}

// MembersText lists what a type or a module has.
func (l *Library) MembersText(of string, s Style) string {
	var b strings.Builder
	for _, m := range l.Members(of) {
		if m.Page == nil || m.Page.Kind == Module {
			continue
		}
		if b.Len() == 0 {
			title := "Functions"
			if p := l.Page(of); p != nil && p.Kind == Type {
				title = "Methods"
			}
			b.WriteString("\n" + s.Strong(title) + "\n")
		}
		b.WriteString(s.Hang(m.Name, m.Page.Summary, 4, 22))
	}
	return b.String()
}

// Help is the page with all that it leads to, as help() prints it.
func (l *Library) Help(p *Page, s Style) string {
	text := p.Text(s)
	if p.Kind == Type || p.Kind == Module {
		text += l.MembersText(p.Name, s)
	}
	return text
}

// Unindent takes the indent off the lines after the first that they share.
func Unindent(text string) string {
	lines := strings.Split(text, "\n")
	least := -1
	for _, line := range lines[1:] {
		if n := len(line) - len(strings.TrimLeft(line, " ")); strings.TrimSpace(line) != "" && (least < 0 || n < least) {
			least = n
		}
	}
	for i := 1; i < len(lines); i++ {
		lines[i] = lines[i][min(max(least, 0), len(lines[i])):]
	}
	return strings.Join(lines, "\n")
}
