package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// bufferSize is what a socket for many datagrams may hold of unread and of
// unsent ones, in bytes of kernel memory.
const bufferSize = 4 << 20

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

// NetworkOrder is a number of 16 bits in the order of the network, as packet(7) wants
// protocols; twice is the number again.
func NetworkOrder(n uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], n)
	return binary.NativeEndian.Uint16(b[:])
}
