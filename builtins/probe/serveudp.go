package probe

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// udpServer answers datagrams from the address that each was sent to.
//
// The kernel tells that address with each datagram (IPV6_PKTINFO, RFC 3542
// §6.2; on a socket for both IP versions also for IPv4, as ::ffff:a.b.c.d) and
// takes it back with the answer. IP_PKTINFO is the same where there is no IPv6.
type udpServer struct {
	file *os.File
	conn syscall.RawConn
}

// send sends an answer; that the network does not take it is the network's
// affair.
func (u *udpServer) send(b, source []byte, to unix.Sockaddr) error {
	return u.conn.Write(func(fd uintptr) bool {
		_, err := unix.SendmsgN(int(fd), b, source, to, 0)
		if errors.Is(err, unix.EINVAL) && source != nil {
			// A broadcast or multicast address is no source.
			_, err = unix.SendmsgN(int(fd), b, nil, to, 0)
		}
		return !again(err)
	})
}
