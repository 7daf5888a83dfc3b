package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// ThroughputRequest says between whom as much as possible is sent.
type ThroughputRequest struct {
	To       Namespace  // who receives
	Target   netip.Addr // an address of that namespace
	Duration time.Duration
	Streams  int // TCP connections side by side, at least 1
}

// ThroughputResult says how much came.
type ThroughputResult struct {
	Bytes       int64 // received
	Elapsed     time.Duration
	Retransmits int    // segments that were sent again (TCP_INFO, tcp(7))
	Error       string // "" if all connections could be opened, else as in ConnectResult
}

// throughputConnect is how long a connection may take to be opened.
const throughputConnect = 2 * time.Second

// chunk is what one write hands to the kernel.
const chunk = 256 << 10

// Throughput sends over TCP from one namespace to another for a time.
func Throughput(ctx context.Context, from Namespace, req ThroughputRequest) (ThroughputResult, error) {
	if req.Streams < 1 {
		return ThroughputResult{}, fmt.Errorf("%d streams: at least 1 is needed", req.Streams)
	}
	ln, err := listenAt(req.To, req.Target)
	if err != nil {
		return ThroughputResult{}, err
	}
	defer func() { _ = ln.Close() }()
	var received atomic.Int64
	var sinks sync.WaitGroup
	sinks.Go(func() { sink(ln, &received, &sinks) })
	conns, err := dialAll(ctx, from, ln.Addr().(*net.TCPAddr).AddrPort(), req.Streams)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
		_ = ln.Close()
		sinks.Wait()
	}()
	if word := dialWord(err); ctx.Err() == nil && word != "" {
		return ThroughputResult{Error: word}, nil
	}
	if err != nil {
		return ThroughputResult{}, errors.Join(ctx.Err(), err)
	}
	begun := time.Now()
	pump(ctx, conns, begun.Add(req.Duration))
	res := ThroughputResult{Bytes: received.Load(), Elapsed: time.Since(begun)}
	for _, c := range conns {
		res.Retransmits += retransmits(c)
	}
	return res, ctx.Err()
}

// listenAt listens on an address of a namespace, on a port that the kernel chooses.
func listenAt(ns Namespace, addr netip.Addr) (net.Listener, error) {
	fd, err := openFD(ns, family(addr), unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "listener")
	defer f.Close() // the listener has a descriptor of its own
	sa, err := Sockaddr(fd, addr, 0)
	if err == nil {
		err = unix.Bind(fd, sa)
	}
	if err == nil {
		err = unix.Listen(fd, 128)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", addr, err)
	}
	return net.FileListener(f)
}

// sink reads all that comes over all connections, until the listener is closed.
func sink(ln net.Listener, received *atomic.Int64, sinks *sync.WaitGroup) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		sinks.Go(func() {
			defer func() { _ = c.Close() }()
			buf := make([]byte, chunk)
			for {
				n, err := c.Read(buf)
				received.Add(int64(n))
				if err != nil {
					return
				}
			}
		})
	}
}

func dialAll(ctx context.Context, from Namespace, to netip.AddrPort, n int) ([]net.Conn, error) {
	var conns []net.Conn
	for range n {
		c, err := dialTCP(ctx, from, to, time.Now().Add(throughputConnect))
		if err != nil {
			return conns, err
		}
		conns = append(conns, c)
	}
	return conns, nil
}

// pump writes to all connections until a moment, or until the context ends.
func pump(ctx context.Context, conns []net.Conn, until time.Time) {
	var all sync.WaitGroup
	for _, c := range conns {
		_ = c.SetWriteDeadline(until)
		stop := context.AfterFunc(ctx, func() { _ = c.SetWriteDeadline(time.Unix(1, 0)) })
		all.Go(func() {
			defer stop()
			_, _ = io.CopyBuffer(onlyWriter{c}, zeros{}, make([]byte, chunk)) // the deadline ends it
		})
	}
	all.Wait()
}

// onlyWriter hides all but Write, so that what is copied goes through it.
type onlyWriter struct{ io.Writer }

// zeros reads as zero bytes without end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func retransmits(c net.Conn) int {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return 0
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0
	}
	n := 0
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			n = int(info.Total_retrans)
		}
	})
	return n
}
