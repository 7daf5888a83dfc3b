package capture

import (
	"encoding/binary"
	"net/netip"
)

// flowStart is where the sequence numbers of a TCP connection begin, of both ways.
type flowStart struct {
	seq, ack uint32 // of the way from the lower end to the higher one, and the way back
}

// Flows knows the TCP connections of a capture, so that their numbers can be printed
// from the beginning of each. A connection that is seen anew begins anew.
type Flows struct {
	known map[flowKey]*flowStart
}

type flowKey struct {
	space     string // the same connection is met in several namespaces, which may alter it
	dev       int
	low, high netip.AddrPort
}

// mostFlows bounds what is remembered; then it is forgotten.
const mostFlows = 1 << 16

// Note looks at a packet that was seen, in the order of their times; it is what
// gives the packet's line relative numbers.
func (f *Flows) Note(p *Packet) {
	t := p.tcp()
	if t == nil || t.flags&tcpACK == 0 {
		return // as tcpdump does, the first SYN is printed as it is
	}
	if f.known == nil || len(f.known) >= mostFlows {
		f.known = map[flowKey]*flowStart{}
	}
	k := flowKey{space: p.Dev.Space, dev: p.Dev.Index, low: t.src, high: t.dst}
	back := t.reversed()
	if back {
		k.low, k.high = t.dst, t.src
	}
	start := f.known[k]
	if start == nil || t.flags&tcpSYN != 0 {
		start = &flowStart{seq: t.seq, ack: t.ack - 1}
		if back {
			start = &flowStart{seq: t.ack - 1, ack: t.seq}
		}
		f.known[k] = start
		return // its own numbers are printed as they are
	}
	p.flow = start
}

// tcpHead is what is noted of a TCP packet.
type tcpHead struct {
	src, dst netip.AddrPort
	seq, ack uint32
	flags    uint8
}

func (t *tcpHead) reversed() bool { return t.src.Compare(t.dst) > 0 }

const (
	tcpSYN = 0x02
	tcpACK = 0x10
)

// tcp finds the TCP header of a packet that begins with an IP header, without
// taking it apart in whole; nil if there is none.
func (p *Packet) tcp() *tcpHead {
	b, etherType := p.network()
	t := &tcpHead{}
	var src, dst netip.Addr
	switch {
	case etherType == typeIPv4 && len(b) >= 20 && b[9] == protoTCP && binary.BigEndian.Uint16(b[6:])&0x1fff == 0:
		src, dst = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
		b = b[min(len(b), int(b[0]&15)*4):]
	case etherType == typeIPv6 && len(b) >= 40 && b[6] == protoTCP:
		src, dst = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
		b = b[40:]
	default:
		return nil
	}
	if len(b) < 20 {
		return nil
	}
	t.src = netip.AddrPortFrom(src, binary.BigEndian.Uint16(b))
	t.dst = netip.AddrPortFrom(dst, binary.BigEndian.Uint16(b[2:]))
	t.seq, t.ack, t.flags = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:]), b[13]
	return t
}
