package interp

import (
	"fmt"
	"slices"
	"strings"
)

// didYouMean is the hint of a name nearly right.
func didYouMean(name string) string { return fmt.Sprintf("did you mean %q?", name) }

// nearest returns the name that someone who wrote word may have meant, "" when
// none is near. Case and underscores are ignored.
func nearest(word string, names []string) string {
	names = slices.Clone(names)
	slices.Sort(names)
	w := fold(word)
	best, least := "", max(2, (len(w)+1)/3+1)
	for _, name := range names {
		n := fold(name)
		d := distance(w, n)
		if len(w) >= 3 && len(n) > len(w) && strings.HasPrefix(n, w) {
			d = min(d, 1)
		}
		if d < least && d < len(w) && name != word {
			best, least = name, d
		}
	}
	return best
}

func fold(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }

// distance counts the letters to insert, remove, change, or swap with the next,
// to make one word of the other.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	prev2, prev, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := prev[j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			row[j] = min(change, prev[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(y)]
}
