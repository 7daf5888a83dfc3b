// Package near finds what someone meant who wrote a name nearly right.
package near

import (
	"fmt"
	"slices"
	"strings"

	edlib "github.com/hbollon/go-edlib"
)

// Name returns the one of names that someone who wrote word may have meant, ""
// when none is near: about one letter in three may differ, two neighbours may be
// swapped, and the end may be missing. Case and underscores are ignored.
func Name(names []string, word string) string {
	w := fold(word)
	best, least := "", max(2, (len(w)+1)/3+1)
	if len(w) <= 2 {
		least = 1 // as likely another word
	}
	for _, name := range slices.Sorted(slices.Values(names)) {
		if name == word {
			continue
		}
		n := fold(name)
		d := edlib.OSADamerauLevenshteinDistance(n, w)
		if len(w) >= 2 && strings.HasPrefix(n, w) {
			d = 0
		}
		if d < least {
			best, least = name, d
		}
	}
	return best
}

func fold(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }

// DidYouMean is the hint of a name nearly right.
func DidYouMean(name string) string { return fmt.Sprintf("did you mean %q?", name) }

// Hint returns "did you mean …?" when name is nearly one of names, else, when
// there are only a few, a list of them.
func Hint(names []string, name string) string {
	if best := Name(names, name); best != "" {
		return DidYouMean(best)
	}
	if len(names) == 0 || len(names) > 12 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(names))
	for i, n := range sorted {
		sorted[i] = fmt.Sprintf("%q", n)
	}
	return "there is " + strings.Join(sorted, ", ")
}
