package probe

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// queueErrors makes the kernel keep errors in the queue and report them at once,
// or not.
func queueErrors(fd, family int, on bool) error {
	v := 0
	if on {
		v = 1
	}
	if family == unix.AF_INET6 {
		return unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_RECVERR, v)
	}
	return unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_RECVERR, v)
}

// nextError takes the oldest entry from the queue.
func nextError(fd int) (queuedError, bool) {
	oob := make([]byte, 512)
	_, n, _, _, err := unix.Recvmsg(fd, nil, oob, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
	if err != nil {
		return queuedError{}, false
	}
	msgs, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil {
		return queuedError{}, false
	}
	for _, m := range msgs {
		v4 := m.Header.Level == unix.SOL_IP && m.Header.Type == unix.IP_RECVERR
		v6 := m.Header.Level == unix.SOL_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if v4 || v6 {
			return parseError(fd, m.Data)
		}
	}
	return queuedError{}, false
}

// offender returns who sent the ICMP message that became errno, if anyone did,
// and the MTU that it named. It empties the queue.
func offender(fd int, errno unix.Errno) (from netip.Addr, mtu int) {
	for {
		e, ok := nextError(fd)
		if !ok {
			return from, mtu
		}
		if e.errno != errno {
			continue
		}
		if e.origin == unix.SO_EE_ORIGIN_ICMP || e.origin == unix.SO_EE_ORIGIN_ICMP6 {
			from = e.from
		}
		if errno == unix.EMSGSIZE {
			mtu = int(e.info)
		}
	}
}

// parseError reads a struct sock_extended_err and the address behind it.
func parseError(fd int, b []byte) (queuedError, bool) {
	const head = 16
	if len(b) < head {
		return queuedError{}, false
	}
	e := queuedError{
		errno:  unix.Errno(binary.NativeEndian.Uint32(b)),
		origin: b[4],
		info:   binary.NativeEndian.Uint32(b[8:]),
	}
	sa := b[head:]
	if len(sa) < 2 {
		return e, true
	}
	switch fam := binary.NativeEndian.Uint16(sa); {
	case fam == unix.AF_INET && len(sa) >= unix.SizeofSockaddrInet4:
		e.from = netip.AddrFrom4([4]byte(sa[4:8]))
	case fam == unix.AF_INET6 && len(sa) >= unix.SizeofSockaddrInet6:
		zone := binary.NativeEndian.Uint32(sa[24:])
		e.from = withZone(fd, netip.AddrFrom16([16]byte(sa[8:24])).Unmap(), zone)
	}
	return e, true
}
