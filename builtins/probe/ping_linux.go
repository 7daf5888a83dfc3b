package probe

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Ping sends echo requests (RFC 792, RFC 4443 §4) from a namespace, one each
// interval, and returns as soon as each is answered, refused or timed out.
//
// Without DF a packet is fragmented where it must be. No IPv6 router does that;
// a probe that one of them finds too big is sent again, up to 5 times within
// its timeout: our kernel then knows how small the fragments must be,
// and so does the target's after it has lost a reply in the same way.
//
// The error is ctx's, or tells that the request could not be tried.
func Ping(ctx context.Context, ns Namespace, req PingRequest) (PingResult, error) {
	if err := req.check(); err != nil {
		return PingResult{}, err
	}
	var random [2 + echoToken]byte
	_, _ = crand.Read(random[:]) // it never fails: see crypto/rand
	id := binary.BigEndian.Uint16(random[:])
	sock, err := openRaw(ctx, ns, &req, id)
	if err != nil {
		return PingResult{}, err
	}
	defer sock.close()
	f := &flight{
		req: &req, sock: sock,
		echo:    newEcho(req.Target, id, [echoToken]byte(random[2:]), req.Size),
		waiting: map[uint16]*probe{},
	}
	err = f.run(ctx)
	return f.result(), err
}

// run is the whole of it: send what is due, read one message, drop what is late.
func (f *flight) run(ctx context.Context) error {
	f.start = time.Now()
	for {
		if err := f.sendDue(time.Now()); err != nil {
			return err
		}
		if f.next == f.req.Count && len(f.waiting) == 0 {
			return nil
		}
		m, ok, err := f.sock.receive(ctx, f.nextEvent())
		if err != nil {
			return err
		}
		if ok {
			f.take(m)
			continue
		}
		f.expire(time.Now())
	}
}

// transmit sends one copy of a probe. It returns false if the kernel had no
// room for it; a refusal ends the probe.
func (f *flight) transmit(p *probe) (bool, error) {
	b := f.echo.probe(p.number, len(p.sent))
	p.sent = append(p.sent, time.Now())
	err := f.sock.send(b)
	if errors.Is(err, unix.EACCES) && !f.echo.anyone {
		// Either a route forbids it, or it is a broadcast address, to which one
		// must ask to be allowed, and which anyone may answer.
		if err := f.sock.allowBroadcast(); err != nil {
			return false, err
		}
		if err = f.sock.send(b); err == nil {
			f.echo.anyone = true
		}
	}
	switch word := sendWord(err); {
	case err == nil:
		return true, nil
	case again(err):
		p.sent = p.sent[:len(p.sent)-1]
		return false, nil
	case word == "":
		return false, fmt.Errorf("sending to %v: %w", f.req.Target, err)
	case word == FragNeeded:
		f.fail(p, word, netip.Addr{}, f.sock.localMTU(b))
	default:
		f.fail(p, word, netip.Addr{}, 0)
	}
	return true, nil
}

// sendDue sends at most one new probe, so that answers are read in between, and
// the copies that are due.
func (f *flight) sendDue(now time.Time) error {
	f.retry = deleteDone(f.retry)
	for _, p := range f.retry {
		if p.again.After(now) {
			continue
		}
		p.again, p.pause = now.Add(p.pause), 2*p.pause
		if _, err := f.transmit(p); err != nil {
			return err
		}
	}
	if f.next == f.req.Count || f.dueTime().After(now) || f.waiting[uint16(f.next)] != nil {
		return nil
	}
	p := &probe{number: f.next, expiry: now.Add(f.req.Timeout)}
	f.waiting[p.seq()] = p
	left, err := f.transmit(p)
	if err != nil {
		return err
	}
	if !left { // the socket's queue is full: once more in a moment
		delete(f.waiting, p.seq())
		f.held = now.Add(time.Millisecond)
		return nil
	}
	f.next++
	f.res.Sent++
	f.order = append(f.order, p)
	return nil
}
