//go:build linux

package main

import (
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"
	"golang.org/x/sys/unix"
)

// runProgress says on the last line of the terminal how far a run is that takes long:
// how many operations are done, and how many a second. All that the run prints goes
// through writers of it, which remove the line first. The methods of nil do nothing:
// there is none where the standard error is no terminal.
type runProgress struct {
	ops  atomic.Int64
	end  chan struct{}
	done chan struct{} // closed when the line is drawn no more

	mu     sync.Mutex
	line   statusLine
	lent   int  // others write to the terminal
	within bool // the terminal's line is one that the run has begun and not ended
}

// A run of less than progressAfter shows nothing. The line is drawn anew so often that it
// seems to count, and the rate is that of the last second or so.
const (
	progressAfter = time.Second
	progressEvery = 100 * time.Millisecond
	rateTicks     = 10
)

// newRunProgress begins with the run.
func newRunProgress(o runOptions) *runProgress {
	if o.json || o.explain || os.Getenv("TERM") == "dumb" || !isatty.IsTerminal(os.Stderr.Fd()) {
		return nil
	}
	p := &runProgress{end: make(chan struct{}), done: make(chan struct{})}
	go p.follow()
	return p
}

// count counts an operation.
func (p *runProgress) count() {
	if p != nil {
		p.ops.Add(1)
	}
}

// follow draws the line until the run ends.
func (p *runProgress) follow() {
	defer close(p.done)
	began := time.Now()
	select {
	case <-time.After(progressAfter):
	case <-p.end:
		return
	}
	every := time.NewTicker(progressEvery)
	defer every.Stop()
	rate := opsRate{{at: began}}
	for last := ""; ; {
		now := p.ops.Load()
		text := progressText(now, rate.of(time.Now(), now))
		if now > 0 && text != last && p.draw(text) {
			last = text
		}
		select {
		case <-every.C:
		case <-p.end:
			return
		}
	}
}

// opsCount is how many operations were done at a time, opsRate the last of these.
type opsCount struct {
	at  time.Time
	ops int64
}
type opsRate []opsCount

// of notes a count and returns the operations a second since the oldest that is noted.
func (r *opsRate) of(at time.Time, ops int64) int64 {
	*r = append(*r, opsCount{at, ops})
	if len(*r) > rateTicks+1 {
		*r = (*r)[1:]
	}
	since := at.Sub((*r)[0].at).Seconds()
	if since <= 0 {
		return 0
	}
	return int64(float64(ops-(*r)[0].ops) / since)
}

// progressText is what the line says; while no operations are done it tells no rate.
func progressText(ops, rate int64) string {
	text := grouped(ops) + " operations"
	if ops == 1 {
		text = "1 operation"
	}
	if rate > 0 {
		text += ", " + grouped(rate) + "/s"
	}
	return text
}

// grouped writes a number with commas between thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// draw replaces the line, unless something else is on it, and reports whether it did.
func (p *runProgress) draw(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lent > 0 || p.within || !ownsTerminal(os.Stderr) {
		return false
	}
	p.line.put(text)
	return true
}

// ownsTerminal reports whether the terminal that a file is shows what this process
// does, not what a user has put in the foreground instead.
func ownsTerminal(f *os.File) bool {
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp() // a terminal that controls others has no say
}

// stop ends the drawing and removes the line.
func (p *runProgress) stop() {
	if p == nil {
		return
	}
	close(p.end)
	<-p.done
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line.clear()
}

// lend leaves the terminal to a program or a session until the function that it
// returns is called.
func (p *runProgress) lend() (back func()) {
	if p == nil {
		return func() {}
	}
	add := func(n int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.line.clear()
		p.lent += n
	}
	add(1)
	return func() { add(-1) }
}

// over is a writer that removes the line before it writes to w, where that leads to
// the terminal, as the file tells.
func (p *runProgress) over(w io.Writer, file *os.File) io.Writer {
	if p == nil || !isatty.IsTerminal(file.Fd()) {
		return w
	}
	return &besideProgress{p, w}
}

// besideProgress is a writer to the terminal of the line.
type besideProgress struct {
	p *runProgress
	w io.Writer
}

func (b *besideProgress) Write(text []byte) (int, error) {
	b.p.mu.Lock()
	defer b.p.mu.Unlock()
	b.p.line.clear()
	if len(text) > 0 {
		b.p.within = text[len(text)-1] != '\n'
	}
	return b.w.Write(text)
}
