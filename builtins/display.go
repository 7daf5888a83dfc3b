package builtins

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// tabular is a value that can stand in a row of a table.
type tabular interface {
	columns() []string
	row() ([]string, error)
}

// crowded is a tabular value with columns that can be left out of a table that is
// too wide, the first of them first.
type crowded interface{ spare() []string }

// Display prints a value as an interactive session shows it: a list of
// interfaces, routes and the like as a table, everything else as print does. A
// table fits into so many columns of the terminal if it can; 0 is as many as it
// takes.
func Display(v starlark.Value, width int) string {
	switch v := v.(type) {
	case *Namespace:
		return v.display(width)
	case starlark.String, starlark.Bytes:
		return v.String()
	case starlark.Indexable:
		if text, ok := tableOf(v, width); ok {
			return text
		}
	}
	return v.String()
}

// tableOf prints a list of values of one kind as a table.
func tableOf(list starlark.Indexable, width int) (string, bool) {
	if list.Len() == 0 {
		return "", false
	}
	rows := make([][]string, 0, list.Len()+1)
	kind := ""
	for i := range list.Len() {
		t, ok := list.Index(i).(tabular)
		if !ok {
			return "", false
		}
		head := strings.Join(t.columns(), " ")
		switch kind {
		case "":
			kind = head
			rows = append(rows, t.columns())
		case head:
		default:
			return "", false
		}
		row, err := t.row()
		if err != nil {
			row = []string{fmt.Sprintf("(%v)", err)}
		}
		if strings.Contains(strings.Join(row, ""), "\n") {
			return "", false
		}
		rows = append(rows, row)
	}
	var spare []string
	if c, ok := list.Index(0).(crowded); ok {
		spare = c.spare()
	}
	return align(fit(worthwhile(rows), spare, width)), true
}

// fit makes rows narrower that are too wide: several addresses stand below one
// another, and columns that can be spared are left out.
func fit(rows [][]string, spare []string, width int) [][]string {
	if width <= 0 || widthOf(rows) <= width {
		return rows
	}
	if i := slices.Index(rows[0], "ADDRESSES"); i >= 0 {
		for _, row := range rows[1:] {
			row[i] = strings.ReplaceAll(row[i], " ", "\n")
		}
	}
	for _, title := range spare {
		if i := slices.Index(rows[0], title); i >= 0 && widthOf(rows) > width {
			for n := range rows {
				rows[n] = slices.Delete(rows[n], i, i+1)
			}
		}
	}
	return rows
}

func widthOf(rows [][]string) int {
	widest := 0
	for line := range strings.SplitSeq(align(rows), "\n") {
		widest = max(widest, ansi.StringWidth(line))
	}
	return widest
}

// worthwhile leaves out the columns that say nothing: empty ones, and a namespace
// that is the same in all of several rows.
func worthwhile(rows [][]string) [][]string {
	kept := make([][]string, len(rows))
	for i, title := range rows[0] {
		empty, same := true, len(rows) > 2 && title == "IN"
		for _, row := range rows[1:] {
			empty, same = empty && row[i] == "", same && row[i] == rows[1][i]
		}
		if empty || same {
			continue
		}
		for n, row := range rows {
			kept[n] = append(kept[n], row[i])
		}
	}
	return kept
}

// align prints rows with their columns below one another. A cell may have several
// lines.
func align(rows [][]string) string {
	var lines [][]string
	for _, row := range rows {
		lines = append(lines, unfold(row)...)
	}
	wide := make([]int, len(rows[0]))
	for _, row := range lines {
		for i, cell := range row[:len(row)-1] {
			wide[i] = max(wide[i], ansi.StringWidth(cell))
		}
	}
	texts := make([]string, len(lines))
	for n, row := range lines {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i+1 < len(row) {
				line.WriteString(strings.Repeat(" ", wide[i]-ansi.StringWidth(cell)+2))
			}
		}
		texts[n] = strings.TrimRight(line.String(), " ")
	}
	return strings.Join(texts, "\n")
}

// unfold gives each line of a row's cells a row.
func unfold(row []string) [][]string {
	rows := [][]string{make([]string, len(row))}
	for i, cell := range row {
		for n, line := range strings.Split(cell, "\n") {
			if n == len(rows) {
				rows = append(rows, make([]string, len(row)))
			}
			rows[n][i] = line
		}
	}
	return rows
}

// display prints a namespace with its interfaces.
func (n *Namespace) display(width int) string {
	if n.deleted {
		return fmt.Sprintf("namespace %s, deleted", n.name)
	}
	links, err := namespaceFields["links"](n)
	if err != nil {
		return fmt.Sprintf("namespace %s: %v", n.name, err)
	}
	text, _ := tableOf(links.(starlark.Indexable), width)
	return n.title() + "\n" + text
}

func (n *Namespace) columns() []string { return []string{"NAMESPACE", "ADDRESSES"} }
func (n *Namespace) row() ([]string, error) {
	if n.deleted {
		return []string{n.name, "deleted"}, nil
	}
	ns, err := n.open()
	if err != nil {
		return nil, err
	}
	addrs, err := ns.Addrs(0)
	var list []string
	for _, a := range addrs {
		if a.Global() {
			list = append(list, a.Prefix.String())
		}
	}
	return []string{n.name, strings.Join(list, " ")}, err
}

func (l *Link) columns() []string {
	return []string{"INTERFACE", "KIND", "STATE", "MTU", "MAC", "MASTER", "ADDRESSES", "IN"}
}

func (l *Link) spare() []string { return []string{"MAC", "KIND", "MTU"} }

func (l *Link) row() ([]string, error) {
	k, err := l.read()
	if err != nil {
		return nil, err
	}
	addrs, err := l.addrs()
	if err != nil {
		return nil, err
	}
	var list []string
	for _, a := range addrs {
		list = append(list, a.Prefix.String())
	}
	state, err := linkFields["state"](l, k)
	if err != nil {
		return nil, err
	}
	master := ""
	if v, err := l.at(k.Master); err == nil && v != starlark.None {
		master = v.(linkValue).link().name
	}
	s, _ := starlark.AsString(state)
	return []string{k.Name, k.Kind, s, fmt.Sprint(k.MTU), k.MAC.String(), master, strings.Join(list, " "), l.n.name}, nil
}

func (r *Route) columns() []string {
	return []string{"DESTINATION", "VIA", "DEV", "METRIC", "TABLE", "TYPE", "SOURCE"}
}

// row leaves out, as ip does, what is usual: the main table, unicast, no metric.
func (r *Route) row() ([]string, error) {
	k, err := r.read()
	if err != nil {
		return nil, err
	}
	cell := func(field, usual string) string {
		text := plain(routeFields[field](r, k))
		if text == usual {
			return ""
		}
		return text
	}
	table := kernel.TableName(k.Table)
	if table == "main" {
		table = ""
	}
	return []string{cell("dst", ""), cell("via", ""), cell("dev", ""), cell("metric", "0"), table, cell("type", "unicast"), cell("src", "")}, nil
}

func (r *PolicyRule) columns() []string {
	return []string{"PRIORITY", "FAMILY", "FROM", "TO", "IIF", "OIF", "FWMARK", "TABLE"}
}

func (r *PolicyRule) row() ([]string, error) {
	cell := func(field string) string { return plain(policyRuleFields[field](r)) }
	family := "inet"
	if r.r.Family == unix.AF_INET6 {
		family = "inet6"
	}
	if r.both {
		family = "both"
	}
	from := cell("src")
	if from == "" {
		from = "all"
	}
	return []string{cell("priority"), family, from, cell("dst"), cell("iif"), cell("oif"), cell("fwmark"), kernel.TableName(r.r.Table)}, nil
}

func (r *Rule) columns() []string { return []string{"CHAIN", "PACKETS", "BYTES", "RULE"} }

func (r *Rule) row() ([]string, error) {
	packets, bytes, err := r.counts()
	if err != nil {
		return nil, err
	}
	spec, err := ruleFields["spec"](r)
	return []string{r.rules[0].Chain, fmt.Sprint(packets), fmt.Sprint(bytes), plain(spec)}, err
}

func (p *Process) columns() []string { return []string{"PID", "NAMESPACE", "STATE", "COMMAND"} }

func (p *Process) row() ([]string, error) {
	state := "runs"
	if code, ended := p.state(); ended {
		state = fmt.Sprintf("ended with %d", code)
	}
	return []string{fmt.Sprint(p.start.PID), p.n.name, state, p.title()}, nil
}

func (r *record) columns() []string {
	names := make([]string, len(r.fields))
	for i, f := range r.fields {
		names[i] = strings.ToUpper(f.name)
	}
	return names
}

func (r *record) row() ([]string, error) {
	cells := make([]string, len(r.fields))
	for i, f := range r.fields {
		cells[i] = f.cell()
	}
	return cells, nil
}

// cell is the field as a table has it: numbers in the unit in which they are read.
func (f field) cell() string {
	v, ok := f.value.(starlark.Float)
	if !ok {
		return plain(f.value)
	}
	switch f.name {
	case "min", "avg", "max", "rtt":
		return fmt.Sprintf("%.3f ms", v*1000)
	case "time":
		return fmt.Sprintf("%.1f µs", v*1e6)
	case "loss":
		return fmt.Sprintf("%.4g%%", v)
	case "bits_per_second":
		return rateText(float64(v))
	}
	return v.String()
}

// plain is a value as a cell of a table has it: strings without quotes, None as
// nothing.
func plain(v starlark.Value) string {
	switch v := v.(type) {
	case nil, starlark.NoneType:
		return ""
	case starlark.String:
		return string(v)
	case *starlark.List:
		cells := make([]string, v.Len())
		for i := range cells {
			cells[i] = plain(v.Index(i))
		}
		return strings.Join(cells, " ")
	}
	return v.String()
}
