package probe

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"

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

// withZone adds the interface of a link-local address.
func withZone(fd int, a netip.Addr, index uint32) netip.Addr {
	if index == 0 || !a.Is6() || !(a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast()) {
		return a
	}
	return a.WithZone(deviceName(fd, index))
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
