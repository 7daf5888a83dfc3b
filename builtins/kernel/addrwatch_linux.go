package kernel

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// addrWatch is a socket that hears of changes of addresses (rtnetlink(7)).
type addrWatch struct{ fd int }

// AddrsChanged reports whether addresses of the namespace have come or gone, or were
// changed, since it was last asked; the first time, and where that cannot be told, it
// says so. To ask for the addresses takes longer, and waits for who changes any network
// of the machine.
func (n *NetNS) AddrsChanged() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return true
	}
	if n.watch != nil {
		return n.watch.changed()
	}
	_ = n.Do(func() (err error) { // without one, all is taken for changed
		n.watch, err = watchAddrs()
		return err
	})
	return true
}

// watchAddrs watches the addresses of the thread's namespace.
func watchAddrs() (*addrWatch, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	groups := uint32(1<<(unix.RTNLGRP_IPV4_IFADDR-1) | 1<<(unix.RTNLGRP_IPV6_IFADDR-1))
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		return nil, errors.Join(os.NewSyscallError("bind", err), unix.Close(fd))
	}
	return &addrWatch{fd}, nil
}

// changed reads all that was heard.
func (w *addrWatch) changed() bool {
	var some [1]byte
	for changed := false; ; changed = true {
		_, _, err := unix.Recvfrom(w.fd, some[:], unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return changed
		case err != nil && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.ENOBUFS):
			return true
		}
		// ENOBUFS: there was more than the socket holds.
	}
}

func (w *addrWatch) close() { _ = unix.Close(w.fd) }
