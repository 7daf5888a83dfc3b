package probe

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"
)

// The words for what became of a packet.
const (
	Timeout         = "timeout"
	NetUnreachable  = "net-unreachable"
	HostUnreachable = "host-unreachable"
	ProtoUnreach    = "proto-unreachable"
	PortUnreachable = "port-unreachable"
	AdminProhibited = "admin-prohibited"
	FragNeeded      = "frag-needed"
	TTLExceeded     = "ttl-exceeded"
	ReassemblyTime  = "reassembly-timeout"
	BadParameter    = "parameter-problem"
)

// message is an ICMP message that concerns one of our requests.
type message struct {
	seq   uint16
	reply bool   // an echo reply; else an error
	err   string // the word for the error
	mtu   int    // of a frag-needed
	data  []byte // payload of a reply
}

// The sizes of headers.
const (
	icmpHeader = 8
	ip6Header  = 40
)

// unreachable4 are the codes of ICMP destination unreachable (RFC 792, RFC 1812
// 5.2.7.1).
var unreachable4 = map[byte]string{
	0: NetUnreachable, 1: HostUnreachable, 2: ProtoUnreach, 3: PortUnreachable, 4: FragNeeded,
	5: HostUnreachable, 6: NetUnreachable, 7: HostUnreachable, 8: HostUnreachable, 9: AdminProhibited,
	10: AdminProhibited, 11: NetUnreachable, 12: HostUnreachable, 13: AdminProhibited, 14: AdminProhibited, 15: AdminProhibited,
}

// unreachable6 are the codes of ICMPv6 destination unreachable (RFC 4443, 3.1).
var unreachable6 = map[byte]string{
	0: NetUnreachable, 1: AdminProhibited, 2: NetUnreachable, 3: HostUnreachable, 4: PortUnreachable,
	5: AdminProhibited, 6: AdminProhibited,
}

// parse4 reads an IPv4 packet from a raw socket; ok is false for what is not
// about a request of ours to dst.
func parse4(p []byte, id uint16, dst netip.Addr) (m message, ok bool) {
	hl := headerLen4(p)
	if hl == 0 || len(p) < hl+icmpHeader {
		return m, false
	}
	icmp := p[hl:]
	switch icmp[0] {
	case 0: // echo reply
		return message{seq: binary.BigEndian.Uint16(icmp[6:]), reply: true, data: icmp[icmpHeader:]},
			binary.BigEndian.Uint16(icmp[4:]) == id
	case 3:
		m.err = unreachable4[icmp[1]]
		if m.err == FragNeeded {
			m.mtu = int(binary.BigEndian.Uint16(icmp[6:]))
		}
	case 11:
		m.err = TTLExceeded
		if icmp[1] == 1 {
			m.err = ReassemblyTime
		}
	case 12:
		m.err = BadParameter
	default:
		return m, false
	}
	inner := icmp[icmpHeader:]
	il := headerLen4(inner)
	if il == 0 || len(inner) < il+icmpHeader || inner[9] != unix.IPPROTO_ICMP || inner[il] != 8 {
		return m, false
	}
	to, _ := netip.AddrFromSlice(inner[16:20])
	m.seq = binary.BigEndian.Uint16(inner[il+6:])
	return m, to == dst && binary.BigEndian.Uint16(inner[il+4:]) == id
}

func headerLen4(p []byte) int {
	if len(p) < 20 || p[0]>>4 != 4 {
		return 0
	}
	if hl := int(p[0]&15) * 4; hl >= 20 && hl <= len(p) {
		return hl
	}
	return 0
}

// parse6 reads an ICMPv6 message; the kernel leaves the IPv6 header out.
func parse6(icmp []byte, id uint16, dst netip.Addr) (m message, ok bool) {
	if len(icmp) < icmpHeader {
		return m, false
	}
	switch icmp[0] {
	case 129: // echo reply
		return message{seq: binary.BigEndian.Uint16(icmp[6:]), reply: true, data: icmp[icmpHeader:]},
			binary.BigEndian.Uint16(icmp[4:]) == id
	case 1:
		m.err = unreachable6[icmp[1]]
	case 2:
		m.err, m.mtu = FragNeeded, int(binary.BigEndian.Uint32(icmp[4:]))
	case 3:
		m.err = TTLExceeded
		if icmp[1] == 1 {
			m.err = ReassemblyTime
		}
	case 4:
		m.err = BadParameter
	default:
		return m, false
	}
	inner := icmp[icmpHeader:]
	if len(inner) < ip6Header {
		return m, false
	}
	next, rest := inner[6], inner[ip6Header:]
	if next == unix.IPPROTO_FRAGMENT && len(rest) >= 8 {
		next, rest = rest[0], rest[8:]
	}
	if next != unix.IPPROTO_ICMPV6 || len(rest) < icmpHeader || rest[0] != 128 {
		return m, false
	}
	to, _ := netip.AddrFromSlice(inner[24:40])
	m.seq = binary.BigEndian.Uint16(rest[6:])
	return m, to == dst.WithZone("") && binary.BigEndian.Uint16(rest[4:]) == id
}

// echoRequest is the message of a request. The kernel fills in ICMPv6's checksum.
func echoRequest(v6 bool, id, seq uint16, payload []byte) []byte {
	b := make([]byte, icmpHeader+len(payload))
	b[0] = 8
	if v6 {
		b[0] = 128
	}
	binary.BigEndian.PutUint16(b[4:], id)
	binary.BigEndian.PutUint16(b[6:], seq)
	copy(b[icmpHeader:], payload)
	if !v6 {
		binary.BigEndian.PutUint16(b[2:], checksum(b))
	}
	return b
}

// checksum is that of RFC 1071.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// sendWord is the word for an error of the local kernel's on sending, or "".
// A blackhole route answers EINVAL, an unreachable one EHOSTUNREACH, a prohibit
// one EACCES, as a rule of the local firewall answers EPERM (ip-route(8)).
func sendWord(err error) string {
	for _, e := range []struct {
		errno unix.Errno
		word  string
	}{
		{unix.ENETUNREACH, NetUnreachable}, {unix.EHOSTUNREACH, HostUnreachable}, {unix.EHOSTDOWN, HostUnreachable},
		{unix.EACCES, AdminProhibited}, {unix.EPERM, AdminProhibited}, {unix.EMSGSIZE, FragNeeded},
		{unix.EINVAL, NetUnreachable}, {unix.ENETDOWN, NetUnreachable}, {unix.EADDRNOTAVAIL, NetUnreachable},
		{unix.ECONNREFUSED, PortUnreachable}, {unix.ENODEV, NetUnreachable},
	} {
		if errors.Is(err, e.errno) {
			return e.word
		}
	}
	return ""
}
