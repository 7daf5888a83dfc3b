package op

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Near returns "did you mean …?" when name is nearly one of names, else, when
// there are only a few, a list of them.
func Near(names []string, name string) string {
	best, distance := "", min(len(name)/2, len(name)/3+1)+1
	for _, n := range names {
		if d := levenshtein.Distance(strings.ToLower(n), strings.ToLower(name), nil); d < distance {
			best, distance = n, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(names) == 0 || len(names) > 12 {
		return ""
	}
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	for i, n := range sorted {
		sorted[i] = fmt.Sprintf("%q", n)
	}
	return "there is " + strings.Join(sorted, ", ")
}
