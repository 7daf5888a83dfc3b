package probe

import (
	"encoding/binary"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func setUpUDP(fd int) error {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return err
	}
	if err := enlargeBuffers(fd); err != nil {
		return err
	}
	// The answer to a large datagram may be fragmented on its way.
	if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT); err != nil {
		return err
	}
	if _, ok := sa.(*unix.SockaddrInet4); ok {
		return unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_PKTINFO, 1)
	}
	return unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_RECVPKTINFO, 1)
}

// answerFrom turns what came with a datagram into what shall go with its answer:
// the same address; and the same interface only if the address is link-local,
// where it is part of the address. Elsewhere the routing table decides.
func answerFrom(oob []byte) []byte {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for _, m := range msgs {
		switch {
		case m.Header.Level == unix.SOL_IPV6 && m.Header.Type == unix.IPV6_PKTINFO && len(m.Data) >= unix.SizeofInet6Pktinfo:
			info := unix.Inet6Pktinfo{Addr: [16]byte(m.Data[:16])}
			if linkLocal6 := info.Addr[0] == 0xfe && info.Addr[1]&0xc0 == 0x80; linkLocal6 {
				info.Ifindex = binary.NativeEndian.Uint32(m.Data[16:])
			}
			return unix.PktInfo6(&info)
		case m.Header.Level == unix.SOL_IP && m.Header.Type == unix.IP_PKTINFO && len(m.Data) >= unix.SizeofInet4Pktinfo:
			// The second address is the local one, also for a broadcast (ip(7)).
			return unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: [4]byte(m.Data[4:8])})
		}
	}
	return nil
}

// newUDPServer takes over a bound socket.
func newUDPServer(fd int) (*udpServer, error) {
	if err := setUpUDP(fd); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	f := os.NewFile(uintptr(fd), "udp")
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &udpServer{f, conn}, nil
}

// serve answers one datagram after the other.
func (u *udpServer) serve(opts *ServeOptions) error {
	buf, oob := make([]byte, 64<<10), make([]byte, 256)
	for {
		var n, oobn int
		var from unix.Sockaddr
		var err error
		if rerr := u.conn.Read(func(fd uintptr) bool {
			n, oobn, _, from, err = unix.Recvmsg(int(fd), buf, oob, 0)
			return !again(err)
		}); rerr != nil {
			return rerr
		}
		if err != nil {
			return err
		}
		reply := buf[:n]
		if opts.HasReply {
			reply = opts.Reply
		}
		if err := u.send(reply, answerFrom(oob[:oobn]), from); err != nil {
			return err
		}
	}
}

func listenUDP(port int) (*udpServer, error) {
	if port < 1 || port > 65535 {
		return nil, &PortError{"udp", port, nil}
	}
	fd, err := bindAny(unix.SOCK_DGRAM, port)
	if err != nil {
		return nil, &PortError{"udp", port, err}
	}
	u, err := newUDPServer(fd)
	if err != nil {
		return nil, &PortError{"udp", port, err}
	}
	return u, nil
}
