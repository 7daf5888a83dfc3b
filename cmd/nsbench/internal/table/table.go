package table

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Row is one comparison, or one figure that stands alone.
type Row struct {
	Work    string // what is done
	Ours    string // how nsscript does it
	Against string // what it is compared with; empty for nothing
	Unit    Unit   // of Result
	Result  Stats
	Goal    Goal
	Note    string // why there is no result
}

// Met reports whether the row's goal is reached; a row without a result reaches none.
func (r Row) Met() bool { return r.Note == "" && r.Goal.Met(r.Result.Median) }

// HasGoal reports whether the row has a goal.
func (r Row) HasGoal() bool { return r.Goal.rule != none }

// header are the columns' names.
var header = []string{"work", "nsscript", "compared with", "result", "from – to", "goal", ""}

func (r Row) cells() []string {
	result, spread, mark := r.Note, "", ""
	if r.Note == "" {
		result = r.Unit.Format(r.Result.Median)
		spread = r.Unit.Format(r.Result.Low) + " – " + r.Unit.Format(r.Result.High)
		mark = r.Goal.mark(r.Result.Median)
	}
	return []string{r.Work, r.Ours, r.Against, result, spread, r.Goal.In(r.Unit), mark}
}

// Print writes rows for a terminal.
func Print(w io.Writer, rows []Row) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, strings.Join(header, "\t"))
	for _, r := range rows {
		fmt.Fprintln(tw, strings.Join(r.cells(), "\t"))
	}
	return tw.Flush()
}

// Markdown is a table of rows for a document.
func Markdown(rows []Row) string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(header)
	b.WriteString(strings.Repeat("|---", len(header)) + "|\n")
	for _, r := range rows {
		line(r.cells())
	}
	return b.String()
}
