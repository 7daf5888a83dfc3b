//go:build linux

package main

import (
	"fmt"
	"os"

	"github.com/mattn/go-isatty"

	"nsscript/cmd/nsscript/internal/suite"
)

// progressLine says how far the tests are. Off a terminal there is none.
type progressLine struct {
	on bool
	statusLine
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
	l.put(text)
}
