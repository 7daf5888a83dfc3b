package lsp

import (
	"net/url"
	"path/filepath"
	"strings"

	"go.starlark.net/syntax"
)

// utf16Len is how many UTF-16 code units a text has.
func utf16Len(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// runesAt is how many characters of a line lie before its n-th UTF-16 code unit.
func runesAt(line string, n int) int {
	runes := 0
	for _, r := range line {
		if n <= 0 {
			break
		}
		runes, n = runes+1, n-1
		if r > 0xFFFF {
			n--
		}
	}
	return runes
}

// text is a document's text by its lines.
type text []string

func newText(s string) text {
	return strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "\n")
}

// line is a line by its number from 0, "" where there is none.
func (t text) line(n int) string {
	if n < 0 || n >= len(t) {
		return ""
	}
	return t[n]
}

// position is the protocol's word for a place of Starlark's, whose line and column
// count from 1.
func (t text) position(line, col int) position {
	runes := []rune(t.line(line - 1))
	return position{line - 1, utf16Len(string(runes[:min(max(col-1, 0), len(runes))]))}
}

// of is the range of a node.
func (t text) of(n syntax.Node) textRange {
	start, end := n.Span()
	return textRange{t.position(int(start.Line), int(start.Col)), t.position(int(end.Line), int(end.Col))}
}

// place is Starlark's word for a position.
func (t text) place(p position) syntax.Position {
	name := ""
	return syntax.MakePosition(&name, int32(p.Line+1), int32(runesAt(t.line(p.Line), p.Character)+1))
}

// clamp is the nearest position that the text has.
func (t text) clamp(p position) position {
	switch {
	case p.Line < 0:
		return position{}
	case p.Line >= len(t):
		return position{len(t) - 1, utf16Len(t[len(t)-1])}
	}
	return position{p.Line, min(max(p.Character, 0), utf16Len(t[p.Line]))}
}

// split cuts the text at a position: all before it, and the rest of its line.
func (t text) split(p position) (before, after string) {
	line := []rune(t.line(p.Line))
	at := runesAt(t.line(p.Line), p.Character)
	return strings.Join(append(append([]string{}, t[:min(p.Line, len(t))]...), string(line[:at])), "\n"), string(line[at:])
}

// pathOf is the file of a URI, "" for what is none.
func pathOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" {
		return ""
	}
	return filepath.FromSlash(u.Path)
}

// uriOf is the URI of a file.
func uriOf(path string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}
