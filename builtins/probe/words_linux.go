package probe

import (
	"errors"

	"golang.org/x/sys/unix"
)

// connectWord names why a connection failed, or returns "" for an error that is
// none of the network's. Most of these errnos are ICMP messages in the
// kernel's translation (icmp_err_convert in net/ipv4/icmp.c, icmpv6_err_convert
// in net/ipv6/icmp.c).
func connectWord(err error) string {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return ""
	}
	switch errno {
	case unix.ECONNREFUSED:
		return Refused
	case unix.ECONNRESET, unix.EPIPE, unix.ECONNABORTED:
		return Reset
	case unix.ETIMEDOUT, unix.ENOBUFS:
		return Timeout
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EHOSTDOWN, unix.ENONET, unix.ENETDOWN,
		unix.EACCES, unix.EPERM, unix.EADDRNOTAVAIL, unix.ENODEV, unix.ENXIO,
		unix.ENOPROTOOPT, unix.EOPNOTSUPP, unix.EPROTO, unix.EMSGSIZE,
		unix.EINVAL: // a blackhole route
		return Unreachable
	}
	return ""
}
