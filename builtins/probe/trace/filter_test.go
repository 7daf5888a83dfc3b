//go:build linux

package trace

import (
	"encoding/binary"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// ipv4 builds a packet with so many bytes of IP options.
func ipv4(proto byte, options int, body ...byte) []byte {
	b := make([]byte, lenIPv4+options)
	b[0] = 0x40 | byte(len(b)/4)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)+len(body)))
	b[8], b[9] = 64, proto
	copy(b[12:], []byte{10, 0, 0, 1, 10, 0, 0, 2})
	return append(b, body...)
}

// ipv6 builds a packet; with fragment, in a first fragment.
func ipv6(proto byte, fragment bool, body ...byte) []byte {
	b := make([]byte, lenIPv6)
	b[0], b[6], b[7] = 0x60, proto, 64
	b[23], b[39] = 1, 2
	if fragment {
		b[6] = unix.IPPROTO_FRAGMENT
		b = append(b, proto, 0, 0, 1, 0, 0, 0, 7)
	}
	b = append(b, body...)
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-lenIPv6))
	return b
}

func echoOf(id *identity, kind byte) []byte {
	return append([]byte{kind, 0, 0, 0, 0, 1, 0, 1}, append(id.token[:], 8, 9, 10)...)
}

func tcpOf(seq, ack uint32, flags byte, data int) []byte {
	b := make([]byte, lenTCP+data)
	binary.BigEndian.PutUint16(b, 40000)
	binary.BigEndian.PutUint16(b[2:], 80)
	binary.BigEndian.PutUint32(b[4:], seq)
	binary.BigEndian.PutUint32(b[8:], ack)
	b[12], b[13] = 5<<4, flags
	return b
}

func udpOf(sport, dport uint16, payload []byte) []byte {
	b := make([]byte, lenUDP)
	binary.BigEndian.PutUint16(b, sport)
	binary.BigEndian.PutUint16(b[2:], dport)
	return append(b, payload...)
}

// quoting is an ICMP error message about a packet.
func quoting(kind byte, packet []byte) []byte {
	return append([]byte{kind, 1, 0, 0, 0, 0, 0, 0}, packet...)
}

// TestKnown holds the socket's filter and the classification to packets that are
// part of a trace, and to others that nearly are.
func TestKnown(t *testing.T) {
	icmp, icmp6 := newIdentity(unix.IPPROTO_ICMP, false), newIdentity(unix.IPPROTO_ICMPV6, true)
	tcp, udp := newIdentity(unix.IPPROTO_TCP, false), newIdentity(unix.IPPROTO_UDP, false)
	tcp6 := newIdentity(unix.IPPROTO_TCP, true)
	tcp.data, udp.sport = 100, 40000
	syn := tcpOf(tcp.seq, 0, flagSYN, 0)
	for _, c := range []struct {
		name   string
		id     *identity
		packet []byte
		want   class
		second bool
	}{
		{"echo request", icmp, ipv4(1, 0, echoOf(icmp, icmpEcho)...), forward, false},
		{"with IP options", icmp, ipv4(1, 8, echoOf(icmp, icmpEcho)...), forward, false},
		{"echo reply", icmp, ipv4(1, 0, echoOf(icmp, icmpEchoReply)...), answer, false},
		{"another echo", icmp, ipv4(1, 0, echoOf(udp, icmpEcho)...), other, false},
		{"time exceeded", icmp, ipv4(1, 0, quoting(icmpTimeExceeded, ipv4(1, 0, echoOf(icmp, icmpEcho)...))...), errorMsg, false},
		{"about a reply", icmp, ipv4(1, 0, quoting(icmpUnreachable, ipv4(1, 0, echoOf(icmp, icmpEchoReply)...))...), errorOfAnswer, false},
		{"ICMPv6 request", icmp6, ipv6(58, false, echoOf(icmp6, icmp6Echo)...), forward, false},
		{"ICMPv6 fragment", icmp6, ipv6(58, true, echoOf(icmp6, icmp6Echo)...), forward, false},
		{"ICMPv6 too big", icmp6, ipv6(58, false, quoting(icmp6TooBig, ipv6(58, false, echoOf(icmp6, icmp6Echo)...))...), errorMsg, false},
		{"SYN", tcp, ipv4(6, 0, syn...), forward, false},
		{"SYN over IPv6", tcp6, ipv6(6, false, tcpOf(tcp6.seq, 0, flagSYN, 0)...), forward, false},
		{"SYN-ACK", tcp, ipv4(6, 0, tcpOf(7, tcp.seq+1, flagSYN|flagACK, 0)...), answer, false},
		{"reset", tcp, ipv4(6, 0, tcpOf(0, tcp.seq+1, flagRST|flagACK, 0)...), refusal, false},
		{"the handshake's end", tcp, ipv4(6, 0, tcpOf(tcp.seq+1, 8, flagACK, 0)...), other, false},
		{"data", tcp, ipv4(6, 0, tcpOf(tcp.seq+1, 8, flagACK|flagPSH, 100)...), forward, true},
		{"another connection", tcp, ipv4(6, 0, tcpOf(tcp.seq+2, 0, flagSYN, 0)...), other, false},
		{"about a SYN", tcp, ipv4(1, 0, quoting(icmpUnreachable, ipv4(6, 0, syn[:8]...))...), errorMsg, false},
		{"datagram", udp, ipv4(17, 0, udpOf(40000, 53, udp.token[:])...), forward, false},
		{"its answer", udp, ipv4(17, 0, udpOf(53, 40000, []byte("hello"))...), answer, false},
		{"another datagram", udp, ipv4(17, 0, udpOf(40001, 53, []byte("hello, all"))...), other, false},
		{"about a datagram", udp, ipv4(1, 0, quoting(icmpUnreachable, ipv4(17, 0, udpOf(40000, 53, udp.token[:])...))...), errorMsg, false},
		{"cut short", icmp, ipv4(1, 0, 8, 0, 0), other, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			program, err := filter(c.id.matches())
			if err != nil {
				t.Fatal(err)
			}
			vm := machine(t, program)
			n, err := vm.Run(c.packet)
			if err != nil {
				t.Fatal(err)
			}
			if seen := n > 0; c.want != other && !seen {
				t.Error("the filter leaves it out")
			}
			if c.name == "its answer" { // it is one to what was seen before
				first := readIP(ipv4(17, 0, udpOf(40000, 53, c.id.token[:])...))
				first.src, first.dst = first.dst, first.src
				c.id.classify(first)
				c.id.forwardFlows[readIP(c.packet).flow().reversed()] = true
			}
			p := readIP(c.packet)
			if p == nil {
				t.Fatal("it cannot be read")
			}
			if got, second := c.id.classify(p); got != c.want || second != c.second {
				t.Errorf("it is of class %d (second %t), want %d (%t)", got, second, c.want, c.second)
			}
		})
	}
}

// machine runs a socket's program. The kernel's own notes on a packet are unknown to
// it: everything is IP.
func machine(t *testing.T, program []bpf.RawInstruction) *bpf.VM {
	t.Helper()
	ins, ok := bpf.Disassemble(program)
	if !ok {
		t.Fatal("the program has unknown instructions")
	}
	i := slices.IndexFunc(ins, func(i bpf.Instruction) bool { _, ok := i.(bpf.LoadExtension); return ok })
	ins[i] = bpf.LoadConstant{Dst: bpf.RegA, Val: unix.ETH_P_IP}
	vm, err := bpf.NewVM(ins)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

// FuzzPacket reads what is no packet: it is read as far as it goes, and nothing
// breaks.
func FuzzPacket(f *testing.F) {
	id := newIdentity(unix.IPPROTO_ICMP, false)
	f.Add(ipv4(1, 0, quoting(icmpUnreachable, ipv4(17, 0, udpOf(1, 2, nil)...))...))
	f.Add(ipv4(6, 4, tcpOf(1, 2, flagSYN, 3)...))
	f.Add(ipv6(58, true, echoOf(id, icmp6Echo)...))
	f.Add(ipv6(unix.IPPROTO_HOPOPTS, false, 58, 0, 0, 0, 0, 0, 0, 0, 135))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if p := readIP(b); p != nil {
			_ = p.what()
			for _, proto := range []uint8{unix.IPPROTO_ICMP, unix.IPPROTO_TCP, unix.IPPROTO_UDP} {
				newIdentity(proto, p.v6).classify(p)
			}
		}
		if p := readARP(b); p != nil {
			_ = p.what()
		}
		_, _, _ = destinationOf(string(b))
	})
}
