package static

import (
	"slices"
	"strings"

	"nsscript/builtins/doc"
)

// alternatives splits a type at its bars: "Link | None" may be two.
func alternatives(t string) []string {
	if t == "" {
		return nil
	}
	return splitOutside(t, " | ")
}

// splitOutside splits at a separator outside of brackets.
func splitOutside(s, sep string) []string {
	var parts []string
	depth, from := 0, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '[':
			depth++
		case s[i] == ']':
			depth--
		case depth == 0 && strings.HasPrefix(s[i:], sep):
			parts = append(parts, s[from:i])
			from = i + len(sep)
			i = from - 1
		}
	}
	return append(parts, s[from:])
}

// join is the type of a value that may be of either type.
func join(types ...string) string {
	var all []string
	for _, t := range types {
		if t == "" || t == "any" {
			return ""
		}
		for _, alt := range alternatives(t) {
			if !slices.Contains(all, alt) {
				all = append(all, alt)
			}
		}
	}
	return strings.Join(all, " | ")
}

// base is a type without what it holds: list of list[Link].
func base(t string) string {
	head, _, _ := strings.Cut(t, "[")
	return head
}

// listOf is the type of a list of such elements.
func listOf(element string) string {
	if element == "" {
		return "list"
	}
	return "list[" + element + "]"
}

// elementOf is the type of what one gets by going through a value.
func elementOf(t string) string {
	var elements []string
	for _, alt := range alternatives(t) {
		var e string
		switch base(alt) {
		case "range":
			e = "int"
		case "tuple":
			e = join(parts(alt)...)
		case "list", "set":
			e = strings.Join(parts(alt), "")
		default:
			e = doc.Element(alt)
		}
		elements = append(elements, e)
	}
	return join(elements...)
}

// parts are the types of what a tuple or a list holds.
func parts(t string) []string {
	_, in, ok := strings.Cut(t, "[")
	if !ok {
		return nil
	}
	return splitOutside(strings.TrimSuffix(in, "]"), ", ")
}

// partOf is the type of an element by its number.
func partOf(t string, i int) string {
	if base(t) != "tuple" {
		return elementOf(t)
	}
	list := parts(t)
	if i < 0 || i >= len(list) {
		return ""
	}
	return list[i]
}

// stands are the types that can stand where the reference says one of these
// words.
var stands = map[string][]string{
	"target":   {"string", "Address", "Link", "Bridge", "Namespace"},
	"address":  {"string", "Address"},
	"duration": {"int", "float", "string"},
	"float":    {"int", "float"},
	"Link":     {"Link", "Bridge"},
	"list":     {"list", "tuple", "set", "range"},
}

// plain are the other types of which a value is or is not.
var plain = []string{
	"string", "int", "bool", "bytes", "dict", "tuple", "function", "None",
	"Namespace", "Bridge", "Address", "Network", "Route", "Process",
}

// accepts reports whether a value of one type may stand where another is wanted:
// whenever that is not certainly wrong.
func accepts(want, have string) bool {
	if want == "" || have == "" {
		return true
	}
	for _, w := range alternatives(want) {
		kinds, ok := stands[base(w)]
		switch {
		case ok:
		case slices.Contains(plain, base(w)):
			kinds = []string{base(w)}
		default:
			return true // a word that is known nowhere else
		}
		for _, h := range alternatives(have) {
			if slices.Contains(kinds, base(h)) {
				return true
			}
		}
	}
	return false
}
