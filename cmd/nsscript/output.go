package main

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/mattn/go-isatty"
	"golang.org/x/sys/unix"
)

// output is the standard output. What goes wrong with it is no error of a lab: it
// is remembered and told at the end.
type output struct {
	mu  sync.Mutex
	err error
}

var stdout output

// Write writes to the standard output. After an error it pretends to: a lab is
// built to its end though nobody reads what it prints.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		_, o.err = os.Stdout.Write(b)
	}
	return len(b), nil
}

// broken reports whether nothing can be written any more.
func (o *output) broken() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err != nil
}

// failure is what went wrong, if it was not that a reader had enough (| head).
func (o *output) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil || errors.Is(o.err, unix.EPIPE) {
		return nil
	}
	return fmt.Errorf("the standard output: %w", o.err)
}

// colorful reports whether colours are wanted on a file (no-color.org).
func colorful(f *os.File) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isatty.IsTerminal(f.Fd())
}

// columns are those of the terminal that the standard output is, 0 where it is none.
func columns() int {
	size, err := unix.IoctlGetWinsize(int(os.Stdout.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
