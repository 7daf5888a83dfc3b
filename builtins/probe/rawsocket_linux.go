package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// setUpRaw sets the options that req asks for and returns the address to send to.
func setUpRaw(fd, fam int, req *PingRequest, id uint16) (unix.Sockaddr, error) {
	if err := filterEcho(fd, fam, id); err != nil {
		return nil, err
	}
	if err := enlargeBuffers(fd); err != nil {
		return nil, err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return nil, fmt.Errorf("time stamps: %w", err)
	}
	if req.Dev != "" {
		if err := unix.BindToDevice(fd, req.Dev); errors.Is(err, unix.ENODEV) {
			return nil, fmt.Errorf("no interface %q: %w", req.Dev, err)
		} else if err != nil {
			return nil, fmt.Errorf("interface %q: %w", req.Dev, err)
		}
	}
	if err := setHeader(fd, fam, req.TTL, req.DF); err != nil {
		return nil, err
	}
	return Sockaddr(fd, req.Target, 0)
}

// setHeader sets the hop limit, 0 for the namespace's default, and whether the
// packet may be fragmented on its way.
func setHeader(fd, fam, ttl int, df bool) error {
	type option struct{ level, name, value int }
	var options []option
	switch {
	case fam == unix.AF_INET && df:
		// PROBE sets the flag and looks only at the interface's own MTU, so
		// that what an earlier probe learnt does not hide the router's answer.
		options = append(options, option{unix.SOL_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE})
	case fam == unix.AF_INET:
		options = append(options, option{unix.SOL_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT})
	case df:
		options = append(options,
			option{unix.SOL_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE},
			option{unix.SOL_IPV6, unix.IPV6_DONTFRAG, 1})
	}
	switch {
	case ttl == 0:
	case fam == unix.AF_INET:
		options = append(options, option{unix.SOL_IP, unix.IP_TTL, ttl}, option{unix.SOL_IP, unix.IP_MULTICAST_TTL, ttl})
	default:
		options = append(options, option{unix.SOL_IPV6, unix.IPV6_UNICAST_HOPS, ttl}, option{unix.SOL_IPV6, unix.IPV6_MULTICAST_HOPS, ttl})
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("socket option: %w", err)
		}
	}
	return nil
}

// filterEcho has a socket hear what may be about echo requests with an identifier.
func filterEcho(fd, fam int, id uint16) error {
	filter := filter4
	if fam == unix.AF_INET6 {
		filter = filter6
	}
	if err := filter(fd, id); err != nil {
		return fmt.Errorf("filtering ICMP messages: %w", err)
	}
	return nil
}

// filter4 lets through echo replies and error messages. The type is looked at
// before the kernel copies the packet for the socket; the identifier of an echo
// reply after that, but before a reader is woken: many pings at once in one
// namespace do not wake one another.
func filter4(fd int, id uint16) error {
	wanted := 0
	for _, t := range []ipv4.ICMPType{ipv4.ICMPTypeEchoReply, ipv4.ICMPTypeDestinationUnreachable,
		ipv4.ICMPTypeTimeExceeded, ipv4.ICMPTypeParameterProblem} {
		wanted |= 1 << t
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_RAW, unix.ICMP_FILTER, int(int32(^wanted))); err != nil {
		return err
	}
	// The program sees the packet from its IP header on.
	return attach(fd,
		bpf.LoadMemShift{Off: 0},
		bpf.LoadIndirect{Off: 0, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(ipv4.ICMPTypeEchoReply), SkipTrue: 2},
		bpf.LoadIndirect{Off: 4, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(id), SkipTrue: 1},
		bpf.RetConstant{Val: 1 << 18},
		bpf.RetConstant{Val: 0},
	)
}

// filter6 is filter4 for ICMPv6.
func filter6(fd int, id uint16) error {
	f := unix.ICMPv6Filter{}
	for i := range f.Data {
		f.Data[i] = ^uint32(0)
	}
	for _, t := range []ipv6.ICMPType{ipv6.ICMPTypeEchoReply, ipv6.ICMPTypeDestinationUnreachable,
		ipv6.ICMPTypePacketTooBig, ipv6.ICMPTypeTimeExceeded, ipv6.ICMPTypeParameterProblem} {
		f.Data[t/32] &^= 1 << (t % 32)
	}
	if err := unix.SetsockoptICMPv6Filter(fd, unix.SOL_ICMPV6, unix.ICMPV6_FILTER, &f); err != nil {
		return err
	}
	// The program sees the packet from its ICMPv6 header on.
	return attach(fd,
		bpf.LoadAbsolute{Off: 0, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(ipv6.ICMPTypeEchoReply), SkipTrue: 2},
		bpf.LoadAbsolute{Off: 4, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(id), SkipTrue: 1},
		bpf.RetConstant{Val: 1 << 18},
		bpf.RetConstant{Val: 0},
	)
}

// arrival returns when the kernel received a message (SO_TIMESTAMPNS,
// socket(7)), as a time with a monotonic part, or now if it did not say so.
func arrival(now time.Time, oob []byte) time.Time {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return now
	}
	for _, m := range msgs {
		if m.Header.Level != unix.SOL_SOCKET || m.Header.Type != unix.SCM_TIMESTAMPNS {
			continue
		}
		var sec, nsec int64
		switch len(m.Data) {
		case 16:
			sec, nsec = int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:]))
		case 8: // 32-bit machines
			sec, nsec = int64(int32(binary.NativeEndian.Uint32(m.Data))), int64(binary.NativeEndian.Uint32(m.Data[4:]))
		default:
			return now
		}
		// The age survives a step of the wall clock between then and now only
		// by chance; a senseless one is not used.
		if age := now.Round(0).Sub(time.Unix(sec, nsec)); age > 0 && age < time.Hour {
			return now.Add(-age)
		}
	}
	return now
}

// openEchoFD opens a raw socket for ICMP or ICMPv6.
func openEchoFD(ns Namespace, fam int) (int, error) {
	proto := unix.IPPROTO_ICMP
	if fam == unix.AF_INET6 {
		proto = unix.IPPROTO_ICMPV6
	}
	fd, err := openFD(ns, fam, unix.SOCK_RAW, proto)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		err = fmt.Errorf("no right to open raw sockets (CAP_NET_RAW): %w", err)
	}
	return fd, err
}

func openRaw(ctx context.Context, ns Namespace, req *PingRequest, id uint16) (*rawSocket, error) {
	fam := family(req.Target)
	fd, err := openEchoFD(ns, fam)
	if err != nil {
		return nil, err
	}
	to, err := setUpRaw(fd, fam, req, id)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	s, err := newSocket(ctx, fd)
	if err != nil {
		return nil, err
	}
	// Room for the payload, the headers and IPv4 options, and for an error
	// message, whose length is bounded by 576 or 1280 bytes.
	return &rawSocket{socket: s, family: fam, to: to, buf: make([]byte, max(2048, req.Size+128)), oob: make([]byte, 128)}, nil
}

func attach(fd int, program ...bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	return AttachFilter(fd, raw)
}

// localMTU finds the MTU that made the kernel refuse b with EMSGSIZE: the same
// again, this time with the error queue on. 0 means that it is not known.
func (s *rawSocket) localMTU(b []byte) (mtu int) {
	_ = s.control(func(fd int) {
		if queueErrors(fd, s.family, true) != nil {
			return
		}
		if err := unix.Sendto(fd, b, 0, s.to); errors.Is(err, unix.EMSGSIZE) {
			_, mtu = offender(fd, unix.EMSGSIZE)
		}
		// Off again, and a pending error forgotten: errors of the network are
		// read as messages, not as errnos of the next call.
		_ = queueErrors(fd, s.family, false)
		_, _ = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	})
	return mtu
}

// receive returns the next message, waiting for it until then; ok is false when
// the time is over. The data is valid until the next call.
func (s *rawSocket) receive(ctx context.Context, until time.Time) (m received, ok bool, err error) {
	var n, oobn int
	var from unix.Sockaddr
	var rerr error
	try := func(fd int) bool {
		n, oobn, _, from, rerr = unix.Recvmsg(fd, s.buf, s.oob, unix.MSG_DONTWAIT)
		if again(rerr) { // also of a message with a wrong ICMPv6 checksum
			n, oobn, _, from, rerr = unix.Recvmsg(fd, s.buf, s.oob, unix.MSG_DONTWAIT)
		}
		return !again(rerr)
	}
	err = s.awaitRead(ctx, until, try)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// What lies there already arrived in time, however late we are.
		if err = s.control(func(fd int) { ok = try(fd) }); err != nil || !ok {
			return received{}, false, err
		}
	}
	if err != nil {
		return received{}, false, err
	}
	if rerr != nil {
		return received{}, false, fmt.Errorf("receiving: %w", rerr)
	}
	m = received{data: s.buf[:n], at: arrival(time.Now(), s.oob[:oobn])}
	err = s.control(func(fd int) { m.from = fromSockaddr(fd, from).Addr() })
	return m, err == nil, err
}
