package probe

import (
	"fmt"
	"net/netip"
	"time"
)

// PingRequest says which echo requests to send.
type PingRequest struct {
	Target   netip.Addr    // IPv4 or IPv6; link-local with the interface as its zone
	Count    int           // probes, at least 1
	Size     int           // payload, 0 to 65507 bytes
	TTL      int           // hop limit, 1 to 255; 0 for the namespace's default
	DF       bool          // don't fragment, neither here nor on the way
	Interval time.Duration // between two probes; 0 is as fast as they leave
	Timeout  time.Duration // for the answer to each probe
	// Dev is the interface to leave by, "" for what the routing table says.
	// Answers count only if they come in by it too (SO_BINDTODEVICE,
	// socket(7)); what the own kernel says, over lo, is then not heard: an
	// unanswered ARP request is a Timeout.
	Dev string
	// Heard, if set, is told at once what became of each probe.
	Heard func(PingAnswer)
}

// PingAnswer is what became of one echo request.
type PingAnswer struct {
	Number int        // of the request, from 1
	From   netip.Addr // who answered or refused; invalid where nobody said anything
	RTT    time.Duration
	Error  string // "" for a reply
	MTU    int    // with FragNeeded, bytes; 0 if not told
}

// PingResult says what became of them.
type PingResult struct {
	Sent     int // probes tried, also those that the own kernel refused
	Received int // probes answered; duplicates and altered replies do not count

	Min, Avg, Max time.Duration // round trips of the answered ones; 0 if there are none

	// Error is "" if all were answered. Else it is the word of the last error,
	// or [Timeout] if nobody said anything about the lost ones.
	Error     string
	ErrorFrom netip.Addr    // who said so; invalid for the own kernel's refusals and for Timeout
	MTU       int           // with FragNeeded: what would have fitted, bytes, header included; 0 if not told
	ErrorRTT  time.Duration // until they said so; 0 for the own kernel's refusals and for Timeout
}

const (
	maxSize = 65507 // payload of the largest IPv4 packet, bytes
	maxTTL  = 255
)

func (r *PingRequest) check() error {
	r.Target = r.Target.Unmap()
	switch {
	case r.Count < 1:
		return fmt.Errorf("%d probes: at least 1 is needed", r.Count)
	case r.Size < 0 || r.Size > maxSize:
		return fmt.Errorf("a payload of %d bytes: 0 to %d are possible", r.Size, maxSize)
	case r.TTL < 0 || r.TTL > maxTTL:
		return fmt.Errorf("a ttl of %d: 1 to %d are possible, or 0 for the default", r.TTL, maxTTL)
	case r.Interval < 0:
		return fmt.Errorf("an interval of %v is negative", r.Interval)
	}
	return CheckTarget(r.Target, r.Dev)
}

// flight is the probes of one Ping that are on their way.
type flight struct {
	req  *PingRequest
	sock *rawSocket
	echo *echo

	start   time.Time
	next    int               // number of the next probe
	held    time.Time         // not before this: the kernel's queue is full
	waiting map[uint16]*probe // those without an answer, by sequence number
	order   []*probe          // the same and some that are done, oldest first
	retry   []*probe          // those that are to be sent again

	res   PingResult
	total time.Duration
}

// probe is one echo request, of which several copies may have been sent.
type probe struct {
	number int
	sent   []time.Time // of each copy
	expiry time.Time
	done   bool
	again  time.Time     // when to send the next copy
	pause  time.Duration // until the one after that
}

// maxCopies bounds how often one probe is sent.
const maxCopies = 5

func (p *probe) seq() uint16 { return uint16(p.number) }

// nextEvent is when run must act even if nothing comes.
func (f *flight) nextEvent() time.Time {
	var when time.Time
	earlier := func(t time.Time) {
		if when.IsZero() || t.Before(when) {
			when = t
		}
	}
	if f.next < f.req.Count {
		earlier(f.dueTime())
	}
	for len(f.order) > 0 && f.order[0].done {
		f.order = f.order[1:]
	}
	if len(f.order) > 0 {
		earlier(f.order[0].expiry)
	}
	for _, p := range f.retry {
		earlier(p.again)
	}
	return when
}

// dueTime is when the next probe leaves.
func (f *flight) dueTime() time.Time {
	due := f.start.Add(time.Duration(f.next) * f.req.Interval)
	if f.held.After(due) {
		due = f.held
	}
	// Sequence numbers have 16 bits; one that is still awaited is not reused.
	if p := f.waiting[uint16(f.next)]; p != nil && p.expiry.After(due) {
		due = p.expiry
	}
	return due
}

// take handles one message of the raw socket.
func (f *flight) take(m received) {
	a, ok := f.echo.answer(m.data, m.from)
	p := f.waiting[a.seq]
	if !ok || p == nil {
		return
	}
	if a.word == "" {
		n, ok := f.echo.copyIn(a.payload, p.number)
		if ok && n < len(p.sent) {
			f.answered(p, max(m.at.Sub(p.sent[n]), 0))
		}
		return
	}
	if a.word == FragNeeded && f.req.Target.Is6() && !f.req.DF {
		f.repeat(p, m.at)
		return
	}
	f.fail(p, a.word, m.from, a.mtu)
	f.res.ErrorRTT = max(m.at.Sub(p.sent[0]), 0)
}

// repeat arranges that p is sent again at once, and then at growing intervals: an
// answer may be lost as often as its way has links that are ever narrower.
func (f *flight) repeat(p *probe, now time.Time) {
	if !p.again.IsZero() {
		return
	}
	p.again, p.pause = now, max(firstPause, 2*now.Sub(p.sent[0]))
	f.retry = append(f.retry, p)
}

func (f *flight) answered(p *probe, rtt time.Duration) {
	f.end(p, PingAnswer{From: f.req.Target, RTT: rtt})
	f.res.Received++
	f.total += rtt
	if f.res.Received == 1 || rtt < f.res.Min {
		f.res.Min = rtt
	}
	f.res.Max = max(f.res.Max, rtt)
}

func (f *flight) fail(p *probe, word string, from netip.Addr, mtu int) {
	f.end(p, PingAnswer{From: from, Error: word, MTU: mtu})
	f.res.Error, f.res.ErrorFrom, f.res.MTU, f.res.ErrorRTT = word, from, mtu, 0
}

func (f *flight) end(p *probe, a PingAnswer) {
	p.done = true
	delete(f.waiting, p.seq())
	if f.req.Heard != nil {
		a.Number = p.number + 1
		f.req.Heard(a)
	}
}

// expire gives up the probes whose time is over.
func (f *flight) expire(now time.Time) {
	for len(f.order) > 0 && !f.order[0].expiry.After(now) {
		p := f.order[0]
		f.order = f.order[1:]
		if !p.done {
			f.end(p, PingAnswer{Error: Timeout})
		}
	}
}

// deleteDone keeps the probes that may be sent again.
func deleteDone(list []*probe) []*probe {
	kept := list[:0]
	for _, p := range list {
		if !p.done && len(p.sent) < maxCopies {
			kept = append(kept, p)
		}
	}
	return kept
}

func (f *flight) result() PingResult {
	r := f.res
	if r.Received > 0 {
		r.Avg = f.total / time.Duration(r.Received)
	}
	if r.Error == "" && r.Received < r.Sent {
		r.Error = Timeout
	}
	return r
}
