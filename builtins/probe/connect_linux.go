package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Connect opens one connection from a namespace.
//
// TCP with HasSend: Send is written and the sending side closed; the reply is
// what comes until the other side closes too, or until 100 ms of silence after
// some bytes. If neither a byte nor the end came when the time is over, the
// result is Timeout, with RTT telling that the handshake worked.
//
// TCP without: the sending side is closed at once, and a greeting is waited for,
// for 20 ms and two round trips at most; whether one comes does not matter.
//
// UDP: Send, or else one newline (which an echo server answers, whereas some take an
// empty datagram for an end), is sent as one datagram; the first datagram
// that comes back is the reply.
//
// The kernel is asked to report ICMP errors at once (IP_RECVERR, ip(7)): a
// router's "unreachable" is not waited out.
func Connect(ctx context.Context, ns Namespace, req ConnectRequest) (ConnectResult, error) {
	addr := req.Target.Addr().Unmap()
	req.Target = netip.AddrPortFrom(addr, req.Target.Port())
	if err := req.check(); err != nil {
		return ConnectResult{}, err
	}
	kind := unix.SOCK_STREAM
	if req.Proto == "udp" {
		kind = unix.SOCK_DGRAM
	}
	fd, err := openFD(ns, family(addr), kind, 0)
	if err != nil {
		return ConnectResult{}, err
	}
	to, err := Sockaddr(fd, addr, req.Target.Port())
	if err == nil {
		err = queueErrors(fd, family(addr), true)
	}
	if err != nil {
		return ConnectResult{}, errors.Join(err, unix.Close(fd))
	}
	c := &call{req: &req, begun: time.Now(), res: ConnectResult{Remote: req.Target}}
	c.deadline = c.begun.Add(req.Timeout)
	// First connect, then the poller: it would take a socket that is not
	// connecting yet for one that is ready.
	if err := unix.Connect(fd, to); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		_ = unix.Close(fd)
		return c.finish(ctx, err)
	}
	if c.sock, err = newSocket(ctx, fd); err != nil {
		return ConnectResult{}, err
	}
	defer c.sock.close()
	if req.Proto == "udp" {
		err = c.udp(ctx)
	} else {
		err = c.tcp(ctx)
	}
	return c.finish(ctx, err)
}

// finish makes the result out of what went wrong, if anything did.
func (c *call) finish(ctx context.Context, err error) (ConnectResult, error) {
	if ctx.Err() != nil {
		return c.res, ctx.Err()
	}
	if err == nil {
		c.res.OK = true
		return c.res, nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.res.Error = Timeout
		return c.res, nil
	}
	c.res.Error = connectWord(err)
	if c.res.Error == "" {
		return c.res, fmt.Errorf("connecting to %v: %w", c.req.Target, err)
	}
	if errno := unix.Errno(0); c.sock != nil && errors.As(err, &errno) {
		return c.res, c.sock.control(func(fd int) { c.res.ErrorFrom, _ = offender(fd, errno) })
	}
	return c.res, nil
}

// names fills in the addresses of both ends.
func (c *call) names() error {
	return c.sock.control(func(fd int) {
		if sa, err := unix.Getsockname(fd); err == nil {
			c.res.Local = fromSockaddr(fd, sa)
		}
	})
}
