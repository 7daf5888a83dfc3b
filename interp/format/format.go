// Package format lays out scripts as buildifier does: four spaces of indent,
// double quotes, one blank around operators, an empty line between functions.
//
// The work is done by buildifier's own parser and printer, which know the
// Starlark of Bazel. What Bazel's dialect lacks and ours has, while and bytes,
// is given to them under other names and put back afterwards (disguise.go).
// Nothing is trusted: what comes out is parsed again and held against what went
// in (same.go), so that a script never means something else after it was laid
// out.
package format

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/bazelbuild/buildtools/build"
	"go.starlark.net/syntax"

	"nsscript/interp"
)

// rewrites are buildifier's rewrites that change nothing but looks. Those that
// move load statements are left out: a module's top level may build something,
// and so has its turn.
var rewrites = &build.Rewriter{
	RewriteSet: []string{"loadsort", "formatdocstrings", "editoctal", "editfloat", "collapseEmpty"},
}

// errChanged is the error of a script that would mean something else.
var errChanged = errors.New("it would mean something else when laid out, and is left as it is")

// Source returns the text of a script as it should look. The error is an
// *[interp.Error] where the script cannot be parsed.
func Source(src interp.Source) ([]byte, error) { return layOut(src, true) }

// layOut lays a script out, and again if that is wanted.
func layOut(src interp.Source, again bool) ([]byte, error) {
	before, err := interp.Parse(src)
	if err != nil {
		return nil, err
	}
	text := unixLines(src.Text)
	if strings.Contains(text, "\t") {
		if text, before, err = withoutTabs(src.Name, text, before); err != nil {
			return nil, err
		}
	}
	d := disguise(before, text)
	f, err := build.ParseDefault(src.Name, d.text)
	if err != nil {
		return nil, &interp.Error{
			Pos: syntax.MakePosition(&src.Name, 0, 0), Err: err,
			Msg: fmt.Sprintf("it is left as it is: buildifier's parser, which knows a smaller language, does not accept it (%s)", parserReason(err)),
		}
	}
	out := []byte(d.reveal(build.FormatWithRewriter(rewrites, f)))
	if again && bytes.Contains(out, []byte("#")) { // a comment may have moved to another place
		settled, err := layOut(interp.Source{Name: src.Name, Text: out}, false)
		if err == nil && !bytes.Equal(settled, out) {
			out = settled
		}
	}
	if len(bytes.TrimSpace(out)) == 0 {
		out = nil
	}
	after, err := interp.Parse(interp.Source{Name: src.Name, Text: out})
	if err != nil || !same(before, after) {
		return nil, fmt.Errorf("%s: %w", src.Name, errChanged)
	}
	return out, nil
}

// tabWidth is how many columns a tab indents by in Starlark, as it does in Python 2.
const tabWidth = 8

// withoutTabs indents a script with blanks, which is all that buildifier knows.
func withoutTabs(name, text string, tree *syntax.File) (string, *syntax.File, error) {
	quoted := map[int]bool{} // lines that begin in a string
	syntax.Walk(tree, func(n syntax.Node) bool {
		if lit, ok := n.(*syntax.Literal); ok {
			for i := range strings.Count(lit.Raw, "\n") {
				quoted[int(lit.TokenPos.Line)+i] = true
			}
		}
		return true
	})
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if quoted[i] {
			continue
		}
		bare := strings.TrimLeft(line, " \t")
		column := 0
		for _, r := range line[:len(line)-len(bare)] {
			if column++; r == '\t' {
				column = (column + tabWidth - 1) / tabWidth * tabWidth
			}
		}
		lines[i] = strings.Repeat(" ", column) + bare
	}
	text = strings.Join(lines, "\n")
	spaced, err := interp.Parse(interp.Source{Name: name, Text: []byte(text)})
	if err != nil || !same(tree, spaced) {
		return "", nil, fmt.Errorf("%s: it is indented with tabs in a way that cannot be told from text: indent it with blanks", name)
	}
	return text, spaced, nil
}

// parserReason is what buildifier's parser says, without the file's name.
func parserReason(err error) string {
	var e build.ParseError
	if errors.As(err, &e) {
		return fmt.Sprintf("line %d: %s", e.Pos.Line, e.Message)
	}
	return err.Error()
}

// unixLines is a text whose lines end as Unix' do, without a byte order mark.
func unixLines(text []byte) string {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(text))
}
