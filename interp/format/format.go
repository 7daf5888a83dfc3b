// Package format lays out scripts as buildifier does: four spaces of indent,
// double quotes, one blank around operators, two lines between functions.
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
func Source(src interp.Source) ([]byte, error) {
	before, err := interp.Parse(src)
	if err != nil {
		return nil, err
	}
	d := disguise(before, unixLines(src.Text))
	f, err := build.ParseDefault(src.Name, d.text)
	if err != nil {
		return nil, fmt.Errorf("%s: buildifier's parser does not accept it: %w", src.Name, err)
	}
	out := []byte(d.reveal(build.FormatWithRewriter(rewrites, f)))
	if len(bytes.TrimSpace(out)) == 0 {
		out = nil
	}
	after, err := interp.Parse(interp.Source{Name: src.Name, Text: out})
	if err != nil || !same(before, after) {
		return nil, fmt.Errorf("%s: %w", src.Name, errChanged)
	}
	return out, nil
}

// unixLines is a text whose lines end as Unix' do, without a byte order mark.
func unixLines(text []byte) string {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(text))
}
