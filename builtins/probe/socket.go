package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// openFD makes a non-blocking socket in a namespace.
func openFD(ns Namespace, family, kind, proto int) (fd int, err error) {
	fd = -1
	err = ns.Do(func() (err error) {
		fd, err = unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, proto)
		return err
	})
	if errors.Is(err, unix.EAFNOSUPPORT) && family == unix.AF_INET6 {
		err = fmt.Errorf("this kernel runs without IPv6: %w", err)
	}
	return fd, err
}

// bufferSize is what a socket for many datagrams may hold of unread and of
// unsent ones, in bytes of kernel memory.
const bufferSize = 4 << 20

func enlargeBuffers(fd int) error {
	for _, o := range []struct{ force, plain int }{
		{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF},
		{unix.SO_SNDBUFFORCE, unix.SO_SNDBUF},
	} {
		// To go over the limit of net.core.*mem_max takes CAP_NET_ADMIN on
		// the machine itself, which a user namespace does not give.
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, o.force, bufferSize) != nil {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, o.plain, bufferSize); err != nil {
				return err
			}
		}
	}
	return nil
}

// family returns the socket family of an address.
func family(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// socket is a non-blocking socket whose waiting a context can interrupt.
type socket struct {
	file *os.File
	conn syscall.RawConn
	stop func() bool
}

// newSocket takes over fd and hands it to Go's poller. When ctx ends, whoever
// waits on the socket is woken.
func newSocket(ctx context.Context, fd int) (*socket, error) {
	f := os.NewFile(uintptr(fd), "socket")
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s := &socket{file: f, conn: conn}
	s.stop = context.AfterFunc(ctx, func() { _ = f.SetDeadline(time.Unix(1, 0)) })
	return s, nil
}

func (s *socket) close() {
	s.stop()
	_ = s.file.Close()
}

// control runs fn on the descriptor without waiting for anything.
func (s *socket) control(fn func(fd int)) error {
	return s.conn.Control(func(fd uintptr) { fn(int(fd)) })
}

// awaitRead calls try, again and again as the socket becomes readable, until
// try returns true. It returns ctx's error, or os.ErrDeadlineExceeded.
func (s *socket) awaitRead(ctx context.Context, until time.Time, try func(fd int) bool) error {
	return await(ctx, s.file.SetReadDeadline, until, s.conn.Read, try)
}

// awaitWrite is awaitRead for a socket that shall become writable.
func (s *socket) awaitWrite(ctx context.Context, until time.Time, try func(fd int) bool) error {
	return await(ctx, s.file.SetWriteDeadline, until, s.conn.Write, try)
}

func await(ctx context.Context, set func(time.Time) error, until time.Time,
	wait func(func(uintptr) bool) error, try func(int) bool) error {
	if err := set(until); err != nil {
		return err
	}
	// The deadline that the end of ctx sets may have come before ours, which
	// then has replaced it; so ctx is looked at after, not before.
	if err := ctx.Err(); err != nil {
		return err
	}
	err := wait(func(fd uintptr) bool { return try(int(fd)) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// again reports whether a system call shall be repeated when the socket is ready.
func again(err error) bool { return errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) }

// Sockaddr is a in the form of the system calls. A zone is looked up in the
// namespace of the socket fd.
func Sockaddr(fd int, a netip.Addr, port uint16) (unix.Sockaddr, error) {
	if a.Is4() {
		return &unix.SockaddrInet4{Port: int(port), Addr: a.As4()}, nil
	}
	sa := &unix.SockaddrInet6{Port: int(port), Addr: a.As16()}
	if a.Zone() != "" {
		index, err := deviceIndex(fd, a.Zone())
		if err != nil {
			return nil, err
		}
		sa.ZoneId = uint32(index)
	}
	return sa, nil
}

// fromSockaddr is the way back: IPv4 addresses come out as such, link-local
// ones with the name of their interface.
func fromSockaddr(fd int, sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(withZone(fd, netip.AddrFrom16(sa.Addr).Unmap(), sa.ZoneId), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// withZone adds the interface of a link-local address.
func withZone(fd int, a netip.Addr, index uint32) netip.Addr {
	if index == 0 || !a.Is6() || !(a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast()) {
		return a
	}
	return a.WithZone(deviceName(fd, index))
}

// deviceIndex finds an interface in the namespace of a socket (netdevice(7)).
// A number stands for itself, as in fe80::1%2.
func deviceIndex(fd int, name string) (int, error) {
	if ifr, err := unix.NewIfreq(name); err == nil {
		if unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr) == nil {
			return int(int32(ifr.Uint32())), nil
		}
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil && n > 0 {
		return int(n), nil
	}
	return 0, fmt.Errorf("no interface %q: %w", name, unix.ENODEV)
}

// deviceName is the reverse of deviceIndex; an interface that is gone keeps its
// number.
func deviceName(fd int, index uint32) string {
	// Linux names no interface so; NewIfreq wants a name that is not too long.
	ifr, err := unix.NewIfreq("?")
	if err == nil {
		ifr.SetUint32(index)
		if err = unix.IoctlIfreq(fd, unix.SIOCGIFNAME, ifr); err == nil {
			return ifr.Name()
		}
	}
	return strconv.FormatUint(uint64(index), 10)
}

// CheckTarget refuses targets to which no packet can be addressed.
func CheckTarget(a netip.Addr, dev string) error {
	switch {
	case !a.IsValid():
		return errors.New("the target is no address")
	case a.Is6() && (a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast()) && a.Zone() == "" && dev == "":
		return fmt.Errorf("%s is link-local: its interface must be named, as in %s%%eth0", a, a)
	}
	return nil
}

// AttachFilter has a socket receive what a program of classic BPF accepts (socket(7),
// SO_ATTACH_FILTER), in place of what an earlier one did. The program is not empty.
func AttachFilter(fd int, program []bpf.RawInstruction) error {
	code := make([]unix.SockFilter, len(program))
	for i, r := range program {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
}

// NetworkOrder is a number of 16 bits in the order of the network, as packet(7) wants
// protocols; twice is the number again.
func NetworkOrder(n uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], n)
	return binary.NativeEndian.Uint16(b[:])
}
