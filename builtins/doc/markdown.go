package doc

import (
	"fmt"
	"strings"
)

// Markdown prints the whole reference.
func (l *Library) Markdown() string {
	var b strings.Builder
	for _, g := range l.Groups() {
		fmt.Fprintf(&b, "## %s\n\n", g.Title)
		for _, p := range g.Pages {
			fmt.Fprintf(&b, "### %s\n\n%s", p.Name, p.Markdown())
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// Markdown prints the page, without its name as a title.
func (p *Page) Markdown() string {
	b := &strings.Builder{}
	if p.Signature != "" {
		fmt.Fprintf(b, "```python\n%s\n```\n\n", p.qualified())
	}
	fmt.Fprintf(b, "%s\n\n", p.Summary)
	for _, t := range p.Prose {
		fmt.Fprintf(b, "%s\n\n", t)
	}
	table(b, "argument", p.Args)
	table(b, "field", p.Fields)
	if p.Returns.Type != "" {
		fmt.Fprintf(b, "**Returns** %s\n\n", strings.TrimSuffix(code(p.Returns.Type)+": "+p.Returns.Text, ": "))
	}
	if p.Errors != "" {
		fmt.Fprintf(b, "**Errors** %s\n\n", p.Errors)
	}
	if p.Example != "" {
		fmt.Fprintf(b, "```python\n%s\n```\n\n", p.Example)
	}
	if len(p.Commands) > 0 {
		fmt.Fprintf(b, "As commands:\n\n```sh\n%s\n```\n\n", strings.Join(p.Commands, "\n"))
	}
	if p.Source != "" {
		fmt.Fprintf(b, "See %s\n\n", p.Source)
	}
	return b.String()
}

func table(b *strings.Builder, title string, args []Arg) {
	if args = described(args); len(args) == 0 {
		return
	}
	fmt.Fprintf(b, "| %s | type | |\n|---|---|---|\n", title)
	for _, a := range args {
		typ := code(a.Type)
		if a.Note != "" {
			typ += ", " + a.Note
		}
		text := a.Text
		if a.Optional && a.Default != "None" {
			text += fmt.Sprintf(" (default %s)", code(a.Default))
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", a.Name, cell(typ), cell(text))
	}
	b.WriteString("\n")
}

func code(s string) string { return "`" + s + "`" }

// cell escapes what would end a cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
