package interp

import (
	"errors"
	"fmt"
	"nsscript/builtins/pattern"
	"strings"

	"go.starlark.net/syntax"
)

// afterToken matches the parser's messages whose position is behind the word
// that is wrong; that of others is before it.
var afterToken = pattern.Of(`^got .*, want |^not an identifier|does not associate|^keyword argument must|^obsolete form|^invalid (octal|binary|float) literal|^first operand of load|^load operand|^original name|^stray backslash|^excessive nesting`)

// expected matches the parser's usual message.
var expected = pattern.Of(`^got (.*), want (.*)$`)

// syntaxError explains what the parser rejects.
func syntaxError(f *file, err error) *Error {
	var se syntax.Error
	if !errors.As(err, &se) {
		return &Error{Pos: syntax.MakePosition(&f.src.Name, 0, 0), Msg: err.Error(), Err: err}
	}
	toks := tokenize(f.src.Text)
	s := &slip{lines: f.lines, toks: toks, i: wrongToken(toks, se), raw: se.Msg}
	if m := expected().FindStringSubmatch(se.Msg); m != nil {
		s.got, s.want = m[1], strings.Trim(m[2], "'")
	}
	s.explain()
	e := &Error{Msg: s.msg, Hint: s.hint, Err: err}
	t := toks[s.i]
	at := span{t.start.line, t.start.col, t.width()}
	if t.kind == end && t.start.col == 1 && t.start.line > 1 { // below the last line
		at = span{t.start.line - 1, len([]rune(f.line(t.start.line-1))) + 1, 1}
	}
	e.point(f.src.Name, f.lines, at)
	return e
}

// wrongToken returns the index of the token that the parser complains of.
func wrongToken(toks []token, se syntax.Error) int {
	p := at(se.Pos)
	primary := strings.HasSuffix(se.Msg, "want primary expression") ||
		strings.HasPrefix(se.Msg, "got indent") || strings.HasPrefix(se.Msg, "got outdent")
	if strings.HasPrefix(se.Msg, "got end of file") {
		return len(toks) - 1
	}
	last := 0
	for i, t := range toks {
		if afterToken().MatchString(se.Msg) && !primary {
			if p.before(t.end) {
				if p != t.start && t.start.before(p) {
					return i // within it
				}
				return last
			}
		} else if !t.start.before(p) || p.before(t.end) {
			return i
		}
		last = i
	}
	return last
}

// shown is a token as a message names it.
func (t *token) shown() string {
	switch t.kind {
	case newline:
		return "end of the line"
	case end:
		return "end of the file"
	case quoted, unended:
		if text, _, more := strings.Cut(t.text, "\n"); more || len(text) > 40 {
			return "string"
		}
		return "string " + t.text
	}
	return fmt.Sprintf("%q", t.text)
}
