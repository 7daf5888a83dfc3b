package repl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/peterh/liner"
)

// lines is where a session's lines come from.
type lines interface {
	// next returns the next line, without its end; before is the part of the
	// input that was read already.
	next(ctx context.Context, prompt, before string) (string, error)
	// unread has next return a line again.
	unread(line string)
	// peek returns the line that next will return, if it is there already.
	peek() (line string, ok bool)
	// before is how many lines came before those of an input, where that counts.
	before(input string) int
	// interactive reports whether a person writes them.
	interactive() bool
	// leave is what the user's wish to leave does.
	leave() error
	close()
}

// openLines reads from the terminal if there is one.
func openLines(s *Session) lines {
	if isatty.IsTerminal(os.Stdin.Fd()) && isatty.IsTerminal(os.Stdout.Fd()) {
		return openTerminal(s)
	}
	return &pipe{r: bufio.NewReader(os.Stdin)}
}

// read is what a read of a line has come to.
type read struct {
	line string
	err  error
}

// pipe reads lines without prompts.
type pipe struct {
	r     *bufio.Reader
	taken int // lines that next has returned
	back  []read
	going chan read // the read that has begun, nil for none
}

// patience is how long a line may be on its way to count as there.
const patience = 50 * time.Millisecond

func (p *pipe) next(ctx context.Context, _, _ string) (string, error) {
	p.taken++
	if len(p.back) > 0 {
		r := p.back[0]
		p.back = nil
		return r.line, r.err
	}
	select {
	case r := <-p.begin():
		p.going = nil
		return r.line, r.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// begin reads one line, unless that is going on.
func (p *pipe) begin() chan read {
	if p.going == nil {
		got := make(chan read, 1)
		p.going = got
		go func() {
			line, err := p.r.ReadString('\n')
			if errors.Is(err, io.EOF) && line != "" {
				err = nil
			}
			got <- read{strings.TrimRight(line, "\r\n"), err}
		}()
	}
	return p.going
}

func (p *pipe) peek() (string, bool) {
	if len(p.back) == 0 {
		select {
		case r := <-p.begin():
			p.going, p.back = nil, []read{r}
		case <-time.After(patience):
			return "", false
		}
	}
	return p.back[0].line, p.back[0].err == nil
}

func (p *pipe) unread(line string) {
	p.back = []read{{line: line}}
	p.taken--
}

func (p *pipe) before(input string) int {
	return max(0, p.taken-strings.Count(strings.TrimSuffix(input, "\n"), "\n")-1)
}
func (p *pipe) interactive() bool { return false }
func (p *pipe) leave() error      { return io.EOF }
func (p *pipe) close()            {}

// terminal reads lines from a person, with liner. Its raw mode holds only while a
// line is read: what runs in between finds the terminal as the user left it, and
// Ctrl-C is a signal then.
type terminal struct {
	s       *Session
	liner   *liner.State
	usual   liner.ModeApplier
	raw     liner.ModeApplier
	plain   bool // no line editing: liner leaves Ctrl-C to the terminal
	back    []string
	cleared atomic.Bool
	history *os.File
}

func openTerminal(s *Session) *terminal {
	t := &terminal{s: s, plain: !liner.TerminalSupported()}
	t.usual, _ = liner.TerminalMode() // of a terminal, as was asked before
	t.liner = liner.NewLiner()
	t.raw, _ = liner.TerminalMode()
	t.liner.SetCtrlCAborts(true)
	t.liner.SetMultiLineMode(true)
	t.liner.SetTabCompletionStyle(liner.TabPrints)
	t.liner.SetBeep(false)
	t.readHistory()
	t.rest()
	return t
}

// readHistory reads the lines of earlier sessions; a file that cannot be used is
// no reason not to begin.
func (t *terminal) readHistory() {
	file := t.s.History
	if file == "" {
		return
	}
	if f, err := os.Open(file); err == nil {
		_, err = t.liner.ReadHistory(f)
		if err = errors.Join(err, f.Close()); err != nil {
			fmt.Fprintf(t.s.Err, "the history in %s: %v\n", file, err)
		}
	}
	err := os.MkdirAll(filepath.Dir(file), 0o700)
	if err == nil {
		t.history, err = os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	}
	if err != nil {
		fmt.Fprintf(t.s.Err, "no history will be kept: %v\n", err)
	}
}

// rest gives the terminal back as it was.
func (t *terminal) rest() {
	if t.usual != nil {
		_ = t.usual.ApplyMode() // a terminal that is gone needs none
	}
}

func (t *terminal) next(ctx context.Context, prompt, before string) (string, error) {
	if len(t.back) > 0 {
		line := t.back[0]
		t.back = nil
		return line, nil
	}
	if t.raw != nil {
		_ = t.raw.ApplyMode()
	}
	defer t.rest()
	t.liner.SetWordCompleter(t.s.completer(before))
	// Where liner does not edit lines, Ctrl-C comes as a signal, and the terminal
	// has forgotten the line by itself.
	t.cleared.Store(false)
	t.s.OnInterrupt(func() {
		t.cleared.Store(true)
		fmt.Fprintf(t.s.Out, "\n%s", t.s.prompt(false))
	})
	defer t.s.OnInterrupt(func() {})
	got := make(chan read, 1)
	go func() {
		line, err := t.liner.Prompt(prompt)
		got <- read{line, err}
	}()
	select {
	case r := <-got:
		return t.line(r.line, r.err, before)
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func (t *terminal) line(line string, err error, before string) (string, error) {
	switch {
	case errors.Is(err, liner.ErrPromptAborted):
		return "", errCleared
	case errors.Is(err, io.EOF):
		fmt.Fprintln(t.s.Out)
		return "", io.EOF
	case err != nil:
		return "", fmt.Errorf("reading from the terminal: %w", err)
	}
	if t.cleared.Load() && before != "" {
		t.unread(line)
		return "", errCleared
	}
	if strings.TrimSpace(line) != "" {
		t.liner.AppendHistory(line)
		if t.history != nil {
			fmt.Fprintln(t.history, line)
		}
	}
	return line, nil
}

func (t *terminal) unread(line string)   { t.back = []string{line} }
func (t *terminal) before(string) int    { return 0 }         // each input is a text of its own
func (t *terminal) peek() (string, bool) { return "", false } // liner reads a line only with its prompt
func (t *terminal) interactive() bool    { return true }
func (t *terminal) leave() error         { return io.EOF }

func (t *terminal) close() {
	_ = t.liner.Close()
	t.rest()
	if t.history != nil {
		_ = t.history.Close()
	}
}
