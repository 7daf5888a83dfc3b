package probe

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// pairPinger pings many pairs. It has one socket for each namespace that sends, and
// family, and reads them all on one thread: with thousands of requests on their way, a
// socket, a goroutine and a timer for each would cost more than the packets do.
type pairPinger struct {
	spaces  []*kernel.NetNS
	sockets map[pairSocketKey]*pairSocket
	buf     [2048]byte // for the headers, the payload, and an error about it
}

type pairSocketKey struct {
	from   int // its place among the namespaces
	family int
}

// pairSocket is the raw socket of one namespace.
type pairSocket struct {
	fd, family int
	id         uint16
	token      [echoToken]byte
	next       uint16 // sequence number
	waiting    map[uint16]*pairProbe
}

// pairProbe is a request that is on its way.
type pairProbe struct {
	pair   *PingPair
	echo   *echo
	seq    uint16
	expiry time.Time
}

const (
	// pairSize is the payload of one request, as that of ping(8).
	pairSize = 56
	// wakeUp is how long the thread waits before it looks whether it is to end.
	wakeUp = 20 * time.Millisecond
	// fullQueue is how long it is waited where the kernel has no room for a request.
	fullQueue = time.Millisecond
)

// close closes the sockets.
func (c *pairPinger) close() {
	for _, s := range c.sockets {
		_ = unix.Close(s.fd)
	}
	c.sockets = nil
}

// ping sends one request of each pair, in their order and without a pause, and returns
// when each is answered, refused or timed out. The error is ctx's, or tells that they
// could not be tried.
func (c *pairPinger) ping(ctx context.Context, pairs []*PingPair, timeout time.Duration) error {
	busy := map[*pairSocket]bool{}
	defer func() {
		for s := range busy {
			clear(s.waiting)
		}
	}()
	for _, p := range pairs {
		s, err := c.socket(p.From, family(p.Target))
		if err != nil {
			return err
		}
		busy[s] = true
		for {
			left, err := s.send(p, timeout)
			if err != nil {
				return err
			}
			if left {
				break
			}
			if err := c.await(ctx, busy, time.Now().Add(fullQueue)); err != nil {
				return err
			}
		}
	}
	return c.await(ctx, busy, time.Time{})
}

// await reads answers until none is waited for any more, or until a time that is not
// zero.
func (c *pairPinger) await(ctx context.Context, busy map[*pairSocket]bool, until time.Time) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		now := time.Now() // what has come by then has come in time
		next := now.Add(wakeUp)
		var poll []unix.PollFd
		for s := range busy {
			if err := s.read(c.buf[:]); err != nil {
				return err
			}
			if expiry, any := s.expire(now); any {
				poll = append(poll, unix.PollFd{Fd: int32(s.fd), Events: unix.POLLIN})
				if expiry.Before(next) {
					next = expiry
				}
			}
		}
		if !until.IsZero() && until.Before(next) {
			next = until
		}
		if len(poll) == 0 && until.IsZero() || !until.IsZero() && !now.Before(until) {
			return nil
		}
		wait := unix.NsecToTimespec(max(time.Until(next), 0).Nanoseconds())
		if _, err := unix.Ppoll(poll, &wait, nil); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("waiting for answers: %w", err)
		}
	}
}

// socket returns the socket of a namespace.
func (c *pairPinger) socket(from, fam int) (*pairSocket, error) {
	key := pairSocketKey{from, fam}
	if s := c.sockets[key]; s != nil {
		return s, nil
	}
	s := &pairSocket{family: fam, waiting: map[uint16]*pairProbe{}}
	var random [2 + echoToken]byte
	_, _ = crand.Read(random[:]) // it never fails: see crypto/rand
	s.id, s.token = binary.BigEndian.Uint16(random[:]), [echoToken]byte(random[2:])
	var err error
	if s.fd, err = openEchoFD(c.spaces[from], fam); err != nil {
		return nil, err
	}
	if err := setUpEcho(s.fd, fam, s.id); err != nil {
		return nil, errors.Join(err, unix.Close(s.fd))
	}
	if c.sockets == nil {
		c.sockets = map[pairSocketKey]*pairSocket{}
	}
	c.sockets[key] = s
	return s, nil
}

// setUpEcho sets what a socket for many targets needs.
func setUpEcho(fd, fam int, id uint16) error {
	if err := filterEcho(fd, fam, id); err != nil {
		return err
	}
	return setHeader(fd, fam, 0, false)
}

// send sends the request of a pair. It returns false if the kernel had no room for it;
// a refusal is its answer.
func (s *pairSocket) send(p *PingPair, timeout time.Duration) (bool, error) {
	to, err := Sockaddr(s.fd, p.Target, 0)
	if err != nil {
		return false, err
	}
	for s.waiting[s.next] != nil {
		s.next++
	}
	w := &pairProbe{pair: p, echo: newEcho(p.Target, s.id, s.token, pairSize), seq: s.next, expiry: time.Now().Add(timeout)}
	err = unix.Sendto(s.fd, w.echo.probe(int(w.seq), 0), unix.MSG_DONTWAIT, to)
	switch word := sendWord(err); {
	case err == nil:
		p.Error, p.ErrorFrom = Timeout, netip.Addr{} // until something is heard
		s.waiting[w.seq] = w
		s.next++
	case again(err):
		return false, nil
	case word == "":
		return false, fmt.Errorf("sending to %v: %w", p.Target, err)
	default:
		p.Error, p.ErrorFrom = word, netip.Addr{}
	}
	return true, nil
}

// read takes all messages that have come.
func (s *pairSocket) read(buf []byte) error {
	for len(s.waiting) > 0 {
		n, from, err := unix.Recvfrom(s.fd, buf, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if again(err) {
			// Also of a message with a wrong ICMPv6 checksum, behind which others may be.
			n, from, err = unix.Recvfrom(s.fd, buf, unix.MSG_DONTWAIT)
		}
		switch {
		case again(err):
			return nil
		case err != nil:
			return fmt.Errorf("receiving: %w", err)
		}
		s.take(buf[:n], fromSockaddr(s.fd, from).Addr())
	}
	return nil
}

// take handles one message.
func (s *pairSocket) take(b []byte, from netip.Addr) {
	seq, ok := s.sequence(b)
	w := s.waiting[seq]
	if !ok || w == nil {
		return
	}
	a, ok := w.echo.answer(b, from)
	if !ok || a.seq != seq {
		return
	}
	if a.word == "" {
		if _, ok := w.echo.copyIn(a.payload, int(seq)); !ok {
			return
		}
		from = netip.Addr{}
	}
	w.pair.Error, w.pair.ErrorFrom = a.word, from
	delete(s.waiting, seq)
}

// sequence finds the number of the request that a message is about. Whether it really
// is about it, that request tells.
func (s *pairSocket) sequence(b []byte) (uint16, bool) {
	reply, quoted := byte(ipv6.ICMPTypeEchoReply), quoted6
	if s.family == unix.AF_INET {
		reply, quoted = byte(ipv4.ICMPTypeEchoReply), quoted4
		b = skipIPv4(b)
	}
	if len(b) >= echoHeader && b[0] != reply {
		_, b = quoted(b[echoHeader:])
	}
	if len(b) < echoHeader {
		return 0, false
	}
	return binary.BigEndian.Uint16(b[6:]), true
}

// expire gives up the requests whose time is over. It returns when the next one's is,
// if there is one.
func (s *pairSocket) expire(now time.Time) (next time.Time, any bool) {
	for seq, w := range s.waiting {
		switch {
		case !w.expiry.After(now):
			delete(s.waiting, seq)
		case !any || w.expiry.Before(next):
			next, any = w.expiry, true
		}
	}
	return next, any
}
