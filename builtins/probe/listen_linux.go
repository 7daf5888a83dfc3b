package probe

import (
	"errors"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

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

// bindAny returns a socket bound to a port of [::], which takes IPv4 too, or of
// 0.0.0.0 where there is no IPv6.
func bindAny(kind, port int) (fd int, err error) {
	fd, err = bindTo(kind, &unix.SockaddrInet6{Port: port})
	if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL) {
		fd, err = bindTo(kind, &unix.SockaddrInet4{Port: port})
	}
	return fd, err
}

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
