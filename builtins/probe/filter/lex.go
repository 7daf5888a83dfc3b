package filter

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// token is a word (a keyword, a name, a number, an address), a sign, or the end.
type token struct {
	text    string // a word in full, without the backslash before it
	pos     int
	word    bool
	escaped bool // "\tcp": a name, though it is a keyword too
}

func (t token) end() bool { return t.text == "" }

// is reports whether t is one of the signs or keywords given.
func (t token) is(words ...string) bool {
	if t.escaped {
		return false
	}
	for _, w := range words {
		if t.text == w {
			return true
		}
	}
	return false
}

// source is the word as it was written.
func (t token) source() string {
	if t.escaped {
		return `\` + t.text
	}
	return t.text
}

// number reads a decimal, octal (0…) or hexadecimal (0x…) number.
func (t token) number() (n uint32, ok bool, err *Error) {
	if !t.word || t.escaped || !isNumber(t.text) {
		return 0, false, nil
	}
	digits, base := t.text, 10
	switch {
	case strings.HasPrefix(strings.ToLower(digits), "0x"):
		digits, base = digits[2:], 16
	case len(digits) > 1 && digits[0] == '0':
		digits, base = digits[1:], 8
	}
	v, perr := strconv.ParseUint(digits, base, 32)
	if perr != nil && base == 8 && strings.ContainsAny(digits, "89") {
		return 0, true, wrong(t, "a number that begins with 0 is octal and has no 8 or 9")
	}
	if perr != nil {
		return 0, true, wrong(t, "a number has at most 32 bits")
	}
	return uint32(v), true, nil
}

func isNumber(s string) bool {
	if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		return strings.Trim(s[2:], hexDigits) == ""
	}
	return s != "" && strings.Trim(s, "0123456789") == ""
}

const hexDigits = "0123456789abcdefABCDEF"

// lex divides a filter into tokens, of which the last is the end.
func lex(s string) ([]token, *Error) {
	var list []token
	brackets := 0
	for i := 0; i < len(s); {
		c := s[i]
		n := 0
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case c == '\\':
			for n = 1; i+n < len(s) && !strings.ContainsRune(" !()\n\t\r", rune(s[i+n])); n++ {
			}
			if n == 1 {
				return nil, wrong(token{text: `\`, pos: i}, "a name is missing after it")
			}
			list = append(list, token{text: s[i+1 : i+n], pos: i, word: true, escaped: true})
			i += n
			continue
		case alnum(c) || brackets == 0 && strings.HasPrefix(s[i:], "::"):
			n = wordLength(s[i:], brackets > 0)
			list = append(list, token{text: s[i : i+n], pos: i, word: true})
		default:
			if n = signLength(s[i:]); n == 0 {
				_, size := utf8.DecodeRuneInString(s[i:])
				return nil, wrong(token{text: s[i : i+size], pos: i}, "this sign means nothing in a filter")
			}
			list = append(list, token{text: s[i : i+n], pos: i})
			brackets = max(0, brackets+strings.Count(s[i:i+n], "[")-strings.Count(s[i:i+n], "]"))
		}
		i += n
	}
	return append(list, token{pos: len(s)}), nil
}

func alnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// wordLength is the length of the word at the start of s. Within brackets a colon
// separates, elsewhere it belongs to an address. A word does not end in - or _.
func wordLength(s string, brackets bool) int {
	n := 0
	for n < len(s) && (alnum(s[n]) || s[n] == '-' || s[n] == '_' || s[n] == '.' || s[n] == ':' && !brackets) {
		n++
	}
	for n > 1 && (s[n-1] == '-' || s[n-1] == '_') {
		n--
	}
	return n
}

// signs, the longer before the shorter.
var signs = []string{
	"&&", "||", "!=", "==", "<=", ">=", "<<", ">>",
	"!", "=", "<", ">", "(", ")", "[", "]", "+", "-", "*", "/", "%", "&", "|", "^", ":",
}

func signLength(s string) int {
	for _, sign := range signs {
		if strings.HasPrefix(s, sign) {
			return len(sign)
		}
	}
	return 0
}
