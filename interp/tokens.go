package interp

import (
	"strings"
	"unicode"
)

// A token is a word of a script, found without regard to grammar: the parser
// says only where it stopped, and to say why one must see what is there.
type token struct {
	kind  tokenKind
	text  string
	start place
	end   place // after it
	first bool  // the first on its line
	open  int   // index of the innermost bracket open before it, -1 for none
}

type tokenKind int

const (
	word tokenKind = iota // a name or keyword
	number
	quoted  // a string
	unended // a string without its closing quote
	sign    // an operator, bracket or other character
	newline // the end of a line outside of brackets
	end     // the end of the file
)

func (t *token) width() int {
	if t.start.line != t.end.line {
		return max(1, len([]rune(strings.SplitN(t.text, "\n", 2)[0])))
	}
	return max(1, t.end.col-t.start.col)
}

func (t *token) is(texts ...string) bool {
	for _, s := range texts {
		if t.text == s && (t.kind == sign || t.kind == word) {
			return true
		}
	}
	return false
}

// signs are the operators of more than one character that matter here, also
// those of other languages.
var signs = []string{"**=", "//=", "<<=", ">>=", "**", "//", "==", "!=", "<=", ">=", "&&", "||", "++", "--", "->", "=>", ":=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<", ">>", "/*"}

// A tokenizer splits a text.
type tokenizer struct {
	rest []rune
	pos  place
	toks []token
	open []int // indexes of the open brackets
}

func tokenize(text []byte) []token {
	z := &tokenizer{
		rest: []rune(strings.Join(splitLines(string(text)), "\n")),
		pos:  place{1, 1},
	}
	for len(z.rest) > 0 {
		z.next()
	}
	z.add(end, 0)
	first := true
	for i := range z.toks {
		z.toks[i].first = first || i > 0 && z.toks[i].start.line != z.toks[i-1].end.line
		first = z.toks[i].kind == newline
	}
	return z.toks
}

// next reads a token, or what is between tokens.
func (z *tokenizer) next() {
	switch r := z.rest[0]; {
	case r == '\n' && len(z.open) == 0 && len(z.toks) > 0 && z.toks[len(z.toks)-1].kind != newline:
		z.add(newline, 1)
	case r == '\n' || r == ' ' || r == '\t':
		z.skip(1)
	case r == '\\' && len(z.rest) > 1 && z.rest[1] == '\n':
		z.skip(2)
	case r == '#':
		z.skip(z.until('\n'))
	case r == '"' || r == '\'':
		z.quoted(0)
	case unicode.IsLetter(r) || r == '_':
		n := z.count(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' })
		if p := string(z.rest[:n]); (p == "r" || p == "b" || p == "rb") && n < len(z.rest) && (z.rest[n] == '"' || z.rest[n] == '\'') {
			z.quoted(n)
		} else {
			z.add(word, n)
		}
	case unicode.IsDigit(r):
		z.add(number, z.count(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '_' }))
	default:
		z.sign()
	}
}

func (z *tokenizer) sign() {
	for _, s := range signs {
		if strings.HasPrefix(string(z.rest[:min(3, len(z.rest))]), s) {
			z.add(sign, len([]rune(s)))
			return
		}
	}
	r := z.rest[0]
	if strings.ContainsRune(")]}", r) && len(z.open) > 0 {
		z.add(sign, 1)
		z.open = z.open[:len(z.open)-1]
		return
	}
	z.add(sign, 1)
	if strings.ContainsRune("([{", r) {
		z.open = append(z.open, len(z.toks)-1)
	}
}

// quoted reads a string whose quote is preceded by a prefix.
func (z *tokenizer) quoted(prefix int) {
	s := z.rest[prefix:]
	closing := string(s[0])
	if len(s) >= 3 && s[1] == s[0] && s[2] == s[0] {
		closing = strings.Repeat(closing, 3)
	}
	n := len(closing)
	for i := n; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '\n' && n == 1:
			z.add(unended, prefix+i)
			return
		case strings.HasPrefix(string(s[i:min(i+n, len(s))]), closing):
			z.add(quoted, prefix+i+n)
			return
		}
	}
	z.add(unended, len(z.rest))
}

func (z *tokenizer) count(in func(rune) bool) int {
	n := 0
	for n < len(z.rest) && in(z.rest[n]) {
		n++
	}
	return n
}

func (z *tokenizer) until(stop rune) int { return z.count(func(r rune) bool { return r != stop }) }

func (z *tokenizer) add(kind tokenKind, n int) {
	t := token{kind: kind, text: string(z.rest[:n]), start: z.pos, open: -1}
	if len(z.open) > 0 {
		t.open = z.open[len(z.open)-1]
	}
	z.skip(n)
	t.end = z.pos
	z.toks = append(z.toks, t)
}

func (z *tokenizer) skip(n int) {
	for _, r := range z.rest[:n] {
		z.pos.col++
		if r == '\n' {
			z.pos = place{z.pos.line + 1, 1}
		}
	}
	z.rest = z.rest[n:]
}

// tokenAt returns the token that begins at a place, or nil.
func tokenAt(toks []token, p place) *token {
	for i := range toks {
		if toks[i].start == p {
			return &toks[i]
		}
	}
	return nil
}

func (p place) before(q place) bool {
	return p.line < q.line || p.line == q.line && p.col < q.col
}
