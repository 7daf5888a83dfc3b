//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"nsscript/builtins"
	"nsscript/builtins/op"
	"nsscript/builtins/probe/capture"
)

// spot is where packets are seen: an interface of a namespace, or all of them.
type spot struct {
	ns  *builtins.Namespace
	dev string
}

// spotsOf are those of a namespace, or of the whole lab: every namespace, and of the
// machine's own the interfaces that are the lab's.
func spotsOf(s *builtins.Session, o *captureOptions, ns string) ([]spot, error) {
	if !o.all {
		n, err := s.Find(ns)
		return []spot{{n, o.dev}}, err
	}
	l := s.Lab()
	var list []spot
	for _, name := range append([]string{op.Host}, l.System().Names()...) {
		n, err := s.Find(name)
		if err != nil {
			return nil, err
		}
		devs := []string{builtins.AnyDev}
		if l.Foreign(name) {
			if devs, err = l.LinksOf(name); err != nil {
				return nil, err
			}
		}
		for _, dev := range devs {
			list = append(list, spot{n, dev})
		}
	}
	if len(list) == 0 {
		return nil, &op.Error{Msg: fmt.Sprintf("the lab %q has no namespace and no interface", l.Name())}
	}
	return list, nil
}

// capturing is a running capture.
type capturing struct {
	*captureOptions
	session *builtins.Session
	spots   []spot
	filter  string
	out     *captureFile

	taps   []*capture.Tap
	merger *capture.Merger // nil for one spot
	done   chan struct{}   // closed when enough was seen, or nobody reads any more
	once   sync.Once

	mu    sync.Mutex
	flows capture.Flows
	file  *capture.File
	seen  int
	last  time.Time
	wide  [2]int // the columns of namespaces and interfaces
}

// How late the kernel may tell of a packet: the more namespaces, the less often each
// is looked at. It is less than the window in which packets are sorted.
const (
	delayOfFew  = 10 * time.Millisecond
	delayOfMany = 40 * time.Millisecond
	many        = 50
)

func (c *capturing) run(ctx context.Context) error {
	c.done = make(chan struct{})
	if c.all {
		c.merger = capture.NewMerger(c.snaplen, c.show)
	}
	if err := c.begin(ctx); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "nsscript: %s; Ctrl-C ends it\n", c.title())
	gone := c.await(ctx)
	c.stop()
	if c.merger != nil {
		c.merger.Release(time.Now().Add(time.Hour))
	}
	err := c.finish()
	if gone && err == nil {
		return &op.Error{Msg: fmt.Sprintf("the interface %q is gone", c.dev)}
	}
	return err
}

func (c *capturing) title() string {
	if c.all {
		return fmt.Sprintf("capturing in %d %s of lab %s", len(c.spots), plural(len(c.spots), "place"), c.session.Lab().Name())
	}
	return fmt.Sprintf("capturing on %s in %s", c.dev, c.spots[0].ns)
}

// startsAtOnce is how many taps are begun and ended side by side: for each the kernel
// waits until all of its processors have passed a certain point.
const startsAtOnce = 32

// begin begins the taps, and the file when they have begun.
func (c *capturing) begin(ctx context.Context) error {
	ready := make(chan struct{}) // packets wait until the file is there
	if c.out == nil {
		close(ready)
	}
	delay := delayOfFew
	if len(c.spots) > many {
		delay = delayOfMany
	}
	c.taps = make([]*capture.Tap, len(c.spots))
	errs := make([]error, len(c.spots))
	each, idle := func(p *capture.Packet) {
		<-ready
		c.show(p)
	}, c.flush
	if c.merger != nil { // it holds them until await
		each, idle = c.merger.Add, nil
	}
	atOnce(len(c.spots), func(i int) {
		if ctx.Err() != nil {
			return
		}
		c.taps[i], errs[i] = c.session.Tap(c.spots[i].ns, builtins.TapOptions{Dev: c.spots[i].dev, Filter: c.filter, SnapLen: c.snaplen,
			Ring: capture.RingFor(len(c.spots)), Delay: delay, Each: each, Idle: idle})
	})
	err := ctx.Err()
	for _, e := range errs { // a wrong filter is wrong everywhere
		if err == nil {
			err = e
		}
	}
	if err == nil {
		err = c.describe()
	}
	if c.out != nil {
		close(ready)
	}
	if err == nil {
		return nil
	}
	c.stop()
	return wrongCapture(err)
}

// describe finds out which interfaces there are, for the columns and for the file.
func (c *capturing) describe() error {
	info := capture.FileInfo{Lab: c.session.Lab().Name(), Filter: c.filter, SnapLen: c.snaplen}
	known := map[*builtins.Namespace][]*capture.Device{}
	for _, s := range c.spots {
		if known[s.ns] == nil {
			var err error
			if known[s.ns], err = c.session.Devices(s.ns); err != nil {
				return err
			}
		}
		for _, d := range known[s.ns] {
			if s.dev == builtins.AnyDev || s.dev == d.Name {
				info.Known = append(info.Known, d)
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range info.Known {
		c.wide = [2]int{max(c.wide[0], len(d.Space)), max(c.wide[1], len(d.Name))}
	}
	if c.out == nil {
		return nil
	}
	err := c.out.begin()
	if err == nil {
		c.file, err = capture.NewFile(c.out, info)
	}
	return err
}

// atOnce calls fn with the numbers up to n, several side by side.
func atOnce(n int, fn func(i int)) {
	var all sync.WaitGroup
	slots := make(chan struct{}, startsAtOnce)
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			fn(i)
			<-slots
		})
	}
	all.Wait()
}

// wrongCapture words an error for a command, in which arguments are flags.
func wrongCapture(err error) error {
	name, why := builtins.WrongArgument(err)
	switch name {
	case "filter":
		return &exitError{exitUsage, &op.Error{Msg: "filter: " + why.Error(), Tip: hintOf(why)}}
	case "":
		return err
	}
	return why
}

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// await waits for the end: by Ctrl-C, after so many packets, or because nobody reads
// any more. It reports whether the interface is gone.
func (c *capturing) await(ctx context.Context) (gone bool) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var ended <-chan struct{}
	if len(c.taps) == 1 {
		ended = c.taps[0].Done()
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-c.done:
			return false
		case <-ended:
			return true
		case now := <-tick.C:
			if c.merger != nil && c.merger.Release(now.Add(-capture.Window)) {
				c.flush()
			}
			if stdout.broken() {
				return false
			}
		}
	}
}

func (c *capturing) stop() {
	atOnce(len(c.taps), func(i int) {
		if c.taps[i] != nil {
			_ = c.taps[i].Stop() // gone, if anything
		}
	})
}

func (c *capturing) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file == nil {
		return
	}
	if c.file.Flush(); c.file.Err() != nil {
		c.enough()
	}
}

func (c *capturing) enough() { c.once.Do(func() { close(c.done) }) }

// show prints a packet or writes it to the file.
func (c *capturing) show(p *capture.Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count > 0 && c.seen >= c.count {
		return
	}
	c.seen++
	switch {
	case c.file != nil:
		c.file.Write(p)
	case c.json:
		c.printJSON(p)
	default:
		c.flows.Note(p)
		fmt.Fprintln(&stdout, c.stampOf(p)+c.prefix(p)+p.Text(c.style))
	}
	if c.seen == c.count {
		c.enough()
	}
}

// stampOf is the time before a line.
func (c *capturing) stampOf(p *capture.Packet) string {
	last := c.last
	c.last = p.Time
	switch c.stamp {
	case 0:
		return p.Time.Format("15:04:05.000000 ")
	case 1:
		return ""
	case 2:
		return fmt.Sprintf("%d.%06d ", p.Time.Unix(), p.Time.Nanosecond()/1000)
	case 3:
		if last.IsZero() {
			last = p.Time
		}
		return fmt.Sprintf(" %02d:%02d:%09.6f ", int(p.Time.Sub(last).Hours()), int(p.Time.Sub(last).Minutes())%60, (p.Time.Sub(last) % time.Minute).Seconds())
	}
	return p.Time.Format("2006-01-02 15:04:05.000000 ")
}

// prefix says where a packet was seen, in columns that widen as needed.
func (c *capturing) prefix(p *capture.Packet) string {
	text := ""
	if c.all {
		c.wide[0] = max(c.wide[0], len(p.Dev.Space))
		text = fmt.Sprintf("%-*s ", c.wide[0], p.Dev.Space)
	}
	if c.all || c.dev == builtins.AnyDev {
		c.wide[1] = max(c.wide[1], len(p.Dev.Name))
		text += fmt.Sprintf("%-*s %-3s ", c.wide[1], p.Dev.Name, p.Dir)
	}
	return text
}

// packetJSON is a packet as --json prints it.
type packetJSON struct {
	Time      time.Time `json:"time"`
	NS        string    `json:"ns"`
	Dev       string    `json:"dev"`
	Direction string    `json:"direction"`
	Length    int       `json:"length"`
	Src       string    `json:"src,omitempty"`
	Dst       string    `json:"dst,omitempty"`
	Proto     string    `json:"proto,omitempty"`
	Sport     int       `json:"sport,omitempty"`
	Dport     int       `json:"dport,omitempty"`
	Summary   string    `json:"summary"`
}

func (c *capturing) printJSON(p *capture.Packet) {
	c.flows.Note(p)
	f := p.Fields()
	enc := json.NewEncoder(&stdout)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(packetJSON{p.Time, p.Dev.Space, p.Dev.Name, p.Dir.String(), p.Length,
		f.Src, f.Dst, f.Proto, f.Sport, f.Dport, p.Summary()}) // what goes wrong with stdout is told at the end
}

// finish completes the file and says how much was seen and lost.
func (c *capturing) finish() error {
	lost, all := map[string]uint64{}, uint64(0)
	for i, t := range c.taps {
		n := t.Dropped()
		lost[c.spots[i].ns.String()] += n
		all += n
	}
	var err error
	if c.file != nil {
		if err = c.file.Close(lost); errors.Is(err, unix.EPIPE) {
			err = nil // the reader has had enough
		} else if err != nil {
			err = &op.Error{Msg: fmt.Sprintf("%q cannot be written: %s", c.path, builtins.FileProblem(err))}
		}
	}
	fmt.Fprintf(os.Stderr, "%d %s captured, %d dropped by the kernel\n", c.seen, plural(c.seen, "packet"), all)
	return err
}
