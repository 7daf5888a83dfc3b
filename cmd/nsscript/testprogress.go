//go:build linux

package main

import (
	"fmt"
	"os"

	"github.com/charmbracelet/x/ansi"
	"github.com/mattn/go-isatty"
	"golang.org/x/sys/unix"

	"nsscript/cmd/nsscript/internal/suite"
)

// progressLine is the last line of a terminal, which says how far the tests are. Off a
// terminal there is none.
type progressLine struct {
	on    bool
	shown bool
}

func newProgressLine(o testOptions) *progressLine {
	return &progressLine{on: !o.json && !o.tap && colorful(os.Stderr) && isatty.IsTerminal(os.Stdout.Fd())}
}

// show replaces what the line says.
func (l *progressLine) show(p suite.Progress) {
	if !l.on || p.Ended == p.Total {
		return
	}
	text := fmt.Sprintf("%d of %d tests", p.Ended, p.Total)
	if p.Bad > 0 {
		text += fmt.Sprintf(", %d failed", p.Bad)
	}
	if p.Running != nil {
		text += "  " + p.Running.ID()
	}
	width := 80
	if size, err := unix.IoctlGetWinsize(int(os.Stderr.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
		width = int(size.Col)
	}
	fmt.Fprintf(os.Stderr, "\r\x1b[2K%s", ansi.Truncate(text, width-1, "…"))
	l.shown = true
}

// clear removes the line, for something else to be printed.
func (l *progressLine) clear() {
	if l.shown {
		fmt.Fprint(os.Stderr, "\r\x1b[2K")
		l.shown = false
	}
}
