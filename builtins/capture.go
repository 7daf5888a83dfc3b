package builtins

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"

	"nsscript/builtins/op"
	"nsscript/builtins/probe/capture"
)

var captureSpec = spec{
	sig: "capture(ns, *, dev = \"any\", filter = \"\", file = None, snaplen = 262144)",
	doc: captureDoc,
	run: startCapture,
}

// Of the packets of a capture the last ones are kept in memory, and of each its
// beginning; a file has them all.
const (
	keptPackets = 20000
	keptBytes   = 2048
)

func startCapture(c *call) (starlark.Value, error) {
	var ns *Namespace
	var dev devName
	p := &Capture{dev: AnyDev, news: make(chan struct{})}
	snaplen := capture.MaxSnapLen
	if err := c.unpack(&ns, &dev, &p.filter, &p.path, within{&snaplen, 1, capture.MaxSnapLen, "bytes"}); err != nil {
		return nil, err
	}
	name, err := dev.in(ns, "dev")
	if err != nil {
		return nil, err
	}
	if name != "" {
		p.dev = name
	}
	if c.given("file") && p.path == "" {
		return nil, &argError{"file", badArg("", "want the name of a file, got \"\"")}
	}
	p.n = ns
	o := TapOptions{Dev: p.dev, Filter: p.filter, SnapLen: snaplen, Each: p.add}
	if c.assume(c.pos(), op.InNS(ns.name, p.words(snaplen)...)+" &") {
		p.tap = plannedTap{}
		_, err := c.readTap(ns, o)
		return p, err
	}
	if err := c.begin(p, o); err != nil {
		return nil, err
	}
	return p, nil
}

// begin starts a capture, which the session ends.
func (c *call) begin(p *Capture, o TapOptions) error {
	with, err := c.readTap(p.n, o)
	if err != nil {
		return err
	}
	if p.path != "" {
		out, err := CreateCapture(p.path, os.O_TRUNC)
		if err != nil {
			return &argError{"file", badArg("", "%q cannot be written: %s", p.path, FileProblem(err))}
		}
		known, err := c.Devices(p.n)
		if err != nil {
			return errors.Join(err, out.Close())
		}
		known = slices.DeleteFunc(known, func(d *capture.Device) bool { return with.Dev != "" && d.Name != with.Dev })
		if p.file, err = capture.NewFile(out, capture.FileInfo{Lab: c.lab.Name(), Filter: p.filter, SnapLen: o.SnapLen, Known: known}); err != nil {
			return errors.Join(&argError{"file", badArg("", "%q cannot be written: %s", p.path, FileProblem(err))}, out.Close())
		}
		with.Idle = p.flush
	}
	c.mu.Lock()
	with.Ring = capture.RingFor(len(c.captures) + 1)
	c.mu.Unlock()
	if p.tap, err = startTap(p.n, with); err != nil {
		if p.file != nil {
			err = errors.Join(err, p.file.Close(nil))
		}
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.captures = append(c.captures, p)
	return nil
}

// CreateCapture opens a file for packets. A named pipe must have its reader already:
// waiting for one could not be interrupted.
func CreateCapture(path string, flags int) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|unix.O_NONBLOCK|flags, 0o644)
}

// FileProblem is why a file cannot be used, without its name.
func FileProblem(err error) string {
	var perr *fs.PathError
	if errors.Is(err, unix.ENXIO) {
		return "nobody reads from that pipe yet"
	}
	if errors.As(err, &perr) {
		return perr.Err.Error()
	}
	return err.Error()
}

// words are those of the tcpdump program for the same.
func (p *Capture) words(snaplen int) []string {
	w := []string{"tcpdump", "-nn", "-i", p.dev}
	if snaplen != capture.MaxSnapLen {
		w = append(w, "-s", fmt.Sprint(snaplen))
	}
	if p.path != "" {
		w = append(w, "-w", p.path)
	}
	if p.filter != "" {
		w = append(w, p.filter)
	}
	return w
}

// Capture is the packets of a namespace, as they pass.
type Capture struct {
	n                 *Namespace
	dev, filter, path string
	tap               tapped

	mu    sync.Mutex
	flows capture.Flows
	kept  []*capture.Packet
	seen  int
	file  *capture.File // nil without one, and when it is complete
	news  chan struct{} // closed with each packet
	ended bool
}

// tapped is where a capture's packets come from.
type tapped interface {
	Stop() error
	Sync(ctx context.Context) error
	Begun() time.Time
	Done() <-chan struct{}
	Dropped() uint64
}

// plannedTap sees nothing: in a plan nothing is sent.
type plannedTap struct{}

func (plannedTap) Stop() error                { return nil }
func (plannedTap) Sync(context.Context) error { return nil }
func (plannedTap) Begun() time.Time           { return time.Time{} }
func (plannedTap) Done() <-chan struct{}      { return nil }
func (plannedTap) Dropped() uint64            { return 0 }

var (
	_ starlark.HasAttrs = (*Capture)(nil)
	_ tapped            = (*capture.Tap)(nil)
	_ tapped            = plannedTap{}
)

// add takes a packet of the tap.
func (p *Capture) add(packet *capture.Packet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flows.Note(packet)
	if p.file != nil {
		p.file.Write(packet)
	}
	if len(p.kept) >= 2*keptPackets {
		p.kept = append([]*capture.Packet(nil), p.kept[len(p.kept)-keptPackets:]...)
	}
	p.kept = append(p.kept, packet.Keep(keptBytes))
	p.seen++
	close(p.news)
	p.news = make(chan struct{})
}

func (p *Capture) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file != nil {
		p.file.Flush()
	}
}

// stop ends the capture and completes its file. Calling it again does nothing.
func (p *Capture) stop() error {
	err := p.tap.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil
	}
	p.ended = true
	if errors.Is(err, capture.ErrGone) {
		err = nil // it has seen all that was there
	}
	if p.file != nil {
		if ferr := p.file.Close(map[string]uint64{p.n.name: p.tap.Dropped()}); ferr != nil {
			err = errors.Join(err, badArg("", "capture in %s: %q cannot be written: %s", p.n.title(), p.path, FileProblem(ferr)))
		}
		p.file = nil
	}
	return err
}

// StopCaptures ends the captures that run, of one namespace or, with "", of all, and
// completes their files.
func (s *Session) StopCaptures(namespace string) error {
	s.mu.Lock()
	var ending []*Capture
	s.captures = slices.DeleteFunc(s.captures, func(p *Capture) bool {
		end := namespace == "" || p.n.name == namespace
		if end {
			ending = append(ending, p)
		}
		return end
	})
	errs := make([]error, len(ending)+1)
	if namespace == "" {
		errs[len(ending)], s.unwritten = s.unwritten, nil
	}
	s.mu.Unlock()
	var all sync.WaitGroup
	for i, p := range ending { // the kernel takes its time to close each
		all.Go(func() { errs[i] = p.stop() })
	}
	all.Wait()
	return errors.Join(errs...)
}

// leave ends the captures of a namespace that is about to be closed. What is wrong with
// a file is told when all end.
func (s *Session) leave(namespace string) {
	err := s.StopCaptures(namespace)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unwritten = errors.Join(s.unwritten, err)
}

// forget has the session not end a capture that is ended.
func (s *Session) forget(p *Capture) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.captures = slices.DeleteFunc(s.captures, func(other *Capture) bool { return other == p })
}

// upToDate waits until what has passed so far is seen.
func (p *Capture) upToDate() error { return p.tap.Sync(p.n.s.ctx) }

// wait waits until so many packets were seen, or the time is over.
func (p *Capture) wait(ctx context.Context, n int, timeout time.Duration) (bool, error) {
	late := time.NewTimer(timeout)
	defer late.Stop()
	for {
		p.mu.Lock()
		seen, news := p.seen, p.news
		p.mu.Unlock()
		if seen >= n {
			return true, nil
		}
		select {
		case <-news:
		case <-late.C:
			if err := p.upToDate(); err != nil {
				return false, err
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.seen >= n, nil
		case <-p.tap.Done():
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.seen >= n, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

func (p *Capture) String() string {
	text := "capture on " + p.dev + " in " + p.n.title()
	if p.n.name == op.Host {
		text = "capture on " + p.dev + " on the host"
	}
	if p.filter != "" {
		text += fmt.Sprintf(", filter %q", p.filter)
	}
	if err := p.upToDate(); err != nil {
		return text + ", interrupted"
	}
	dropped := p.tap.Dropped()
	p.mu.Lock()
	defer p.mu.Unlock()
	packets := "packets"
	if p.seen == 1 {
		packets = "packet"
	}
	text += fmt.Sprintf(": %d %s, %d dropped", p.seen, packets, dropped)
	if p.path != "" {
		text += ", in " + p.path
	}
	if p.ended {
		text += ", stopped"
	}
	return text
}
func (p *Capture) Type() string { return "Capture" }
func (p *Capture) Freeze()      {}

// Truth is whether a packet was seen.
func (p *Capture) Truth() starlark.Bool {
	_ = p.upToDate() // interrupted: what is known by then
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen > 0
}
func (p *Capture) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: Capture") }

var captureFields = map[string]func(*Capture) (starlark.Value, error){
	"ns":      func(p *Capture) (starlark.Value, error) { return p.n, nil },
	"dev":     func(p *Capture) (starlark.Value, error) { return starlark.String(p.dev), nil },
	"filter":  func(p *Capture) (starlark.Value, error) { return starlark.String(p.filter), nil },
	"file":    func(p *Capture) (starlark.Value, error) { return strOrNone(p.path), nil },
	"dropped": func(p *Capture) (starlark.Value, error) { return starlark.MakeUint64(p.tap.Dropped()), nil },
	"running": func(p *Capture) (starlark.Value, error) {
		select {
		case <-p.tap.Done():
			return starlark.False, nil
		default:
			return starlark.True, nil
		}
	},
	"seen": func(p *Capture) (starlark.Value, error) {
		if err := p.upToDate(); err != nil {
			return nil, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		return starlark.MakeInt(p.seen), nil
	},
	"packets": func(p *Capture) (starlark.Value, error) {
		if err := p.upToDate(); err != nil {
			return nil, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		list := p.kept[max(0, len(p.kept)-keptPackets):]
		return listOf(list, func(k *capture.Packet) starlark.Value { return &Packet{p: k, after: k.Time.Sub(p.tap.Begun())} }), nil
	},
}

var captureMethods = []spec{
	{
		sig: "stop(capture)", doc: captureStopDoc,
		run: func(c *call) (starlark.Value, error) {
			p := c.args[0].(*Capture)
			c.forget(p)
			return p, p.stop()
		},
	},
	{
		sig: "wait(capture, n = 1, timeout = \"5s\")", doc: captureWaitDoc,
		run: func(c *call) (starlark.Value, error) {
			p := c.args[0].(*Capture)
			n, timeout := 1, duration(5*time.Second)
			if err := c.unpack(nil, within{&n, 1, 1 << 30, ""}, &timeout); err != nil {
				return nil, err
			}
			if c.lab.Planned() {
				return starlark.True, nil
			}
			ok, err := p.wait(c.ctx, n, timeout.std())
			return starlark.Bool(ok), err
		},
	},
}

// AttrNames lists fields and methods.
func (p *Capture) AttrNames() []string { return attrNames(captureFields, captureMethods) }

// Attr returns a field or a method.
func (p *Capture) Attr(name string) (starlark.Value, error) {
	if f, ok := captureFields[name]; ok {
		if err := p.n.s.lab.CatchUp(p.n.s.ctx); err != nil {
			return nil, err
		}
		return f(p)
	}
	if m := p.n.s.method(p, name, captureMethods); m != nil {
		return m, nil
	}
	return nil, noAttr(p, name)
}

const captureDoc = `
Sees the packets that pass in a namespace, in the background, from this call on until stop() or the end of the script; needs no program.

Every packet that passes after the call has returned is seen, or counted as dropped. In memory are the last 20,000, the first 2,048 bytes of each; the file has all of them. With lo each packet is there once, coming in.

dev (string | Link): the interface; "any" for all, also those that are made later
filter (string): which packets, in tcpdump's language; names of namespaces are hosts: "host web and tcp port 80"
file (string): a pcapng file to write them to, for Wireshark and tcpdump; it is complete when the capture has ended
snaplen (int, 1 to 262144 bytes): how much of each packet is kept
returns (Capture): truthy once a packet was seen
errors: there is no such interface; the filter is wrong (the message has the word and its column); the file cannot be written
example:
    red, blue = namespace("red"), namespace("blue")
    veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    cap = capture(blue, filter = "icmp and host red")
    ping(red, blue)
    for p in cap.packets:
        print(p.direction, p.summary[:40])
    #> in IP 10.0.0.1 > 10.0.0.2: ICMP echo reques
    #> out IP 10.0.0.2 > 10.0.0.1: ICMP echo reply,
command: ip netns exec NS tcpdump -nn -i DEV -w FILE FILTER &
source: packet(7), pcap-filter(7)
`

const captureTypeDoc = `
The packets that pass in a namespace; truthy once one was seen.

ns (Namespace): where
dev (string): the interface, "any" for all
filter (string): which packets
file (string | None): the file that they are written to
packets (list[Packet]): those seen so far, of more than 20,000 the last ones; what has passed before this is asked is among them
seen (int): how many were seen so far
dropped (int): packets that were too many at once for the kernel to hand over
running (bool): whether it goes on
example:
    red = namespace("red")
    cap = capture(red, dev = "lo")
    ping(red, "127.0.0.1")
    print(cap.seen, cap.dropped)
    #> 2 0
source: packet(7)
`

const captureStopDoc = `
Ends the capture and completes its file. What has passed before is in it.

returns (Capture): the capture
errors: the file could not be written
example:
    red = namespace("red")
    cap = capture(red)
    ping(red, "127.0.0.1")
    print(len(cap.stop().packets), cap.running)
    #> 2 False
source: packet(7)
`

const captureWaitDoc = `
Waits until so many packets were seen since the capture began.

n (int): how many
timeout (duration): how long to wait
returns (bool): whether so many were seen
example:
    red = namespace("red")
    cap = capture(red, filter = "icmp")
    ping(red, "127.0.0.1")
    print(cap.wait(2), cap.wait(3, timeout = "50ms"))
    #> True False
source: packet(7)
`
