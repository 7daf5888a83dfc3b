package probe

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// PortError says why a server cannot have a port.
type PortError struct {
	Proto string // tcp or udp
	Port  int
	Err   error // the errno, or nil if there is no such port
}

// Error says it for a person.
func (e *PortError) Error() string {
	switch {
	case e.Err == nil:
		return fmt.Sprintf("there is no %s port %d: 1 to 65535 are possible", e.Proto, e.Port)
	case errors.Is(e.Err, unix.EADDRINUSE):
		return fmt.Sprintf("%s port %d is taken: another socket has it", e.Proto, e.Port)
	case errors.Is(e.Err, unix.EACCES), errors.Is(e.Err, unix.EPERM):
		return fmt.Sprintf("no right to use %s port %d (CAP_NET_BIND_SERVICE): %v", e.Proto, e.Port, e.Err)
	}
	return fmt.Sprintf("%s port %d: %v", e.Proto, e.Port, e.Err)
}

// Unwrap returns the errno, if there is one.
func (e *PortError) Unwrap() error { return e.Err }

// ListenUDP binds a port on all addresses of both IP versions, for those who serve a
// protocol of their own. The error is a [*PortError].
func ListenUDP(port int) (*net.UDPConn, error) {
	if port < 1 || port > 65535 {
		return nil, &PortError{"udp", port, nil}
	}
	fd, err := bindAny(unix.SOCK_DGRAM, port)
	if err != nil {
		return nil, &PortError{"udp", port, err}
	}
	f := os.NewFile(uintptr(fd), "socket")
	defer func() { _ = f.Close() }() // the connection has a descriptor of its own
	c, err := net.FilePacketConn(f)
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

// ListenTCP listens on all addresses of both IP versions. The error is a [*PortError].
func ListenTCP(port int) (net.Listener, error) {
	if port < 1 || port > 65535 {
		return nil, &PortError{"tcp", port, nil}
	}
	fd, err := bindAny(unix.SOCK_STREAM, port)
	if err != nil {
		return nil, &PortError{"tcp", port, err}
	}
	f := os.NewFile(uintptr(fd), "listener")
	defer func() { _ = f.Close() }() // the listener has a descriptor of its own
	// The kernel cuts the queue to net.core.somaxconn.
	if err := unix.Listen(fd, 1<<16-1); err != nil {
		return nil, &PortError{"tcp", port, err}
	}
	return net.FileListener(f)
}

// bindAny returns a socket bound to a port of [::], which takes IPv4 too, or of
// 0.0.0.0 where there is no IPv6.
func bindAny(kind, port int) (fd int, err error) {
	fd, err = bindTo(kind, &unix.SockaddrInet6{Port: port})
	if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL) {
		fd, err = bindTo(kind, &unix.SockaddrInet4{Port: port})
	}
	return fd, err
}

func bindTo(kind int, sa unix.Sockaddr) (int, error) {
	fam := unix.AF_INET
	if _, ok := sa.(*unix.SockaddrInet6); ok {
		fam = unix.AF_INET6
	}
	fd, err := unix.Socket(fam, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	set := func(level, option, value int) {
		if err == nil {
			err = unix.SetsockoptInt(fd, level, option, value)
		}
	}
	if fam == unix.AF_INET6 {
		set(unix.SOL_IPV6, unix.IPV6_V6ONLY, 0)
	}
	if kind == unix.SOCK_STREAM {
		// Connections of an earlier server in TIME-WAIT do not matter. With UDP
		// the option would let two servers share a port (socket(7)).
		set(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil {
		err = unix.Bind(fd, sa)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
