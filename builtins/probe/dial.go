//go:build linux

package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// dialTCP opens a TCP connection from a namespace, for those who speak a protocol
// over it. The error is the kernel's, or that of the context or the deadline:
// [dialWord] names it.
func dialTCP(ctx context.Context, ns Namespace, to netip.AddrPort, deadline time.Time) (net.Conn, error) {
	fd, err := openFD(ns, family(to.Addr()), unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	sa, err := Sockaddr(fd, to.Addr(), to.Port())
	if err == nil {
		err = queueErrors(fd, family(to.Addr()), true)
	}
	if err == nil {
		if err = unix.Connect(fd, sa); errors.Is(err, unix.EINPROGRESS) {
			err = nil
		}
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	sock, err := newSocket(ctx, fd)
	if err != nil {
		return nil, err
	}
	defer sock.close() // the connection has a descriptor of its own
	c := &call{sock: sock, begun: time.Now(), deadline: deadline}
	if err := c.handshake(ctx); err != nil {
		return nil, err
	}
	return net.FileConn(sock.file)
}

// dialWord names why a connection could not be opened or broke, "" for an error that
// is none of the network's.
func dialWord(err error) string {
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() {
		return Timeout
	}
	return connectWord(err)
}
