package dhcp

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"nsscript/builtins/probe"
)

// openWire opens a packet socket on an interface of a namespace.
func openWire(ctx context.Context, ns probe.Namespace, index int) (*wire, error) {
	fd := -1
	err := ns.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	program, err := bpf.Assemble(toClients)
	if err == nil {
		err = probe.AttachFilter(fd, program)
	}
	if err == nil {
		// Only from here on packets come in, and only the right ones.
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: probe.NetworkOrder(unix.ETH_P_IP), Ifindex: index})
	}
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	w := &wire{file: os.NewFile(uintptr(fd), "packets"), index: index}
	if w.conn, err = w.file.SyscallConn(); err != nil {
		return nil, errors.Join(err, w.file.Close())
	}
	w.stop = context.AfterFunc(ctx, func() { _ = w.file.SetDeadline(time.Unix(1, 0)) })
	return w, nil
}

// sendFrame sends an IP packet over an interface to a link-layer address.
func sendFrame(fd, index int, b []byte, to net.HardwareAddr) error {
	sa := &unix.SockaddrLinklayer{Protocol: probe.NetworkOrder(unix.ETH_P_IP), Ifindex: index, Halen: uint8(len(to))}
	copy(sa.Addr[:], to)
	return unix.Sendto(fd, b, 0, sa)
}

// send sends an IP packet to a link-layer address.
func (w *wire) send(b []byte, to net.HardwareAddr) (err error) {
	cerr := w.conn.Control(func(fd uintptr) { err = sendFrame(int(fd), w.index, b, to) })
	return errors.Join(cerr, err)
}
