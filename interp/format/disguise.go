package format

import (
	"fmt"
	"strings"

	"go.starlark.net/syntax"

	"nsscript/interp"
)

// A disguised script has for-loops where there were while-loops, and names where
// there were bytes: these are laid out alike.
type disguised struct {
	text []byte
	// reals are what a disguise in the result stands for, by turns.
	reals []string
	// shifts are how much wider than a while its disguise is, for each.
	shifts []int
}

// disguise hides what buildifier's parser does not know. The tree is that of the
// text, whose lines end as Unix' do.
func disguise(tree *syntax.File, text string) disguised {
	mask := unused(text)
	var d disguised
	var hidden []edit
	lines := lineStarts(text)
	syntax.Walk(tree, func(n syntax.Node) bool {
		name := fmt.Sprintf("%s%d_", mask, len(hidden))
		switch n := n.(type) {
		case *syntax.WhileStmt:
			loop := "for " + name + " in "
			hidden = append(hidden, edit{lines.offset(n.While), len("while"), loop})
			d.reals = append(d.reals, loop, "while ")
			d.shifts = append(d.shifts, len(loop)-len("while "))
		case *syntax.Literal:
			at := lines.offset(n.TokenPos)
			if n.Token == syntax.BYTES {
				hidden = append(hidden, edit{at, len(n.Raw), name})
				d.reals = append(d.reals, name, n.Raw)
			} else if text, ok := doubleQuoted(n); ok {
				hidden = append(hidden, edit{at, len(n.Raw), text})
			}
		}
		return true
	})
	d.text = []byte(apply(text, hidden))
	return d
}

// doubleQuoted is a string in double quotes where buildifier would put it in these
// and write its characters beyond ASCII as escaped bytes, which a string cannot
// hold.
func doubleQuoted(n *syntax.Literal) (string, bool) {
	value, _ := n.Value.(string)
	ascii := strings.IndexFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) < 0
	if n.Token != syntax.STRING || ascii || n.Raw[0] != '\'' || strings.Contains(value, `"`) {
		return "", false
	}
	quotes := 1
	if strings.HasPrefix(n.Raw, "'''") && len(n.Raw) >= 6 {
		quotes = 3
	}
	return strings.Repeat(`"`, quotes) + n.Raw[quotes:len(n.Raw)-quotes] + strings.Repeat(`"`, quotes), true
}

// reveal puts back what was hidden. The lines on which the condition of a loop
// goes on move to the left with it.
func (d disguised) reveal(text []byte) string {
	shown := strings.NewReplacer(d.reals...).Replace(string(text))
	tree, err := interp.Parse(interp.Source{Text: []byte(shown)})
	if err != nil {
		return shown // it will be found to be no script
	}
	lines := strings.Split(shown, "\n")
	loop := 0
	syntax.Walk(tree, func(n syntax.Node) bool {
		if w, ok := n.(*syntax.WhileStmt); ok {
			from, to := w.Cond.Span()
			for i := from.Line; i < to.Line; i++ { // the lines after the first
				lines[i] = strings.TrimPrefix(lines[i], strings.Repeat(" ", d.shifts[loop]))
			}
			loop++
		}
		return true
	})
	return strings.Join(lines, "\n")
}

// unused is the beginning of a name that does not occur in a text.
func unused(text string) string {
	name := "hidden_"
	for strings.Contains(text, name) {
		name += "x_"
	}
	return name
}

// An edit replaces a piece of a text.
type edit struct {
	at, size int
	by       string
}

// apply makes edits, which are in the order of the text.
func apply(text string, edits []edit) string {
	var b strings.Builder
	from := 0
	for _, e := range edits {
		b.WriteString(text[from:e.at])
		b.WriteString(e.by)
		from = e.at + e.size
	}
	return b.String() + text[from:]
}

// lineTable knows where the lines of a text begin.
type lineTable struct {
	text  string
	start []int
}

func lineStarts(text string) lineTable {
	t := lineTable{text, []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			t.start = append(t.start, i+1)
		}
	}
	return t
}

// offset is where a position, whose columns are characters, lies in the text.
func (t lineTable) offset(pos syntax.Position) int {
	at := t.start[pos.Line-1]
	col := int32(1)
	for i := range t.text[at:] {
		if col == pos.Col {
			return at + i
		}
		col++
	}
	return len(t.text)
}
