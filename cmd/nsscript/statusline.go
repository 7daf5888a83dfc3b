//go:build linux

package main

import (
	"fmt"
	"os"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/sys/unix"
)

// statusLine is the last line of the terminal that the standard error is, for what
// changes while one waits. It is cut to the terminal's width: a line that wrapped
// could not be removed any more.
type statusLine struct{ shown bool }

// clearLine goes to the beginning of the line and removes what is on it (ECMA-48, EL).
const clearLine = "\r\x1b[2K"

// put replaces what the line says.
func (l *statusLine) put(text string) {
	width := 80
	if size, err := unix.IoctlGetWinsize(int(os.Stderr.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
		width = int(size.Col)
	}
	fmt.Fprint(os.Stderr, clearLine+ansi.Truncate(text, width-1, "…"))
	l.shown = true
}

// clear removes the line, for something else to be printed.
func (l *statusLine) clear() {
	if l.shown {
		fmt.Fprint(os.Stderr, clearLine)
		l.shown = false
	}
}
