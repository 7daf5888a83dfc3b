package table

// Goal is what a figure should be; the zero Goal is none.
type Goal struct {
	rule  rule
	value float64
}

type rule int

const (
	none rule = iota
	atMost
	atLeast
)

// AtMost is the goal of a figure that is not higher.
func AtMost(v float64) Goal { return Goal{atMost, v} }

// AtLeast is the goal of a figure that is not lower.
func AtLeast(v float64) Goal { return Goal{atLeast, v} }

// Met reports whether a figure reaches the goal.
func (g Goal) Met(v float64) bool {
	switch g.rule {
	case atMost:
		return v <= g.value
	case atLeast:
		return v >= g.value
	}
	return true
}

// In is the goal in words, in a figure's unit.
func (g Goal) In(u Unit) string {
	switch g.rule {
	case atMost:
		return "≤ " + u.limit(g.value)
	case atLeast:
		return "≥ " + u.limit(g.value)
	}
	return ""
}

// mark says whether the goal is reached.
func (g Goal) mark(v float64) string {
	switch {
	case g.rule == none:
		return ""
	case g.Met(v):
		return "✓"
	}
	return "✗"
}
