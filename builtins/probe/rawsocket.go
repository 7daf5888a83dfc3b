package probe

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// rawSocket is a raw ICMP or ICMPv6 socket (raw(7)) set up for one Ping.
type rawSocket struct {
	*socket
	family int
	to     unix.Sockaddr
	buf    []byte
	oob    []byte
}

// received is a message that came in: what, from whom, and when the kernel had it.
type received struct {
	data []byte
	from netip.Addr
	at   time.Time
}

// send sends one packet and returns the kernel's reason if it did not.
func (s *rawSocket) send(b []byte) (err error) {
	if cerr := s.control(func(fd int) { err = unix.Sendto(fd, b, 0, s.to) }); cerr != nil {
		return cerr
	}
	return err
}

// allowBroadcast lets the socket send to broadcast addresses.
func (s *rawSocket) allowBroadcast() (err error) {
	if cerr := s.control(func(fd int) {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1)
	}); cerr != nil {
		return cerr
	}
	return err
}
