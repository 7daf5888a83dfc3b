// Package table makes a table of measured figures: their medians, how they compare and
// whether a goal is reached.
package table

import "slices"

// Stats are what is told of several figures.
type Stats struct {
	Median, Low, High float64
}

// Of returns the statistics of at least one figure.
func Of(figures []float64) Stats {
	sorted := slices.Sorted(slices.Values(figures))
	n := len(sorted)
	return Stats{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Low: sorted[0], High: sorted[n-1]}
}

// Ratios divides each figure by the one of the same round. Figures that were taken one
// after the other saw the same machine: their ratio says more than that of the medians.
func Ratios(over, under []float64) []float64 {
	var list []float64
	for i := range min(len(over), len(under)) {
		list = append(list, over[i]/under[i])
	}
	return list
}
