package program

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// widest is how long a call may be that stands on one line.
const widest = 140

// call is a call of a builtin.
type call struct {
	fn   string
	args []string
}

func (c *call) arg(text string) { c.args = append(c.args, text) }

func (c *call) named(name, text string) { c.args = append(c.args, name+" = "+text) }

// word adds a text, if there is one.
func (c *call) word(name, text string) {
	if text != "" {
		c.named(name, quote(text))
	}
}

// number adds a number other than that which it is anyway.
func (c *call) number(name string, n, usual int) {
	if n != usual {
		c.named(name, strconv.Itoa(n))
	}
}

// list adds one text as it is, and several as a list.
func (c *call) list(name string, texts []string) {
	switch len(texts) {
	case 0:
	case 1:
		c.named(name, quote(texts[0]))
	default:
		c.named(name, list(texts))
	}
}

// String is the call on one line, or on several where it is too long for that.
func (c call) String() string {
	one := c.fn + "(" + strings.Join(c.args, ", ") + ")"
	if len(one) <= widest {
		return one
	}
	return c.fn + "(\n    " + strings.Join(c.args, ",\n    ") + ",\n)"
}

// commented is a call with a remark behind it.
func commented(c call, note string) string {
	text := c.String()
	if note == "" {
		return text
	}
	return text + "  # " + note
}

// quote writes a text as a literal of the language.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func list(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = quote(t)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// value writes a setting: a number as such.
func value(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if _, err := strconv.ParseInt(s, 10, 64); err == nil && (s == "0" || !strings.HasPrefix(s, "0")) {
		return s
	}
	return quote(s)
}

func dict(m map[string]string) string {
	var items []string
	for _, key := range sortedKeys(m) {
		items = append(items, quote(key)+": "+value(m[key]))
	}
	return "{" + strings.Join(items, ", ") + "}"
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// comment is a text that stays on its line.
func comment(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, s)
}
