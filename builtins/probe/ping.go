package probe

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// PingRequest says what to send.
type PingRequest struct {
	Target   netip.Addr // with a zone if link-local
	Count    int
	Size     int  // payload in bytes, 0 to 65507
	TTL      int  // 1 to 255; 0 for the namespace's default
	DF       bool // don't fragment
	Interval time.Duration
	Timeout  time.Duration // for each reply
	Dev      string        // leave through this interface only
}

// PingResult says what came back.
type PingResult struct {
	Sent, Received int
	Min, Avg, Max  time.Duration // round trips of the replies
	Error          string        // "" when all were answered, else the last error's word
	ErrorFrom      netip.Addr    // the router that said so
	MTU            int           // with frag-needed: the MTU that was too small, in bytes
}

// pinger is one Ping under way.
type pinger struct {
	req     PingRequest
	v6      bool
	id      uint16
	fd      int
	file    *os.File
	payload []byte

	sent   []time.Time
	ended  []bool // answered, or given up after an error
	again  []bool // sent a second time
	res    PingResult
	total  time.Duration
	open   int // requests that are neither answered nor given up
	buffer []byte
}

// Ping sends echo requests (RFC 792, RFC 4443) at regular intervals and waits
// for the replies.
func Ping(ctx context.Context, ns Namespace, req PingRequest) (PingResult, error) {
	p := &pinger{req: req, v6: req.Target.Is6(), id: uint16(rand.Uint32()), payload: make([]byte, req.Size),
		sent: make([]time.Time, req.Count), ended: make([]bool, req.Count), again: make([]bool, req.Count),
		buffer: make([]byte, 1<<17)}
	for i := range p.payload {
		p.payload[i] = byte(i)
	}
	err := ns.Do(p.socket)
	if err == nil {
		defer func() { _ = p.file.Close() }()
		stop := context.AfterFunc(ctx, func() { _ = p.file.SetReadDeadline(time.Unix(1, 0)) })
		defer stop()
		err = p.exchange(ctx, ns)
	}
	if ctx.Err() != nil {
		return p.res, ctx.Err()
	}
	if word := sendWord(err); word != "" && p.res.Sent > 0 {
		err = nil
	}
	return p.result(), err
}

// socket opens the raw socket; it runs inside the namespace.
func (p *pinger) socket() error {
	family, proto := unix.AF_INET, unix.IPPROTO_ICMP
	if p.v6 {
		family, proto = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, proto)
	if err != nil {
		return fmt.Errorf("a raw socket for ICMP: %w", err)
	}
	p.fd, p.file = fd, os.NewFile(uintptr(fd), "icmp")
	if err := p.options(); err != nil {
		return errors.Join(err, p.file.Close())
	}
	return nil
}

func (p *pinger) options() error {
	set := func(level, opt, value int) error { return unix.SetsockoptInt(p.fd, level, opt, value) }
	errs := []error{set(unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20)}
	// Kernel time stamps keep this program's own delays out of round trips.
	errs = append(errs, set(unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1))
	// PROBE sets DF without heeding the path MTU that the kernel has learnt, so
	// that the router itself is asked; DONT leaves DF off (ip(7)).
	discover := unix.IP_PMTUDISC_DONT
	if p.req.DF {
		discover = unix.IP_PMTUDISC_PROBE
	}
	if p.v6 {
		if p.req.DF {
			errs = append(errs, set(unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE),
				set(unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG, 1))
		} else {
			errs = append(errs, set(unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_WANT))
		}
		if p.req.TTL != 0 {
			errs = append(errs, set(unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, p.req.TTL))
		}
	} else {
		errs = append(errs, set(unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, discover), set(unix.SOL_SOCKET, unix.SO_BROADCAST, 1))
		if p.req.TTL != 0 {
			errs = append(errs, set(unix.IPPROTO_IP, unix.IP_TTL, p.req.TTL))
		}
	}
	if p.req.Dev != "" {
		errs = append(errs, unix.BindToDevice(p.fd, p.req.Dev))
	}
	return errors.Join(errs...)
}

// exchange sends the requests, one each interval, and reads until all are
// answered or given up.
func (p *pinger) exchange(ctx context.Context, ns Namespace) error {
	to, err := p.address(ns)
	if err != nil {
		return err
	}
	begun := time.Now()
	next := 0
	for {
		for next < p.req.Count && !time.Now().Before(begun.Add(time.Duration(next)*p.req.Interval)) {
			if err := p.send(ns, to, next); err != nil {
				return err
			}
			next++
		}
		until, waiting := p.deadline(begun, next)
		if !waiting {
			return nil
		}
		if err := p.read(ctx, ns, to, until); err != nil {
			return err
		}
		for i := range next {
			if !p.ended[i] && time.Since(p.sent[i]) >= p.req.Timeout {
				p.giveUp(i, Timeout, netip.Addr{}, 0)
			}
		}
	}
}

// deadline is when something is to be done next, if anything is.
func (p *pinger) deadline(begun time.Time, next int) (until time.Time, waiting bool) {
	if next < p.req.Count {
		until, waiting = begun.Add(time.Duration(next)*p.req.Interval), true
	}
	for i := range next {
		if t := p.sent[i].Add(p.req.Timeout); !p.ended[i] && (!waiting || t.Before(until)) {
			until, waiting = t, true
		}
	}
	return until, waiting
}

// address turns the target into the kernel's form; a zone is the name of an
// interface inside the namespace.
func (p *pinger) address(ns Namespace) (unix.Sockaddr, error) {
	if !p.v6 {
		return &unix.SockaddrInet4{Addr: p.req.Target.As4()}, nil
	}
	a := &unix.SockaddrInet6{Addr: p.req.Target.As16()}
	zone, err := zoneIndex(ns, p.req.Target.Zone())
	a.ZoneId = zone
	return a, err
}

// zoneIndex is the index of the interface that an IPv6 zone names.
func zoneIndex(ns Namespace, zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n), nil
	}
	var index uint32
	err := ns.Do(func() error {
		i, err := net.InterfaceByName(zone)
		if err == nil {
			index = uint32(i.Index)
		}
		return err
	})
	return index, err
}

func (p *pinger) send(ns Namespace, to unix.Sockaddr, i int) error {
	if !p.again[i] {
		p.res.Sent++
	}
	p.sent[i] = time.Now()
	msg := echoRequest(p.v6, p.id, uint16(i), p.payload)
	err := unix.Sendto(p.fd, msg, 0, to)
	for tries := 0; errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ENOBUFS); tries++ {
		if tries == 100 {
			break
		}
		time.Sleep(time.Millisecond)
		err = unix.Sendto(p.fd, msg, 0, to)
	}
	if err == nil {
		return nil
	}
	word := sendWord(err)
	if word == "" {
		return fmt.Errorf("sending to %s: %w", p.req.Target, err)
	}
	mtu := 0
	if word == FragNeeded {
		mtu = p.routeMTU(ns)
	}
	p.giveUp(i, word, netip.Addr{}, mtu)
	return nil
}

// routeMTU asks the kernel for the MTU of the way to the target.
func (p *pinger) routeMTU(ns Namespace) (mtu int) {
	family, level, opt := unix.AF_INET, unix.IPPROTO_IP, unix.IP_MTU
	var to unix.Sockaddr = &unix.SockaddrInet4{Addr: [4]byte{}, Port: 9}
	if p.v6 {
		family, level, opt = unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_MTU
		zone, err := zoneIndex(ns, p.req.Target.Zone())
		if err != nil {
			return 0
		}
		to = &unix.SockaddrInet6{Addr: p.req.Target.As16(), Port: 9, ZoneId: zone}
	} else {
		to = &unix.SockaddrInet4{Addr: p.req.Target.As4(), Port: 9}
	}
	_ = ns.Do(func() error { // without an answer the MTU stays unknown
		fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(fd) }()
		if p.req.Dev != "" {
			if err := unix.BindToDevice(fd, p.req.Dev); err != nil {
				return err
			}
		}
		if err := unix.Connect(fd, to); err != nil {
			return err
		}
		mtu, err = unix.GetsockoptInt(fd, level, opt)
		return err
	})
	return mtu
}

func (p *pinger) giveUp(i int, word string, from netip.Addr, mtu int) {
	p.ended[i] = true
	p.res.Error, p.res.ErrorFrom, p.res.MTU = word, from, mtu
}

// read takes what comes until the time given, and returns after the first
// message that is ours.
func (p *pinger) read(ctx context.Context, ns Namespace, to unix.Sockaddr, until time.Time) error {
	if err := p.file.SetReadDeadline(until); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var n, oobn int
	var from unix.Sockaddr
	var rerr error
	oob := make([]byte, 256)
	err = raw.Read(func(fd uintptr) bool {
		n, oobn, _, from, rerr = unix.Recvmsg(int(fd), p.buffer, oob, 0)
		return !errors.Is(rerr, unix.EAGAIN)
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	if rerr != nil {
		return nil // an error that the socket remembered; its message comes too
	}
	p.take(ns, to, p.buffer[:n], from, stamp(oob[:oobn]))
	return nil
}

// stamp is the kernel's time of a packet, or now.
func stamp(oob []byte) time.Time {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return time.Now()
	}
	for _, m := range msgs {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
			sec := int64(binary.NativeEndian.Uint64(m.Data))
			nsec := int64(binary.NativeEndian.Uint64(m.Data[8:]))
			return time.Unix(sec, nsec)
		}
	}
	return time.Now()
}

// take handles one message.
func (p *pinger) take(ns Namespace, to unix.Sockaddr, b []byte, from unix.Sockaddr, at time.Time) {
	var m message
	var ok bool
	if p.v6 {
		m, ok = parse6(b, p.id, p.req.Target)
	} else {
		m, ok = parse4(b, p.id, p.req.Target)
	}
	i := int(m.seq)
	if !ok || i >= len(p.ended) || p.ended[i] || p.sent[i].IsZero() {
		return
	}
	if m.reply {
		if !bytes.Equal(m.data, p.payload) {
			return
		}
		p.ended[i] = true
		p.res.Received++
		rtt := max(at.Sub(p.sent[i].Round(0)), time.Nanosecond)
		p.total += rtt
		p.res.Max = max(p.res.Max, rtt)
		if p.res.Min == 0 || rtt < p.res.Min {
			p.res.Min = rtt
		}
		return
	}
	if m.err == "" {
		return
	}
	if m.err == FragNeeded && p.v6 && !p.req.DF && !p.again[i] {
		// No IPv6 router fragments: the sender does, once it knows the MTU of
		// the path, which the kernel has learnt from this very message.
		p.again[i] = true
		if p.send(ns, to, i) == nil {
			return
		}
	}
	p.giveUp(i, m.err, addrOf(from), m.mtu)
}

func addrOf(sa unix.Sockaddr) netip.Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(sa.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(sa.Addr)
	}
	return netip.Addr{}
}

func (p *pinger) result() PingResult {
	if p.res.Received > 0 {
		p.res.Avg = p.total / time.Duration(p.res.Received)
	}
	if p.res.Received == p.res.Sent && p.res.Sent > 0 {
		p.res.Error, p.res.ErrorFrom, p.res.MTU = "", netip.Addr{}, 0
	}
	return p.res
}
