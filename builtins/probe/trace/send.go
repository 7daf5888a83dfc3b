//go:build linux

package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"nsscript/builtins/probe"
	"time"

	"golang.org/x/sys/unix"
)

// sender is the socket of the probe.
type sender struct {
	fd     int
	id     *identity
	to     unix.Sockaddr
	req    *Request
	echoID uint16

	phase     phase
	connected bool       // TCP: the handshake is complete
	answered  bool       // an answer has reached the socket
	err       unix.Errno // what the kernel told the socket
}

type phase int

const (
	unsent  phase = iota
	opening       // a handshake that data shall follow
	sent
)

// newSender makes the probe's socket. It must be called inside the namespace that
// sends it.
func newSender(req *Request, id *identity) (*sender, error) {
	s := &sender{fd: -1, id: id, req: req}
	family, level, discover := unix.AF_INET, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER
	if id.v6 {
		family, level, discover = unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER
	}
	kind, proto := unix.SOCK_STREAM, 0
	switch id.proto {
	case unix.IPPROTO_UDP:
		kind = unix.SOCK_DGRAM
	case unix.IPPROTO_ICMP, unix.IPPROTO_ICMPV6:
		kind, proto = unix.SOCK_RAW, int(id.proto)
	}
	var err error
	if s.fd, err = unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, proto); err != nil {
		return nil, fmt.Errorf("the probe's socket: %w", err)
	}
	if err = s.prepare(level, discover); err != nil {
		s.close()
		return nil, fmt.Errorf("the probe's socket: %w", err)
	}
	return s, nil
}

func (s *sender) prepare(level, discover int) error {
	var err error
	if s.to, err = probe.Sockaddr(s.fd, s.req.Target, s.req.Port); err != nil {
		return err
	}
	// PROBE sets DF and yet does not believe a path MTU learned before, so that
	// each probe finds its own end (ip(7)). Of a connection it would clear DF
	// (ip_dont_fragment), which segments have anyway: DO keeps it.
	mode := unix.IP_PMTUDISC_DONT
	switch {
	case s.req.DF && s.id.proto == unix.IPPROTO_TCP:
		mode = unix.IP_PMTUDISC_DO
	case s.req.DF:
		mode = unix.IP_PMTUDISC_PROBE
	}
	if s.id.proto != unix.IPPROTO_TCP || s.req.DF {
		if err := unix.SetsockoptInt(s.fd, level, discover, mode); err != nil {
			return err
		}
	}
	switch s.id.proto {
	case unix.IPPROTO_TCP:
		return s.chooseSequence()
	case unix.IPPROTO_UDP:
		// The port is known before anything is sent: by it answers are known.
		var any unix.Sockaddr = &unix.SockaddrInet4{}
		if s.id.v6 {
			any = &unix.SockaddrInet6{}
		}
		if err := unix.Bind(s.fd, any); err != nil {
			return err
		}
		sa, err := unix.Getsockname(s.fd)
		if err != nil {
			return err
		}
		s.id.sport = portOf(sa)
	default:
		s.echoID = binary.BigEndian.Uint16(s.id.token[2:])
	}
	return unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1)
}

func portOf(sa unix.Sockaddr) uint16 {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return uint16(sa.Port)
	case *unix.SockaddrInet6:
		return uint16(sa.Port)
	}
	return 0
}

// repairSendQueue is TCP_SEND_QUEUE (linux/tcp.h).
const repairSendQueue = 2

// chooseSequence gives the connection the sequence number by which it is known
// (tcp(7), TCP_REPAIR), which takes CAP_NET_ADMIN in the namespace.
func (s *sender) chooseSequence() error {
	for _, o := range []struct{ name, value int }{
		{unix.TCP_REPAIR, 1},
		{unix.TCP_REPAIR_QUEUE, repairSendQueue},
		{unix.TCP_QUEUE_SEQ, int(s.id.seq)},
		{unix.TCP_REPAIR, 0},
		{unix.TCP_NODELAY, 1},
	} {
		if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, o.name, o.value); err != nil {
			return fmt.Errorf("the connection's sequence number: %w", err)
		}
	}
	return unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}

// send sends the probe. What the kernel refuses is kept in err.
func (s *sender) send() {
	var err error
	switch s.id.proto {
	case unix.IPPROTO_TCP:
		s.phase = sent
		if s.id.data > 0 {
			s.phase = opening
		}
		err = unix.Connect(s.fd, s.to)
	case unix.IPPROTO_UDP:
		s.phase = sent
		if err = unix.Connect(s.fd, s.to); err == nil {
			_, err = unix.Write(s.fd, s.payload(s.req.Size))
		}
	default:
		s.phase = sent
		err = unix.Sendto(s.fd, s.echo(), 0, s.to)
	}
	if errors.Is(err, unix.EINPROGRESS) {
		return
	}
	s.fail(err)
}

func (s *sender) fail(err error) {
	var no unix.Errno
	if errors.As(err, &no) && s.err == 0 && no != unix.EAGAIN && no != unix.EINTR {
		s.err = no
	}
}

// payload is the token and a pattern.
func (s *sender) payload(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i)
	}
	copy(b, s.id.token[:])
	return b
}

func (s *sender) echo() []byte {
	b := append(make([]byte, lenICMP), s.payload(s.req.Size)...)
	b[0] = icmpEcho
	if s.id.v6 {
		b[0] = icmp6Echo
	}
	binary.BigEndian.PutUint16(b[4:], s.echoID)
	b[7] = 1 // the first of its kind
	if !s.id.v6 {
		binary.BigEndian.PutUint16(b[2:], probe.Checksum(b))
	}
	return b
}

// look sees what has become of the probe, and sends the data that follow a
// handshake.
func (s *sender) look() {
	if s.err != 0 || s.answered {
		return
	}
	if s.id.proto == unix.IPPROTO_TCP {
		s.lookTCP()
		return
	}
	buf := make([]byte, snapLength)
	for {
		n, err := unix.Read(s.fd, buf)
		if err != nil {
			s.fail(err)
			return
		}
		if s.id.proto == unix.IPPROTO_UDP || s.isReply(buf[:n]) {
			s.answered = true
			return
		}
	}
}

// isReply reports whether what a raw socket has received answers the probe.
func (s *sender) isReply(b []byte) bool {
	var p packet
	p.proto = s.id.proto
	if !s.id.v6 { // with its IP header (raw(7))
		q := readIP(b)
		if q == nil {
			return false
		}
		p = *q
		if p.src != s.req.Target {
			return false
		}
	} else {
		p.v6 = true
		p.transport(b, len(b))
	}
	c, _ := s.id.classify(&p)
	return c == answer
}

func (s *sender) lookTCP() {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(fds, 0)
	if err != nil || n == 0 {
		return
	}
	code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil || code != 0 {
		s.fail(errors.Join(err, unix.Errno(code)))
		return
	}
	s.connected = true
	switch {
	case s.id.data == 0:
		s.answered = true
	case s.phase == opening:
		s.phase = sent
		_, err = unix.Write(s.fd, s.payload(s.id.data))
		s.fail(err)
	default:
		left, err := unix.IoctlGetInt(s.fd, unix.SIOCOUTQ)
		s.answered = err == nil && left == 0
	}
}

// died reports whether the socket was told that the probe is lost.
func (s *sender) died() bool { return s.err != 0 }

func (s *sender) close() {
	if s.fd >= 0 {
		_ = unix.Close(s.fd)
	}
	s.fd = -1
}

func timeOf(b []byte) time.Time {
	if len(b) < 16 {
		return time.Time{}
	}
	return time.Unix(int64(binary.NativeEndian.Uint64(b)), int64(binary.NativeEndian.Uint64(b[8:])))
}

// auxVLAN says that a packet's VLAN tag is given apart from it (linux/if_packet.h,
// TP_STATUS_VLAN_VALID).
const auxVLAN = 0x10

func vlanOf(b []byte) int {
	if len(b) < 20 || binary.NativeEndian.Uint32(b)&auxVLAN == 0 {
		return -1
	}
	return int(binary.NativeEndian.Uint16(b[16:]) & 0xfff)
}
