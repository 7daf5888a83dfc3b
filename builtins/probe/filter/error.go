package filter

import (
	"fmt"
	"strings"
)

// Error is what is wrong with a filter.
type Error struct {
	Filter  string // as it was written
	Pos     int    // in bytes, of Word
	Word    string // "" for the end
	Problem string
	Hint    string // "" for none
	Err     error  // what a resolver said
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "filter %q: ", e.excerpt())
	if e.Word == "" {
		b.WriteString("at its end: ")
	} else {
		fmt.Fprintf(&b, "%q (column %d): ", e.Word, e.Pos+1)
	}
	b.WriteString(e.Problem)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// excerpt is the filter, of a long one what stands around the word.
func (e *Error) excerpt() string {
	const most = 80
	s := e.Filter
	if len(s) <= most {
		return s
	}
	start := min(max(0, e.Pos-most/2), len(s)-most)
	s = strings.ToValidUTF8(s[start:start+most], "")
	if start > 0 {
		s = "…" + s
	}
	if start+most < len(e.Filter) {
		s += "…"
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// wrong says what is wrong with a word. The compiler adds the filter.
func wrong(w token, problem string, args ...any) *Error {
	return &Error{Pos: w.pos, Word: w.source(), Problem: fmt.Sprintf(problem, args...)}
}

// hint adds advice; "" adds none.
func (e *Error) hint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}
