//go:build linux

package trace

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// packet is what is read of a packet, from its network header on. A packet that
// was cut short is read as far as it goes.
type packet struct {
	arp      *arp
	v6       bool
	src, dst netip.Addr
	proto    uint8
	ttl      uint8 // or hop limit
	tos      uint8
	size     int // bytes, with the IP header
	df       bool
	fragment bool // not the first one: no transport header
	more     bool // there are more fragments after it
	ident    uint32
	offset   int // bytes of the whole packet's data that come before those of this fragment

	sport, dport uint16 // TCP, UDP
	flags        uint8  // TCP
	seq, ack     uint32
	data         int // bytes after the transport header
	icmpType     uint8
	icmpCode     uint8
	icmpMTU      int
	payload      []byte  // of UDP and of echo messages
	inner        *packet // quoted by an ICMP error message
	nd           netip.Addr
	ndMAC        bool // the message is an advertisement
}

// arp is an ARP message for IPv4 over Ethernet (RFC 826).
type arp struct {
	reply              bool
	sender, target     netip.Addr
	senderMAC, destMAC [6]byte
}

// The flags of TCP (RFC 9293 §3.1).
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
)

// Lengths of headers, in bytes.
const (
	lenIPv4   = 20
	lenIPv6   = 40
	lenUDP    = 8
	lenICMP   = 8
	lenTCP    = 20
	lenARP    = 28
	lenTarget = 16 // the address in a neighbour solicitation
)

func readARP(b []byte) *packet {
	if len(b) < lenARP || binary.BigEndian.Uint16(b[2:]) != unix.ETH_P_IP || b[5] != 4 {
		return nil
	}
	a := &arp{reply: binary.BigEndian.Uint16(b[6:]) == 2}
	copy(a.senderMAC[:], b[8:14])
	a.sender, _ = netip.AddrFromSlice(b[14:18])
	copy(a.destMAC[:], b[18:24])
	a.target, _ = netip.AddrFromSlice(b[24:28])
	return &packet{arp: a}
}

// readIP reads an IP packet of either version; nil for what is none.
func readIP(b []byte) *packet {
	if len(b) < 1 {
		return nil
	}
	switch {
	case b[0]>>4 == 4 && len(b) >= lenIPv4:
		return readIPv4(b)
	case b[0]>>4 == 6 && len(b) >= lenIPv6:
		return readIPv6(b)
	}
	return nil
}

func readIPv4(b []byte) *packet {
	p := &packet{tos: b[1], size: int(binary.BigEndian.Uint16(b[2:])), ttl: b[8], proto: b[9]}
	p.src, _ = netip.AddrFromSlice(b[12:16])
	p.dst, _ = netip.AddrFromSlice(b[16:20])
	frag := binary.BigEndian.Uint16(b[6:])
	p.df, p.more, p.offset = frag&0x4000 != 0, frag&0x2000 != 0, int(frag&0x1fff)*8
	p.fragment, p.ident = p.offset > 0, uint32(binary.BigEndian.Uint16(b[4:]))
	head := int(b[0]&0xf) * 4
	if head < lenIPv4 || len(b) < head {
		return nil
	}
	p.transport(b[head:], p.size-head)
	return p
}

func readIPv6(b []byte) *packet {
	p := &packet{v6: true, df: true, tos: b[0]<<4 | b[1]>>4, size: lenIPv6 + int(binary.BigEndian.Uint16(b[4:])), proto: b[6], ttl: b[7]}
	p.src, _ = netip.AddrFromSlice(b[8:24])
	p.dst, _ = netip.AddrFromSlice(b[24:40])
	at := lenIPv6
	for {
		if len(b) < at+8 {
			break
		}
		switch p.proto {
		case unix.IPPROTO_HOPOPTS, unix.IPPROTO_ROUTING, unix.IPPROTO_DSTOPTS:
			p.proto = b[at]
			at += 8 + 8*int(b[at+1])
			continue
		case unix.IPPROTO_FRAGMENT:
			p.offset, p.more = int(binary.BigEndian.Uint16(b[at+2:])&^7), b[at+3]&1 != 0
			p.fragment, p.ident = p.offset > 0, binary.BigEndian.Uint32(b[at+4:])
			p.proto = b[at]
			at += 8
			continue
		}
		break
	}
	if at < len(b) {
		p.transport(b[at:], p.size-at)
	}
	return p
}

// transport reads the transport header; size is that of it and the data.
func (p *packet) transport(b []byte, size int) {
	if p.fragment {
		return
	}
	switch p.proto {
	case unix.IPPROTO_TCP:
		if len(b) < 8 {
			return
		}
		p.sport, p.dport = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		p.seq = binary.BigEndian.Uint32(b[4:])
		if len(b) >= lenTCP {
			p.ack, p.flags = binary.BigEndian.Uint32(b[8:]), b[13]
			p.data = size - int(b[12]>>4)*4
		}
	case unix.IPPROTO_UDP:
		if len(b) < lenUDP {
			return
		}
		p.sport, p.dport = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		p.data, p.payload = size-lenUDP, b[lenUDP:]
	case unix.IPPROTO_ICMP, unix.IPPROTO_ICMPV6:
		if len(b) < lenICMP {
			return
		}
		p.icmpType, p.icmpCode = b[0], b[1]
		p.data, p.payload = size-lenICMP, b[lenICMP:]
		p.icmp(b)
	}
}

// The types of ICMP messages (RFC 792, RFC 4443, RFC 4861).
const (
	icmpEchoReply    = 0
	icmpUnreachable  = 3
	icmpEcho         = 8
	icmpTimeExceeded = 11
	icmpParameter    = 12

	icmp6Unreachable  = 1
	icmp6TooBig       = 2
	icmp6TimeExceeded = 3
	icmp6Parameter    = 4
	icmp6Echo         = 128
	icmp6EchoReply    = 129
	icmp6Solicit      = 135
	icmp6Advertise    = 136
)

// quotes reports whether the packet is an ICMP error message, which quotes another.
func (p *packet) quotes() bool {
	switch p.proto {
	case unix.IPPROTO_ICMP:
		return p.icmpType == icmpUnreachable || p.icmpType == icmpTimeExceeded || p.icmpType == icmpParameter
	case unix.IPPROTO_ICMPV6:
		return p.icmpType >= icmp6Unreachable && p.icmpType <= icmp6Parameter
	}
	return false
}

// tunnelPorts are the UDP ports of VXLAN (by IANA, and by Linux before), and of Geneve.
var tunnelPorts = []uint16{4789, 8472, 6081}

// carries reports whether the packet is one of a tunnel.
func (p *packet) carries() bool {
	switch p.proto {
	case unix.IPPROTO_UDP:
		return slices.Contains(tunnelPorts, p.dport)
	case unix.IPPROTO_IPIP, unix.IPPROTO_IPV6, unix.IPPROTO_GRE:
		return true
	}
	return false
}

func (p *packet) icmp(b []byte) {
	if p.proto == unix.IPPROTO_ICMPV6 {
		if (p.icmpType == icmp6Solicit || p.icmpType == icmp6Advertise) && len(b) >= lenICMP+lenTarget {
			p.nd, _ = netip.AddrFromSlice(b[lenICMP : lenICMP+lenTarget])
			p.ndMAC = p.icmpType == icmp6Advertise
		}
		if p.icmpType == icmp6TooBig {
			p.icmpMTU = int(binary.BigEndian.Uint32(b[4:]))
		}
	} else if p.tooBig() {
		p.icmpMTU = int(binary.BigEndian.Uint16(b[6:]))
	}
	if p.quotes() {
		p.inner = readIP(b[lenICMP:])
	}
}

// codeFragNeeded is the code of an unreachable message that asks for smaller
// packets (RFC 1191).
const codeFragNeeded = 4

func (p *packet) tooBig() bool {
	if p.proto == unix.IPPROTO_ICMPV6 {
		return p.icmpType == icmp6TooBig
	}
	return p.proto == unix.IPPROTO_ICMP && p.icmpType == icmpUnreachable && p.icmpCode == codeFragNeeded
}

// expired reports whether the packet tells that a hop limit ran out.
func (p *packet) expired() bool {
	return p.proto == unix.IPPROTO_ICMP && p.icmpType == icmpTimeExceeded || p.proto == unix.IPPROTO_ICMPV6 && p.icmpType == icmp6TimeExceeded
}

// icmpErrors are the words for ICMP's error messages.
var icmpErrors = map[[2]uint8]string{
	{3, 0}: "net unreachable", {3, 1}: "host unreachable", {3, 2}: "protocol unreachable", {3, 3}: "port unreachable",
	{3, 4}: "fragmentation needed", {3, 9}: "net prohibited", {3, 10}: "host prohibited", {3, 13}: "admin prohibited",
	{11, 0}: "time exceeded", {11, 1}: "reassembly time exceeded",
}

var icmp6Errors = map[[2]uint8]string{
	{1, 0}: "no route", {1, 1}: "admin prohibited", {1, 3}: "address unreachable", {1, 4}: "port unreachable",
	{1, 5}: "failed policy", {1, 6}: "reject route", {2, 0}: "packet too big",
	{3, 0}: "time exceeded", {3, 1}: "reassembly time exceeded",
}

// what names the packet in a word or two.
func (p *packet) what() string {
	switch {
	case p.arp != nil && p.arp.reply:
		return "ARP reply"
	case p.arp != nil:
		return "ARP request"
	case p.nd.IsValid() && p.ndMAC:
		return "neighbour advertisement"
	case p.nd.IsValid():
		return "neighbour solicitation"
	}
	if p.fragment {
		return fmt.Sprintf("fragment from byte %d on", p.offset)
	}
	switch p.proto {
	case unix.IPPROTO_TCP:
		return p.tcpWhat()
	case unix.IPPROTO_UDP:
		return "UDP"
	case unix.IPPROTO_ICMP:
		return icmpWhat("ICMP ", p, icmpErrors, icmpEcho, icmpEchoReply)
	case unix.IPPROTO_ICMPV6:
		return icmpWhat("ICMPv6 ", p, icmp6Errors, icmp6Echo, icmp6EchoReply)
	}
	return "IP"
}

func icmpWhat(name string, p *packet, words map[[2]uint8]string, echo, reply uint8) string {
	switch p.icmpType {
	case echo:
		return "echo request"
	case reply:
		return "echo reply"
	}
	if w, ok := words[[2]uint8{p.icmpType, p.icmpCode}]; ok {
		return name + w
	}
	return strings.TrimSpace(name)
}

func (p *packet) tcpWhat() string {
	switch {
	case p.flags&flagRST != 0:
		return "RST"
	case p.flags&flagSYN != 0 && p.flags&flagACK != 0:
		return "SYN-ACK"
	case p.flags&flagSYN != 0:
		return "SYN"
	case p.data > 0:
		return "data"
	case p.flags&flagFIN != 0:
		return "FIN"
	}
	return "ACK"
}

func (p *packet) flow() flow { return flow{p.src, p.dst, p.sport, p.dport} }

func (f flow) reversed() flow { return flow{f.dst, f.src, f.dport, f.sport} }

// sides are the two ends of a flow as they are written: with ports where there
// are some.
func (f flow) from() string { return side(f.src, f.sport) }
func (f flow) to() string   { return side(f.dst, f.dport) }

func side(a netip.Addr, port uint16) string {
	if port == 0 {
		return a.String()
	}
	return netip.AddrPortFrom(a, port).String()
}
