//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"nsscript/builtins"
	"nsscript/interp"
)

// checkPrinter prints the checks of an exercise as they are made.
type checkPrinter struct {
	out          io.Writer
	color, walks bool
}

// The colours of marks.
const (
	green = "\x1b[32m"
	red   = "\x1b[31m"
	faint = "\x1b[2m"
	bold  = "\x1b[1m"
	plain = "\x1b[0m"
)

func (p *checkPrinter) in(style, text string) string {
	if !p.color {
		return text
	}
	return style + text + plain
}

// check prints a check: where it failed, what happened to which packet.
func (p *checkPrinter) check(k builtins.Check) {
	if k.OK {
		fmt.Fprintf(p.out, "%s %s\n", p.in(green, "✓"), k.Name)
		return
	}
	fmt.Fprintf(p.out, "%s %s\n", p.in(red, "✗"), k.Name)
	packets := distinct(k.Packets)
	told := tellsMore(k.Got) && (len(packets) == 0 || !isResult(k.Got))
	for i := range packets {
		fmt.Fprintf(p.out, "    %s\n", happened(&packets[i], len(packets) == 1 && !told))
	}
	if told {
		fmt.Fprintf(p.out, "    %s\n", firstOf(k.Got))
	}
	if k.Hint != "" {
		fmt.Fprintf(p.out, "    %s\n", k.Hint)
	}
	for i := range packets {
		if packets[i].Walk != "" {
			fmt.Fprintf(p.out, "\n%s\n", p.in(faint, "      "+strings.ReplaceAll(withoutHint(packets[i].Walk), "\n", "\n      ")))
		}
	}
	if p.walks && len(packets) > 0 {
		fmt.Fprintln(p.out)
	}
}

// ended prints an error that ended checks().
func (p *checkPrinter) ended(err error) {
	msg, hint := err.Error(), ""
	var at *interp.Error
	if errors.As(err, &at) {
		msg, hint = at.Msg, at.Hint
	}
	fmt.Fprintf(p.out, "%s the checks that follow could not be made\n    %s\n", p.in(red, "✗"), msg)
	if hint != "" {
		fmt.Fprintf(p.out, "    %s\n", hint)
	}
}

// happened says what came of a packet; where a check was about this one only, also that it
// should have been otherwise.
func happened(a *builtins.Asked, alone bool) string {
	switch {
	case !a.OK:
		return fmt.Sprintf("%s: %s", a, a.Got)
	case alone:
		return fmt.Sprintf("%s got through; it must not", a)
	}
	return fmt.Sprintf("%s: %s", a, a.Got)
}

// distinct leaves out what was asked twice with the same outcome.
func distinct(list []builtins.Asked) []builtins.Asked {
	seen := map[string]bool{}
	var once []builtins.Asked
	for _, a := range list {
		key := a.String() + a.Got
		if !seen[key] {
			seen[key] = true
			once = append(once, a)
		}
	}
	return once
}

// tellsMore reports whether what a check saw says more than that it failed.
func tellsMore(got string) bool { return got != "" && got != "False" && got != "None" }

// isResult reports whether what a check saw is the printed form of a probe's result.
func isResult(got string) bool {
	return strings.Contains(got, " sent, ") || strings.HasPrefix(got, "tcp ") || strings.HasPrefix(got, "udp ")
}

func firstOf(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// withoutHint leaves out what would mend the walk: that is for the student to find.
func withoutHint(walk string) string {
	before, _, _ := strings.Cut(walk, "\n  hint: ")
	return before
}
