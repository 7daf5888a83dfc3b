package probe

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// echo makes the echo requests of one Ping and recognises what answers them.
//
// The payload, as far as it fits: 8 random bytes that are the same in all
// probes, the probe's number and the copy's number (4 bytes each, big-endian),
// then a pattern. The copy tells which of two equal probes was answered.
type echo struct {
	target  netip.Addr // without zone
	anyone  bool       // a reply may come from another address: broadcast, multicast
	id      uint16
	request []byte // ICMP header and payload
}

const (
	echoHeader = 8  // type, code, checksum, identifier, sequence number
	echoToken  = 8  // at the start of the payload
	echoStamp  = 16 // token, number, copy
)

func newEcho(target netip.Addr, id uint16, token [echoToken]byte, size int) *echo {
	e := &echo{target: target.WithZone(""), anyone: target.IsMulticast() || target.IsUnspecified(), id: id}
	e.request = make([]byte, echoHeader+size)
	e.request[0] = byte(ipv4.ICMPTypeEcho)
	if target.Is6() {
		e.request[0] = byte(ipv6.ICMPTypeEchoRequest)
	}
	binary.BigEndian.PutUint16(e.request[4:], id)
	payload := e.request[echoHeader:]
	for i := range payload {
		payload[i] = byte(i)
	}
	copy(payload, token[:])
	return e
}

// probe returns copy number n of a probe, valid until the next call.
func (e *echo) probe(number, n int) []byte {
	b := e.request
	binary.BigEndian.PutUint16(b[6:], uint16(number))
	var stamp [echoStamp - echoToken]byte
	binary.BigEndian.PutUint32(stamp[:], uint32(number))
	binary.BigEndian.PutUint32(stamp[4:], uint32(n))
	if len(b) > echoHeader+echoToken {
		copy(b[echoHeader+echoToken:], stamp[:])
	}
	if e.target.Is4() { // the kernel does it for ICMPv6 (RFC 3542 §3.1)
		b[2], b[3] = 0, 0
		binary.BigEndian.PutUint16(b[2:], Checksum(b))
	}
	return b
}

// copyIn tells which copy of a probe a reply's payload belongs to; ok is false
// if it is not what was sent.
func (e *echo) copyIn(payload []byte, number int) (n int, ok bool) {
	want := e.request[echoHeader:]
	switch {
	case len(payload) != len(want):
		return 0, false
	case len(want) < echoStamp:
		k := min(len(want), echoToken)
		return 0, bytes.Equal(payload[:k], want[:k])
	}
	n = int(binary.BigEndian.Uint32(payload[echoToken+4:]))
	return n, bytes.Equal(payload[:echoToken], want[:echoToken]) &&
		binary.BigEndian.Uint32(payload[echoToken:]) == uint32(number) &&
		bytes.Equal(payload[echoStamp:], want[echoStamp:])
}

// answer is a message about one of our probes.
type answer struct {
	seq     uint16
	word    string // "" for an echo reply
	mtu     int    // bytes, with FragNeeded
	payload []byte // of an echo reply
}

// answer reads what a raw socket received: IPv4 with the IP header, IPv6
// without (raw(7), ipv6(7)). It returns false for what is not about us.
func (e *echo) answer(b []byte, from netip.Addr) (answer, bool) {
	if e.target.Is4() {
		b = skipIPv4(b)
		// The raw socket gets its copy before the kernel checks the sum.
		if len(b) < echoHeader || Checksum(b) != 0 {
			return answer{}, false
		}
	}
	if len(b) < echoHeader {
		return answer{}, false
	}
	if b[0] == e.replyType() {
		ours := binary.BigEndian.Uint16(b[4:]) == e.id && (e.anyone || from.WithZone("") == e.target)
		return answer{seq: binary.BigEndian.Uint16(b[6:]), payload: b[echoHeader:]}, ours
	}
	word, mtu := e.meaning(b)
	if word == "" {
		return answer{}, false
	}
	seq, ok := e.quoted(b[echoHeader:])
	return answer{seq: seq, word: word, mtu: mtu}, ok
}

func (e *echo) replyType() byte {
	if e.target.Is4() {
		return byte(ipv4.ICMPTypeEchoReply)
	}
	return byte(ipv6.ICMPTypeEchoReply)
}

func (e *echo) meaning(b []byte) (word string, mtu int) {
	if e.target.Is4() {
		return meaning4(b)
	}
	return meaning6(b)
}

// quoted returns the sequence number of the probe at which an error message is
// directed. b is the quoted packet.
func (e *echo) quoted(b []byte) (seq uint16, ok bool) {
	var dst netip.Addr
	var inner []byte
	if e.target.Is4() {
		dst, inner = quoted4(b)
	} else {
		dst, inner = quoted6(b)
	}
	if len(inner) < echoHeader || inner[0] != e.request[0] || dst != e.target ||
		binary.BigEndian.Uint16(inner[4:]) != e.id {
		return 0, false
	}
	return binary.BigEndian.Uint16(inner[6:]), true
}

// unreachable4 are the codes of ICMP "destination unreachable" (RFC 792, RFC
// 1122 §3.2.2.1, RFC 1812 §5.2.7.1).
var unreachable4 = [...]string{
	0: NetUnreachable, 1: HostUnreachable, 2: ProtoUnreachable, 3: PortUnreachable,
	4:  FragNeeded,
	5:  HostUnreachable, // source route failed
	6:  NetUnreachable,  // network unknown
	7:  HostUnreachable, // host unknown
	8:  HostUnreachable, // source host isolated
	9:  AdminProhibited, // network prohibited
	10: AdminProhibited, // host prohibited
	11: NetUnreachable,  // for this type of service
	12: HostUnreachable, // for this type of service
	13: AdminProhibited, // filtered
	14: AdminProhibited, // host precedence violation
	15: AdminProhibited, // precedence cutoff
}

func meaning4(b []byte) (word string, mtu int) {
	switch typ, code := ipv4.ICMPType(b[0]), int(b[1]); typ {
	case ipv4.ICMPTypeDestinationUnreachable:
		if code < len(unreachable4) {
			word = unreachable4[code]
		}
		if word == FragNeeded { // RFC 1191 §4
			mtu = int(binary.BigEndian.Uint16(b[6:]))
		}
	case ipv4.ICMPTypeTimeExceeded:
		word = exceeded(code)
	case ipv4.ICMPTypeParameterProblem:
		word = ParameterProblem
	}
	return word, mtu
}

// unreachable6 are the codes of ICMPv6 "destination unreachable" (RFC 4443
// §3.1, which calls 5 and 6 more informative subsets of 1).
var unreachable6 = [...]string{
	0: NetUnreachable,  // no route
	1: AdminProhibited, //
	2: NetUnreachable,  // beyond the scope of the source address
	3: HostUnreachable, // address unreachable
	4: PortUnreachable, //
	5: AdminProhibited, // source address failed policy
	6: AdminProhibited, // reject route
	7: NetUnreachable,  // error in a source routing header
}

func meaning6(b []byte) (word string, mtu int) {
	switch typ, code := ipv6.ICMPType(b[0]), int(b[1]); typ {
	case ipv6.ICMPTypeDestinationUnreachable:
		if code < len(unreachable6) {
			word = unreachable6[code]
		}
	case ipv6.ICMPTypePacketTooBig:
		word, mtu = FragNeeded, int(binary.BigEndian.Uint32(b[4:]))
	case ipv6.ICMPTypeTimeExceeded:
		word = exceeded(code)
	case ipv6.ICMPTypeParameterProblem:
		word = ParameterProblem
	}
	return word, mtu
}

func exceeded(code int) string {
	if code == 1 {
		return ReassemblyTimeout
	}
	return TTLExceeded
}

// skipIPv4 returns what follows an IPv4 header, or nil.
func skipIPv4(b []byte) []byte {
	if len(b) < ipv4.HeaderLen {
		return nil
	}
	n := int(b[0]&0x0f) * 4
	if n < ipv4.HeaderLen || len(b) < n {
		return nil
	}
	return b[n:]
}

// quoted4 reads a quoted IPv4 packet. Only a first fragment holds an ICMP header.
func quoted4(b []byte) (dst netip.Addr, icmp []byte) {
	inner := skipIPv4(b)
	if inner == nil || b[9] != unix.IPPROTO_ICMP || binary.BigEndian.Uint16(b[6:])&0x1fff != 0 {
		return netip.Addr{}, nil
	}
	return netip.AddrFrom4([4]byte(b[16:20])), inner
}

// quoted6 reads a quoted IPv6 packet, past its extension headers (RFC 8200 §4).
func quoted6(b []byte) (dst netip.Addr, icmp []byte) {
	if len(b) < ipv6.HeaderLen {
		return netip.Addr{}, nil
	}
	dst = netip.AddrFrom16([16]byte(b[24:40]))
	next := b[6]
	b = b[ipv6.HeaderLen:]
	for {
		n := 8
		switch next {
		case unix.IPPROTO_ICMPV6:
			return dst, b
		case unix.IPPROTO_FRAGMENT:
			if len(b) < n || binary.BigEndian.Uint16(b[2:])&^7 != 0 {
				return dst, nil
			}
		case unix.IPPROTO_HOPOPTS, unix.IPPROTO_ROUTING, unix.IPPROTO_DSTOPTS:
			if len(b) < n {
				return dst, nil
			}
			n += int(b[1]) * 8
		default:
			return dst, nil
		}
		if len(b) < n {
			return dst, nil
		}
		next, b = b[0], b[n:]
	}
}

// Checksum is that of RFC 1071; over a message with its checksum it is 0.
func Checksum(b []byte) uint16 {
	var sum uint64
	for ; len(b) >= 4; b = b[4:] {
		sum += uint64(binary.BigEndian.Uint32(b))
	}
	for ; len(b) >= 2; b = b[2:] {
		sum += uint64(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
