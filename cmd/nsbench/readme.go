//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"nsscript/cmd/nsbench/internal/table"
)

// The table in the README stands between these.
const (
	readmeBegin = "<!-- speed: made by `make bench-peers` -->\n"
	readmeEnd   = "<!-- end of speed -->"
)

// writeReadme puts the table of rows, and what it was measured on, into a file.
func writeReadme(file string, rows []table.Row, rounds int) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	machine, err := thisMachine()
	if err != nil {
		return err
	}
	when := time.Now().Format("2 January 2006")
	said := fmt.Sprintf("%s, %s; medians of %d rounds.\n\n%s", when, machine, rounds, table.Markdown(rows))
	changed, err := between(string(text), said)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(changed), 0o644)
}

// between returns a text with something else between the marks.
func between(text, said string) (string, error) {
	head, rest, ok := strings.Cut(text, readmeBegin)
	_, tail, ok2 := strings.Cut(rest, readmeEnd)
	if !ok || !ok2 {
		return "", fmt.Errorf("it has no lines %q and %q", strings.TrimSpace(readmeBegin), readmeEnd)
	}
	return head + readmeBegin + said + readmeEnd + tail, nil
}
