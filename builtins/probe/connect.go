package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The words for a connection that was not made.
const (
	Refused     = "refused"
	Unreachable = "unreachable"
	Reset       = "reset"
)

// ConnectRequest says whereto to connect.
type ConnectRequest struct {
	Target  netip.AddrPort // with a zone if link-local
	Proto   string         // tcp or udp
	Send    []byte
	HasSend bool // Send is to be sent, be it empty
	Timeout time.Duration
}

// ConnectResult says what became of it.
type ConnectResult struct {
	OK            bool
	Error         string        // refused, timeout, unreachable, reset
	ErrorFrom     netip.Addr    // who said so, where that is known
	RTT           time.Duration // of the handshake; with UDP, until the reply
	Reply         []byte        // at most MaxReply bytes
	Local, Remote netip.AddrPort
}

// MaxReply is how much of a reply is kept, in bytes.
const MaxReply = 1 << 20

const (
	// silence ends a reply whose end the server does not mark.
	silence = 100 * time.Millisecond
	// banner is how long a server may take to greet who sends nothing.
	banner = 20 * time.Millisecond
)

// Connect opens a connection from inside a namespace. TCP: the handshake is the
// answer; what is to be sent is sent and the sending side closed, then the reply
// is read. UDP: a datagram is sent, an empty one if there is nothing to send,
// and the reply is the answer.
func Connect(ctx context.Context, ns Namespace, req ConnectRequest) (ConnectResult, error) {
	ctx, cancel := context.WithTimeout(ctx, req.Timeout)
	defer cancel()
	var conn net.Conn
	zone, err := zoneIndex(ns, req.Target.Addr().Zone())
	if err != nil {
		return ConnectResult{}, err
	}
	begun := time.Now()
	err = ns.Do(func() error {
		c, err := open(req, zone)
		conn = c
		return err
	})
	res := ConnectResult{Remote: req.Target}
	if err == nil {
		defer func() { _ = conn.Close() }()
		stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
		defer stop()
		err = established(conn)
		res.RTT = time.Since(begun)
	}
	if err == nil {
		res.Local, res.Remote = addrPort(conn.LocalAddr()), addrPort(conn.RemoteAddr())
		if req.Proto == "udp" {
			err = askUDP(conn, req, &res, begun)
		} else {
			res.OK = true
			err = talk(ctx, conn, req, &res)
		}
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.DeadlineExceeded) {
		return res, cause
	}
	if err != nil {
		res.OK = false
		if res.Error = connectWord(err); res.Error == "" {
			return res, err
		}
	}
	return res, nil
}

func addrPort(a net.Addr) netip.AddrPort {
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// open makes the socket and begins to connect; it runs inside the namespace.
func open(req ConnectRequest, zone uint32) (net.Conn, error) {
	family, level, recverr := unix.AF_INET, unix.IPPROTO_IP, unix.IP_RECVERR
	ip := req.Target.Addr()
	var to unix.Sockaddr = &unix.SockaddrInet4{Port: int(req.Target.Port())}
	if ip.Is6() {
		family, level, recverr = unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_RECVERR
		to = &unix.SockaddrInet6{Addr: ip.As16(), Port: int(req.Target.Port()), ZoneId: zone}
	} else {
		to = &unix.SockaddrInet4{Addr: ip.As4(), Port: int(req.Target.Port())}
	}
	kind := unix.SOCK_STREAM
	if req.Proto == "udp" {
		kind = unix.SOCK_DGRAM
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	// Without this, TCP hides what routers answer until it has given up (ip(7)).
	if err := unix.SetsockoptInt(fd, level, recverr, 1); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	if err := unix.Connect(fd, to); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		_ = unix.Close(fd)
		return nil, err
	}
	return &socket{File: os.NewFile(uintptr(fd), req.Proto), fd: fd}, nil
}

// socket is a connection whose handshake the Go network package did not make.
type socket struct {
	*os.File
	fd int
}

func (s *socket) LocalAddr() net.Addr {
	sa, err := unix.Getsockname(s.fd)
	return sockAddr(sa, err)
}

func (s *socket) RemoteAddr() net.Addr {
	sa, err := unix.Getpeername(s.fd)
	return sockAddr(sa, err)
}

func sockAddr(sa unix.Sockaddr, err error) net.Addr {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	}
	_ = err // an address that is not known is the empty one
	return &net.TCPAddr{}
}

// established waits until the socket is connected, or returns why it is not.
func established(c net.Conn) error {
	s := c.(*socket)
	raw, err := s.SyscallConn()
	if err != nil {
		return err
	}
	var serr error
	first := true
	err = raw.Write(func(fd uintptr) bool {
		if _, perr := unix.Getpeername(int(fd)); perr == nil {
			return true
		}
		code, gerr := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		if gerr != nil {
			serr = gerr
			return true
		}
		if code != 0 {
			serr = unix.Errno(code)
			return true
		}
		if first {
			first = false
			return false
		}
		return false
	})
	if serr != nil {
		return serr
	}
	return err
}

// talk sends and reads on a TCP connection.
func talk(ctx context.Context, c net.Conn, req ConnectRequest, res *ConnectResult) error {
	wait := banner
	if req.HasSend {
		wait = req.Timeout
		if _, err := c.Write(req.Send); err != nil {
			return err
		}
	}
	if err := unix.Shutdown(c.(*socket).fd, unix.SHUT_WR); err != nil && !errors.Is(err, unix.ENOTCONN) {
		return err
	}
	buf := make([]byte, 64<<10)
	until := time.Now().Add(wait)
	if d, ok := ctx.Deadline(); ok && d.Before(until) {
		until = d
	}
	for len(res.Reply) < MaxReply {
		if err := c.SetReadDeadline(until); err != nil {
			return err
		}
		n, err := c.Read(buf)
		res.Reply = append(res.Reply, buf[:n]...)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case errors.Is(err, unix.ECONNRESET) && !req.HasSend:
			return nil // it was open; that nothing was said is no fault of it
		case err != nil:
			return err
		}
		if u := time.Now().Add(silence); u.Before(until) || !req.HasSend {
			until = u
		}
	}
	return nil
}

// askUDP sends a datagram and waits for the reply.
func askUDP(c net.Conn, req ConnectRequest, res *ConnectResult, begun time.Time) error {
	if _, err := unix.SendmsgN(c.(*socket).fd, req.Send, nil, nil, 0); err != nil {
		return err
	}
	buf := make([]byte, 64<<10)
	raw, err := c.(*socket).SyscallConn()
	if err != nil {
		return err
	}
	// A plain Read would take an empty datagram for the end of a file.
	var n int
	var rerr error
	err = raw.Read(func(fd uintptr) bool {
		n, _, rerr = unix.Recvfrom(int(fd), buf, 0)
		return !errors.Is(rerr, unix.EAGAIN)
	})
	if err == nil {
		err = rerr
	}
	if err != nil {
		return err
	}
	res.OK, res.RTT, res.Reply = true, time.Since(begun), buf[:n]
	return nil
}

// connectWord is the word for an error, or "".
func connectWord(err error) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, unix.ETIMEDOUT):
		return Timeout
	case errors.Is(err, unix.ECONNREFUSED):
		return Refused
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		return Reset
	}
	for _, e := range []unix.Errno{unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EACCES, unix.EPERM, unix.EHOSTDOWN,
		unix.EADDRNOTAVAIL, unix.ENOPROTOOPT, unix.EPROTO, unix.ENETDOWN, unix.EINVAL, unix.EMSGSIZE, unix.ENONET} {
		if errors.Is(err, e) {
			return Unreachable
		}
	}
	return ""
}
