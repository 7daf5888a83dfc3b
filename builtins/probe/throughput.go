package probe

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
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
