package interp

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
)

const (
	widestLine = 160 // longer lines are cut around the mark
	mostCalls  = 9   // more are shortened to the innermost and outermost
	innerCalls = 4
	outerCalls = 3
	indent     = "   "
)

// A palette is how the parts of an error are coloured.
type palette struct{ pos, err, warning, gutter, caret, hint, off string }

func paletteFor(color bool) palette {
	if !color {
		return palette{}
	}
	return palette{pos: "\x1b[1m", err: "\x1b[1;31m", warning: "\x1b[1;33m", gutter: "\x1b[2m", caret: "\x1b[31m", hint: "\x1b[36m", off: "\x1b[0m"}
}

// Format returns the whole error as it is printed, with or without colour:
// position and message, the line with a caret below, the calls, the hint. No
// newline follows.
func (e *Error) Format(color bool) string {
	p := paletteFor(color)
	var b strings.Builder
	if e.Pos.IsValid() {
		fmt.Fprintf(&b, "%s%s:%s ", p.pos, e.Pos, p.off)
	}
	if e.Warning != "" {
		fmt.Fprintf(&b, "%swarning:%s %s [%s]", p.warning, p.off, hang(e.Msg, indent), e.Warning)
	} else {
		fmt.Fprintf(&b, "%serror:%s %s", p.err, p.off, hang(e.Msg, indent))
	}
	e.formatLine(&b, p)
	e.formatCalls(&b)
	if e.Hint != "" {
		fmt.Fprintf(&b, "\n%s%shint:%s %s", indent, p.hint, p.off, hang(e.Hint, indent+"      "))
	}
	return b.String()
}

// hang indents the lines after the first.
func hang(text, by string) string {
	text = strings.Map(printable, strings.TrimRight(text, "\n"))
	return strings.ReplaceAll(text, "\n", "\n"+by)
}

// formatLine prints the line of the script and what is marked in it.
func (e *Error) formatLine(b *strings.Builder, p palette) {
	if e.Pos.Line < 1 || e.Col < 1 {
		return
	}
	line, col := cut([]rune(e.Line), e.Col-1, e.Len)
	number := fmt.Sprint(e.Pos.Line)
	fmt.Fprintf(b, "\n%s%s%s |%s", p.gutter, indent, number, p.off)
	if len(line) > 0 {
		b.WriteString(" " + string(line))
	}
	before, marked := line[:min(col, len(line))], line[min(col, len(line)):]
	marked = marked[:min(max(e.Len, 1), len(marked))]
	fmt.Fprintf(b, "\n%s%s%s |%s ", p.gutter, indent, strings.Repeat(" ", len(number)), p.off)
	for _, r := range before {
		if r == '\t' {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Repeat(" ", runewidth.RuneWidth(r)))
		}
	}
	fmt.Fprintf(b, "%s%s%s", p.caret, strings.Repeat("^", max(runewidth.StringWidth(string(marked)), 1)), p.off)
}

// printable replaces what could confuse a terminal.
func printable(r rune) rune {
	if unicode.IsControl(r) && r != '\t' && r != '\n' {
		return '·'
	}
	return r
}

// cut returns a printable line, shortened around the mark at col where it is
// long, and where the mark is then.
func cut(line []rune, col, width int) ([]rune, int) {
	for i, r := range line {
		line[i] = printable(r)
	}
	if len(line) <= widestLine {
		return line, col
	}
	const room = widestLine / 2
	from := max(0, min(col-room+min(width, room)/2, len(line)-widestLine))
	to := min(len(line), from+widestLine)
	short := append([]rune{}, line[from:to]...)
	if to < len(line) {
		short = append(short, '…')
	}
	if from > 0 {
		return append([]rune("…"), short...), col - from + 1
	}
	return short, col
}

// formatCalls prints from where the place was reached.
func (e *Error) formatCalls(b *strings.Builder) {
	for i := 0; i < len(e.Calls); i++ {
		if skip := len(e.Calls) - innerCalls - outerCalls; i == innerCalls && len(e.Calls) > mostCalls {
			fmt.Fprintf(b, "\n%s… %d more calls", indent, skip)
			i += skip
		}
		how := "called"
		if e.Calls[i].Load {
			how = "loaded"
		}
		fmt.Fprintf(b, "\n%s%s from %s", indent, how, e.Calls[i].Pos)
	}
}
