package table

import (
	"fmt"
	"strconv"
)

// Unit is what a figure counts.
type Unit string

// The units. Times are in seconds and memory is in bytes.
const (
	Times   Unit = "×"
	Seconds Unit = "s"
	Bytes   Unit = "B"
)

// Format is a figure with three digits that count.
func (u Unit) Format(v float64) string {
	switch u {
	case Seconds:
		switch {
		case v == 0:
			return "0 s"
		case v < 1e-3:
			return digits(v*1e6) + " µs"
		case v < 1:
			return digits(v*1e3) + " ms"
		}
		return digits(v) + " s"
	case Bytes:
		return digits(v/1e6) + " MB"
	}
	return digits(v) + " " + string(u)
}

// limit is a figure of a goal, which is given as it was set.
func (u Unit) limit(v float64) string {
	plain := func(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
	switch u {
	case Seconds:
		return plain(v*1e3) + " ms"
	case Bytes:
		return plain(v/1e6) + " MB"
	}
	return plain(v) + " " + string(u)
}

func digits(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
