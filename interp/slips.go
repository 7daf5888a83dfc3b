package interp

import (
	"fmt"
	"strings"
)

// A slip is a place where the parser stopped, and why.
type slip struct {
	lines     []string
	toks      []token
	i         int    // the token it stopped at; may be moved to a better one
	raw       string // what the parser says
	got, want string // of its usual message
	msg, hint string // what is found out
}

// explain finds message and hint. The most telling slips come first.
func (s *slip) explain() {
	for _, look := range []func() bool{
		s.unendedString, s.brackets, s.foreignSign, s.reserved, s.foreignWord, s.elseIf,
		s.statements, s.indentation, s.comparison, s.text, s.loadStmt, s.other, s.unclosed,
	} {
		if look() {
			return
		}
	}
	s.usual()
}

func (s *slip) say(msg, hint string) bool {
	s.msg, s.hint = msg, hint
	return true
}

// tok returns the token at an offset from the wrong one; an empty one outside.
func (s *slip) tok(offset int) *token {
	if i := s.i + offset; i >= 0 && i < len(s.toks) {
		return &s.toks[i]
	}
	return &token{kind: end, open: -1}
}

// lineStart returns the index of the first token of the wrong token's line.
func (s *slip) lineStart() int {
	i := s.i
	for i > 0 && s.toks[i-1].kind != newline {
		i--
	}
	return i
}

func (s *slip) unendedString() bool {
	switch s.raw {
	case "unexpected newline in string":
		return s.say("this string does not end on its line", "a closing quote is missing; a string of several lines stands in \"\"\" … \"\"\"")
	case "unexpected EOF in string":
		return s.say("this string has no closing quote", "")
	}
	if strings.HasPrefix(s.raw, "invalid escape sequence") {
		return s.say(s.raw, `write \\ for one backslash, or r"…" for a string in which it means nothing`)
	}
	return false
}

// brackets finds those without a partner.
func (s *slip) brackets() bool {
	t := s.tok(0)
	if strings.HasPrefix(s.raw, "unexpected ')'") || strings.HasPrefix(s.raw, "unexpected ']'") || strings.HasPrefix(s.raw, "unexpected '}'") {
		return s.say(fmt.Sprintf("this %q closes nothing: no bracket is open here", t.text), "")
	}
	if t.open < 0 {
		return false
	}
	open := s.toks[t.open]
	partner := map[string]string{"(": ")", "[": "]", "{": "}"}[open.text]
	if t.kind == end {
		s.i = t.open
		return s.say(fmt.Sprintf("this %q is never closed", open.text), fmt.Sprintf("a %q is missing", partner))
	}
	if t.is(")", "]", "}") && t.text != partner {
		where := ""
		if open.start.line != t.start.line {
			where = fmt.Sprintf(" of line %d", open.start.line)
		}
		return s.say(fmt.Sprintf("%q cannot close the %q%s", t.text, open.text, where), fmt.Sprintf("a %q is missing before it", partner))
	}
	return false
}

func (s *slip) elseIf() bool {
	t, prev := s.tok(0), s.tok(-1)
	if t.is("if") && prev.is("else") && s.want == ":" {
		s.i--
		return s.say(`there is no "else if"`, "write: elif")
	}
	if t.is("else", "elif") && t.first {
		return s.say(fmt.Sprintf("this %q belongs to no \"if\"", t.text), "it stands in the column of its if, right after the lines of that")
	}
	return false
}

// statements finds what is missing at the end of the line that begins a block,
// or does not belong there.
func (s *slip) statements() bool {
	first, t := s.toks[s.lineStart()], s.tok(0)
	if s.want == ":" && first.is("if", "elif", "else", "for", "while", "def") {
		switch {
		case t.is("="):
			return s.say("= assigns, it does not compare", "write: ==")
		case t.kind == newline || t.kind == end:
			return s.say(fmt.Sprintf("a \":\" is missing at the end of this %q line", first.text), "")
		case t.is("{", "then", "do"):
			return s.say(fmt.Sprintf("a \":\" is expected here, not %s", t.shown()), "the lines of the block follow, indented; nothing closes it")
		}
	}
	if s.raw == "conditional expression without else clause" {
		return s.say(`this "if" has no "else"`, "a value is chosen with: a if condition else b")
	}
	if s.raw == "unparenthesized tuple with trailing comma" {
		return s.say("this comma makes a tuple of one element", "leave it out, or write (x,)")
	}
	if t.first && t.is("return", "pass", "break", "continue", "def", "for", "while", "if", "load") || t.kind != word {
		return false
	}
	if s.want == "primary expression" && t.is("return", "pass", "break", "continue", "def", "for", "while", "if", "elif", "else", "load") {
		return s.say(fmt.Sprintf("%q is a statement: it cannot be part of an expression", t.text), "")
	}
	return false
}

func (s *slip) indentation() bool {
	t := s.tok(0)
	mixed := ""
	if s.tabsMixed(t.start.line) {
		mixed = "tabs and spaces are mixed here: use spaces everywhere"
	}
	switch {
	case strings.HasPrefix(s.raw, "unindent does not match"):
		if mixed == "" {
			mixed = "all lines of a block begin in the same column"
		}
		return s.say("this line is indented like none of the blocks above it", mixed)
	case s.got == "indent":
		if mixed == "" {
			mixed = "only the lines after a \":\" are indented further"
		}
		return s.say("this line is indented further than the one before, and no block begins there", mixed)
	case s.want == "indent":
		above := s.blockHead()
		if t.kind == end {
			return s.say(fmt.Sprintf("the file ends where the block of line %d should begin", above), "write pass in a block that does nothing")
		}
		s.i = min(s.i+s.toNext(), len(s.toks)-1)
		return s.say(fmt.Sprintf("the lines after line %d must be indented: they are its block", above), "write pass in a block that does nothing")
	}
	return false
}

// toNext is the offset of the first token of the next line, seen from a newline.
func (s *slip) toNext() int {
	if s.tok(0).kind == newline {
		return 1
	}
	return 0
}

// blockHead is the line whose block is missing.
func (s *slip) blockHead() int {
	for i := min(s.i, len(s.toks)-1); i >= 0; i-- {
		if s.toks[i].is(":") && i+1 < len(s.toks) && s.toks[i+1].kind == newline {
			return s.toks[i].start.line
		}
	}
	return s.tok(0).start.line
}

// tabsMixed reports whether a line and the one above it begin, one with a tab,
// one with a space.
func (s *slip) tabsMixed(line int) bool {
	seen := ""
	for i := line - 1; i >= 0 && i < len(s.lines) && i > line-12; i-- {
		for _, r := range s.lines[i] {
			if r != ' ' && r != '\t' {
				break
			}
			seen += string(r)
		}
	}
	return strings.Contains(seen, " ") && strings.Contains(seen, "\t")
}

func (s *slip) comparison() bool {
	t := s.tok(0)
	if strings.Contains(s.raw, "does not associate with") {
		return s.say("comparisons cannot be chained", "write: a < b and b < c")
	}
	if t.is("=") && t.open >= 0 && s.want != "newline" {
		return s.say("= cannot stand here", "a comparison is written ==")
	}
	return false
}

// loadStmt finds slips of load.
func (s *slip) loadStmt() bool {
	switch {
	case strings.HasPrefix(s.raw, "load statement must import"):
		return s.say("load must say which names to take", `load("./file.star", "name")`)
	case strings.HasPrefix(s.raw, "first operand of load"):
		return s.say("the first argument of load must be a string", `load("./file.star", "name")`)
	case strings.HasPrefix(s.raw, "load operand"), strings.HasPrefix(s.raw, "original name"):
		if !s.tok(0).is("=") && s.tok(-1).kind == word && s.tok(-2).is(",") {
			s.i--
		}
		return s.say("load takes names as strings", `load("./file.star", "name", mine = "other")`)
	}
	return false
}

func (s *slip) other() bool {
	t := s.tok(0)
	switch {
	case s.raw == "not an identifier":
		return s.say(fmt.Sprintf("a name is expected here, not %s", t.shown()), "")
	case strings.HasPrefix(s.raw, "obsolete form of octal"):
		return s.say(fmt.Sprintf("%q: a number does not begin with 0", t.text), "an octal one begins with 0o")
	case s.raw == "stray backslash in program":
		return s.say("a backslash can only stand at the very end of a line, or in a string", "")
	case s.raw == "excessive nesting":
		return s.say("this is nested too deeply", "")
	case strings.HasPrefix(s.raw, "unexpected input character"):
		return s.say(fmt.Sprintf("the character %q means nothing here", t.text), "")
	}
	return false
}

// unclosed finds a line that the parser still takes for a part of a bracket of
// an earlier line.
func (s *slip) unclosed() bool {
	t := s.tok(0)
	if t.open < 0 {
		return false
	}
	open := s.toks[t.open]
	if open.start.line == t.start.line || s.want == "" {
		return false
	}
	s.usual()
	s.hint = fmt.Sprintf("is the %q of line %d closed, and a comma before this?", open.text, open.start.line)
	return true
}

// usual words the parser's usual message.
func (s *slip) usual() {
	t := s.tok(0)
	if s.got == "" {
		s.msg = s.raw
		return
	}
	switch s.want {
	case "primary expression":
		s.msg = fmt.Sprintf("a value is expected here, not %s", t.shown())
		if t.kind == newline || t.kind == end {
			s.msg = "something is missing at the " + t.shown()
		}
	case "newline":
		s.msg = fmt.Sprintf("%s does not belong here: the statement before it is complete", t.shown())
		if t.kind == word || t.kind == number || t.kind == quoted {
			s.hint = "is an operator, a comma or a quote missing before it?"
		}
	case "outdent":
		s.msg = fmt.Sprintf("%s is not expected here", t.shown())
	default:
		s.msg = fmt.Sprintf("%q is expected here, not %s", s.want, t.shown())
	}
}
