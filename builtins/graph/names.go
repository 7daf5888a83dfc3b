package graph

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain is a name as it can be shown: what a terminal or a reader of XML would obey
// or choke on is written as an escape.
func plain(s string) string {
	fine := func(r rune) bool {
		return r != utf8.RuneError && r != 0xFFFE && r != 0xFFFF && (r == ' ' || unicode.IsPrint(r) || unicode.Is(unicode.M, r))
	}
	if strings.IndexFunc(s, func(r rune) bool { return !fine(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case fine(r):
			b.WriteString(s[:size])
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
		s = s[size:]
	}
	return b.String()
}

func plainAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = plain(s)
	}
	return out
}

// stem is a name without its numbers: leaf12 and leaf7 have the same.
func stem(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, name)
}

// span is a list of names in short.
func span(names []string) string {
	if len(names) <= 2 {
		return strings.Join(names, ", ")
	}
	return names[0] + " … " + names[len(names)-1]
}

// addrSpan is a list of addresses in short: the lowest and the highest.
func addrSpan(list []netip.Prefix) string {
	if len(list) == 0 {
		return ""
	}
	low, high := list[0], list[0]
	for _, p := range list {
		if p.Addr().Less(low.Addr()) {
			low = p
		}
		if high.Addr().Less(p.Addr()) {
			high = p
		}
	}
	if low.Addr() == high.Addr() {
		return low.String()
	}
	return low.Addr().String() + "–" + high.String()
}
