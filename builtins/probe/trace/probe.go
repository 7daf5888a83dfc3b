//go:build linux

package trace

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// class says what a packet is to the probe.
type class int

const (
	other         class = iota // no part of it
	forward                    // the probe itself
	answer                     // what the target sends back
	refusal                    // a TCP reset
	errorMsg                   // an ICMP error message about the probe
	errorOfAnswer              // one about the answer
	resolving                  // ARP or neighbour discovery
	restForward                // a fragment of the probe, but the first
	restAnswer                 // one of the answer
	carrier                    // a packet of a tunnel, in which the probe or its answer is
)

// identity is how the packets of one trace are known, wherever they are and
// whatever NAT has made of them: echo messages and datagrams by a random token at
// the start of the payload, TCP by a random sequence number.
type identity struct {
	proto uint8 // IP protocol: ICMP, ICMPv6, TCP, UDP
	v6    bool
	token [lenToken]byte
	seq   uint32 // of the SYN
	data  int    // bytes of TCP data that follow the handshake; 0 for none
	sport uint16 // of UDP

	forwardFlows map[flow]bool
	answerFlows  map[flow]bool
	fragments    map[fragmentOf]class // what the fragments of a packet are parts of
}

// fragmentOf is what the fragments of one packet have in common.
type fragmentOf struct {
	src, dst netip.Addr
	ident    uint32
}

func newIdentity(proto uint8, v6 bool) *identity {
	id := &identity{proto: proto, v6: v6, forwardFlows: map[flow]bool{}, answerFlows: map[flow]bool{}, fragments: map[fragmentOf]class{}}
	_, _ = rand.Read(id.token[:]) // never fails (crypto/rand)
	id.seq = binary.BigEndian.Uint32(id.token[:])
	return id
}

// The places of what a probe is known by, from the transport header on.
const (
	atToken  = 8 // after the headers of UDP and of echo messages
	atSeq    = 4
	atAck    = 8
	atDport  = 2
	quotedV4 = lenICMP + lenIPv4 // where an ICMP error message quotes the transport header
	quotedV6 = lenICMP + lenIPv6
)

// The headers of tunnels, in bytes: those of IP in IP have none.
const (
	lenVXLAN    = 8 // RFC 7348; a Geneve header without options too (RFC 8926)
	lenEthernet = 14
	lenGRE      = 4 // without a key and the like (RFC 2784)
)

// matches says the same to the packet filter. Inside of tunnels it is found too.
func (id *identity) matches() []kernel.TraceMatch {
	list, bare := id.bareMatches()
	inner := uint32(lenIPv4)
	if id.v6 {
		inner = lenIPv6
	}
	for _, m := range list[:bare] {
		for _, tunnel := range []struct {
			proto uint8
			head  uint32
		}{
			{unix.IPPROTO_UDP, lenUDP + lenVXLAN + lenEthernet},
			{unix.IPPROTO_IPIP, 0}, {unix.IPPROTO_IPV6, 0},
			{unix.IPPROTO_GRE, lenGRE}, {unix.IPPROTO_GRE, lenGRE + lenEthernet},
		} {
			list = append(list, kernel.TraceMatch{Proto: tunnel.proto, Offset: tunnel.head + inner + m.Offset, Bytes: m.Bytes})
		}
	}
	return list
}

// bareMatches are those outside of tunnels; the first so many are of the probe and its
// answer themselves.
func (id *identity) bareMatches() (list []kernel.TraceMatch, bare int) {
	icmp, quoted := uint8(unix.IPPROTO_ICMP), uint32(quotedV4)
	if id.v6 {
		icmp, quoted = unix.IPPROTO_ICMPV6, quotedV6
	}
	if id.proto != unix.IPPROTO_TCP {
		list = []kernel.TraceMatch{
			{Proto: id.proto, Offset: atToken, Bytes: id.token[:]},
			{Proto: icmp, Offset: quoted + atToken, Bytes: id.token[:]},
		}
		if id.proto == unix.IPPROTO_UDP {
			port := binary.BigEndian.AppendUint16(nil, id.sport)
			list = append(list, kernel.TraceMatch{Proto: id.proto, Offset: atDport, Bytes: port})
		}
		return list, 1
	}
	number := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	list = []kernel.TraceMatch{
		{Proto: id.proto, Offset: atSeq, Bytes: number(id.seq)},
		{Proto: id.proto, Offset: atAck, Bytes: number(id.seq + 1)},
		{Proto: icmp, Offset: quoted + atSeq, Bytes: number(id.seq)},
	}
	if id.data > 0 {
		list = append(list,
			kernel.TraceMatch{Proto: id.proto, Offset: atSeq, Bytes: number(id.seq + 1)},
			kernel.TraceMatch{Proto: id.proto, Offset: atAck, Bytes: number(id.dataEnd())},
			kernel.TraceMatch{Proto: icmp, Offset: quoted + atSeq, Bytes: number(id.seq + 1)})
	}
	return list, 2
}

func (id *identity) dataEnd() uint32 { return id.seq + 1 + uint32(id.data) }

// classify says what a packet is, and learns from it: packets must come in the
// order of time. second is set for a packet of the data that follow a TCP
// handshake.
func (id *identity) classify(p *packet) (c class, second bool) {
	of := fragmentOf{p.src, p.dst, p.ident}
	if p.fragment {
		return id.fragments[of], false
	}
	if c, second = id.whole(p); p.more {
		switch c {
		case forward:
			id.fragments[of] = restForward
		case answer:
			id.fragments[of] = restAnswer
		}
	}
	return c, second
}

// whole is the class of a packet that is no fragment, or the first one.
func (id *identity) whole(p *packet) (c class, second bool) {
	if p.arp != nil || p.nd.IsValid() {
		return resolving, false
	}
	if p.inner != nil {
		return id.classifyError(p)
	}
	if p.proto != id.proto {
		return other, false
	}
	if id.proto == unix.IPPROTO_TCP {
		return id.classifyTCP(p)
	}
	switch {
	case id.proto == unix.IPPROTO_UDP:
		return id.classifyUDP(p), false
	case !bytes.HasPrefix(p.payload, id.token[:]):
		return other, false
	case p.icmpType == icmpEcho || p.icmpType == icmp6Echo:
		return forward, false
	}
	return answer, false
}

func (id *identity) classifyError(p *packet) (class, bool) {
	in := p.inner
	if in.proto != id.proto {
		return other, false
	}
	switch id.proto {
	case unix.IPPROTO_TCP:
		switch {
		case in.seq == id.seq:
			return errorMsg, false
		case id.data > 0 && in.seq == id.seq+1:
			return errorMsg, true
		case id.answerFlows[in.flow()]:
			return errorOfAnswer, false
		}
		return other, false
	case unix.IPPROTO_UDP:
		if id.answerFlows[in.flow()] && !id.forwardFlows[in.flow()] {
			return errorOfAnswer, false
		}
	}
	if !bytes.HasPrefix(in.payload, id.token[:]) {
		return other, false
	}
	if in.icmpType == icmpEchoReply && in.proto == unix.IPPROTO_ICMP || in.icmpType == icmp6EchoReply && in.proto == unix.IPPROTO_ICMPV6 {
		return errorOfAnswer, false
	}
	return errorMsg, false
}

func (id *identity) classifyTCP(p *packet) (class, bool) {
	syn, ack, rst := p.flags&flagSYN != 0, p.flags&flagACK != 0, p.flags&flagRST != 0
	switch {
	case syn && !ack && p.seq == id.seq:
		id.forwardFlows[p.flow()] = true
		return forward, false
	case ack && p.ack == id.seq+1 && (syn || rst):
		id.answerFlows[p.flow()] = true
		if rst {
			return refusal, false
		}
		return answer, false
	case id.data > 0 && p.seq == id.seq+1 && p.data > 0 && !syn:
		id.forwardFlows[p.flow()] = true
		return forward, true
	case rst && id.data > 0 && id.answerFlows[p.flow()]:
		return refusal, true
	case id.data > 0 && ack && p.ack == id.dataEnd() && !id.forwardFlows[p.flow()]:
		id.answerFlows[p.flow()] = true
		return answer, true
	}
	return other, false
}

func (id *identity) classifyUDP(p *packet) class {
	f := p.flow()
	ours := bytes.HasPrefix(p.payload, id.token[:])
	switch {
	case ours && id.forwardFlows[f]:
		return forward
	case id.answerFlows[f]:
		return answer
	case id.forwardFlows[f.reversed()] || p.dport == id.sport && p.sport != id.sport && id.asked(p.dst):
		id.answerFlows[f] = true
		return answer
	case ours:
		id.forwardFlows[f] = true
		return forward
	}
	return other
}

// asked reports whether the datagram was sent from an address and its own port, or
// seemed to be.
func (id *identity) asked(from netip.Addr) bool {
	for f := range id.forwardFlows {
		if f.src == from && f.sport == id.sport {
			return true
		}
	}
	return false
}
