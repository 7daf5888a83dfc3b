package op

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// longestComment is how many bytes a rule's comment may have: iptables cuts off
// what is beyond (iptables-extensions(8), comment).
const longestComment = 255

// marked returns a rule's words with the lab's mark in its comment, before the
// user's own comment where there is one.
func marked(spec []string, mark string) []string {
	if bearsMark(spec, mark) {
		return spec
	}
	p := parseIptables(spec)
	if p.comment >= 0 {
		spec = slices.Clone(p.spec)
		spec[p.comment] = cut(mark+": "+spec[p.comment], longestComment)
		return spec
	}
	at := len(p.spec)
	if p.jump >= 0 {
		at = p.jump
	}
	return slices.Concat(p.spec[:at], []string{"-m", "comment", "--comment", mark}, p.spec[at:])
}

// cut shortens a text to n bytes, at the end of a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// bearsMark reports whether a rule's comment is the mark, alone or before the
// user's own.
func bearsMark(spec []string, mark string) bool {
	for i, w := range spec {
		if w == "--comment" && i+1 < len(spec) && (spec[i+1] == mark || strings.HasPrefix(spec[i+1], mark+": ")) {
			return true
		}
	}
	return false
}

// Marked reports whether a rule bears the lab's mark.
func (s *System) Marked(spec []string) bool { return bearsMark(spec, s.Mark) }
