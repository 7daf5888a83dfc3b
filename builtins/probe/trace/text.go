package trace

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// String prints the walk: a line for each step, and the verdict.
func (w *Walk) String() string {
	var b strings.Builder
	b.WriteString(w.Title() + "\n")
	rows := make([][5]string, 0, len(w.Steps))
	var wide [4]int
	for _, s := range w.Steps {
		if s.Hidden {
			continue
		}
		row := s.row()
		rows = append(rows, row)
		for i := range wide {
			wide[i] = max(wide[i], utf8.RuneCountInString(row[i]))
		}
	}
	for _, row := range rows {
		line := strings.Repeat(" ", wide[0]-utf8.RuneCountInString(row[0])) + row[0]
		for i := 1; i < len(wide); i++ {
			line += "  " + row[i] + strings.Repeat(" ", max(0, wide[i]-utf8.RuneCountInString(row[i])))
		}
		b.WriteString(strings.TrimRight(line+"  "+row[4], " ") + "\n")
	}
	b.WriteString(w.Verdict())
	for _, n := range w.Notes {
		b.WriteString("\n  " + n)
	}
	return b.String()
}

// row is a step's cells: time, namespace, interface or stage, direction or
// verdict, text.
func (s *Step) row() [5]string {
	if s.Dir != "" {
		return [5]string{micros(s.Time), s.Space, s.Dev, s.Dir, s.Text}
	}
	return [5]string{"", s.Space, s.Stage, s.Verdict, s.Text}
}

// Title says what was sent, and where.
func (w *Walk) Title() string {
	to := w.To
	if to == "" {
		to = w.Dst.String()
	}
	what := "icmp"
	switch w.Proto {
	case TCP:
		what = fmt.Sprintf("tcp %d", w.Port)
	case UDP:
		what = fmt.Sprintf("udp %d", w.Port)
	}
	if w.Size > 0 && w.Size != DefaultSize(w.Proto) {
		what += fmt.Sprintf(", %d bytes", w.Size)
	}
	if w.DF {
		what += ", df"
	}
	src := "?"
	if w.Src.IsValid() {
		src = w.Src.String()
	}
	return fmt.Sprintf("%s → %s  %s   %s → %s", w.From, to, what, src, w.Dst)
}

// DefaultSize is how many bytes of payload a probe has where nothing else is asked
// for: those of ping(8), a token of a datagram, no data of TCP.
func DefaultSize(p Proto) int {
	switch p {
	case TCP:
		return 0
	case UDP:
		return MinSize
	}
	return 56
}

// Verdict is the last line: what became of the probe.
func (w *Walk) Verdict() string {
	d := w.Death
	switch {
	case d != nil && d.Back:
		return fmt.Sprintf("✗ delivered to %s, but its answer was lost: %s", w.At, d.Text)
	case d != nil:
		return "✗ " + d.Text
	case w.Replied && w.RTT == 0:
		return fmt.Sprintf("✓ delivered to %s, and answered", w.At)
	case w.Replied:
		return fmt.Sprintf("✓ delivered to %s, and answered after %s", w.At, micros(w.RTT))
	}
	return fmt.Sprintf("✓ delivered to %s, which did not answer", w.At)
}

// micros is a time as the walk prints it.
func micros(d time.Duration) string {
	return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond))
}
