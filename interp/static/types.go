package static

import (
	"slices"
	"strings"

	"nsscript/builtins/doc"
)

func alternatives(t string) []string { return doc.Alternatives(t) }

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
	return doc.SplitOutside(strings.TrimSuffix(in, "]"), ", ")
}

// partOf is the type of an element by its number.
func partOf(t string, i int) string {
	if alts := alternatives(t); len(alts) > 1 {
		for n, alt := range alts {
			alts[n] = partOf(alt, i)
		}
		return join(alts...)
	}
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
	"list":     {"list", "tuple", "set", "range", "dict"},
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
