package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

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
