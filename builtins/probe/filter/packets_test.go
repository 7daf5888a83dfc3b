//go:build linux

package filter

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A packet is built from the inside out: each function puts a header before what it
// is given.

func cat(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func be16(list ...int) []byte {
	var b []byte
	for _, n := range list {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	return b
}

func be32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func addr(s string) []byte { return netip.MustParseAddr(s).AsSlice() }

func mac(s string) []byte {
	m, ok := parseMAC(s)
	if !ok {
		panic(s)
	}
	return m[:]
}

func ether(dst, src string, typ int, payload ...[]byte) []byte {
	return cat(mac(dst), mac(src), be16(typ), cat(payload...))
}

// tag is a VLAN tag and what follows: it stands behind the type that says so.
func tag(tci, typ int, payload []byte) []byte { return cat(be16(tci, typ), payload) }

func stacked(n uint32, last bool, payload []byte) []byte {
	word := n<<12 | 64
	if last {
		word |= 1 << 8
	}
	return cat(be32(word), payload)
}

func pppoe(session, protocol int, payload []byte) []byte {
	return cat([]byte{0x11, 0}, be16(session, len(payload)+2, protocol), payload)
}

type ip4 struct {
	src, dst string
	proto    byte
	fragment int // flags and offset
	options  []byte
	ttl      byte
}

func (h ip4) with(payload ...[]byte) []byte {
	p := cat(payload...)
	words := 5 + len(h.options)/4
	b := cat([]byte{0x40 | byte(words), 0}, be16(4*words+len(p), 0x1234, h.fragment), []byte{max(h.ttl, 1), h.proto, 0, 0}, addr(h.src), addr(h.dst), h.options, p)
	return b
}

type ip6 struct {
	src, dst string
	next     byte
}

func (h ip6) with(payload ...[]byte) []byte {
	p := cat(payload...)
	return cat([]byte{0x60, 0, 0, 0}, be16(len(p)), []byte{h.next, 64}, addr(h.src), addr(h.dst), p)
}

// extension is an IPv6 header of 8·(1+n) bytes.
func extension(next byte, n int, payload ...[]byte) []byte {
	return cat([]byte{next, byte(n)}, make([]byte, 6+8*n), cat(payload...))
}

func authentication(next byte, payload ...[]byte) []byte {
	return cat([]byte{next, 4}, make([]byte, 22), cat(payload...))
}

func fragment6(next byte, offset int, payload ...[]byte) []byte {
	return cat([]byte{next, 0}, be16(offset<<3), be32(7), cat(payload...))
}

func tcp(src, dst int, flags byte, payload ...byte) []byte {
	return cat(be16(src, dst), be32(100), be32(200), []byte{0x50, flags}, be16(1000, 0, 0), payload)
}

func udp(src, dst int, payload ...[]byte) []byte {
	p := cat(payload...)
	return cat(be16(src, dst, 8+len(p), 0), p)
}

func sctp(src, dst int) []byte { return cat(be16(src, dst), be32(1), be32(2), make([]byte, 8)) }

func icmp(typ, code byte) []byte { return cat([]byte{typ, code, 0, 0}, be32(1), []byte("payload.")) }

func arp(op int, src, dst string) []byte {
	return cat(be16(1, 0x0800), []byte{6, 4}, be16(op), mac("2:0:0:0:0:1"), addr(src), make([]byte, 6), addr(dst))
}

func geneve(vni uint32, options int, typ int, payload []byte) []byte {
	return cat([]byte{byte(options), 0}, be16(typ), be32(vni<<8), make([]byte, 4*options), payload)
}

const (
	m1, m2      = "02:00:00:00:00:01", "02:00:00:00:00:02"
	every       = "ff:ff:ff:ff:ff:ff"
	everyRouter = "01:00:5e:00:00:12"
	ip, ip6ty   = unix.ETH_P_IP, unix.ETH_P_IPV6
)

// inner are the packets of the network layer, with their Ethernet types.
func inner() []struct {
	name string
	typ  int
	data []byte
} {
	type entry = struct {
		name string
		typ  int
		data []byte
	}
	var list []entry
	add := func(name string, typ int, data []byte) { list = append(list, entry{name, typ, data}) }
	a, b := "10.0.0.1", "10.0.0.2"
	v4 := func(proto byte) ip4 { return ip4{src: a, dst: b, proto: proto} }
	for _, ports := range [][2]int{{1024, 80}, {80, 1024}, {53, 53}, {6000, 22}, {20, 6004}, {179, 40000}, {40000, 443}} {
		for _, flags := range []byte{2, 18, 16, 17, 4} {
			if flags == 2 || ports[1] == 80 {
				add(fmt.Sprintf("tcp %v flags %d", ports, flags), ip, v4(6).with(tcp(ports[0], ports[1], flags, 1, 2, 3, 4)))
			}
		}
		add(fmt.Sprint("udp ", ports), ip, ip4{src: "192.168.1.7", dst: "10.1.2.3", proto: 17}.with(udp(ports[0], ports[1], []byte("hello"))))
		add(fmt.Sprint("sctp ", ports), ip, v4(132).with(sctp(ports[0], ports[1])))
		add(fmt.Sprint("tcp6 ", ports), ip6ty, ip6{"fd00::1", "fd00::2", 6}.with(tcp(ports[0], ports[1], 2)))
		add(fmt.Sprint("udp6 ", ports), ip6ty, ip6{"fe80::1", "2001:db8::5", 17}.with(udp(ports[0], ports[1], []byte("x"))))
		add(fmt.Sprint("sctp6 ", ports), ip6ty, ip6{"2001:db8:1::1", "fd00::1", 132}.with(sctp(ports[0], ports[1])))
		add(fmt.Sprint("options ", ports), ip, ip4{src: b, dst: a, proto: 6, options: []byte{7, 7, 4, 0, 0, 0, 0, 0}}.with(tcp(ports[0], ports[1], 16)))
	}
	for _, typ := range []byte{0, 3, 5, 8, 11, 13} {
		add(fmt.Sprint("icmp ", typ), ip, v4(1).with(icmp(typ, typ/3)))
	}
	for _, typ := range []byte{1, 2, 128, 129, 133, 134, 135, 136, 143} {
		add(fmt.Sprint("icmp6 ", typ), ip6ty, ip6{"fe80::1", "ff02::1", 58}.with(icmp(typ, typ&1)))
	}
	for _, proto := range []byte{2, 9, 47, 50, 51, 88, 89, 94, 103, 112, 137} {
		add(fmt.Sprint("proto ", proto), ip, ip4{src: "172.16.0.9", dst: "224.0.0.18", proto: proto, ttl: 255}.with(make([]byte, 24)))
		add(fmt.Sprint("proto6 ", proto), ip6ty, ip6{"fd00::9", "ff02::12", proto}.with(make([]byte, 24)))
	}
	add("first fragment", ip, ip4{src: a, dst: b, proto: 17, fragment: 0x2000}.with(udp(53, 80, make([]byte, 16))))
	add("later fragment", ip, ip4{src: a, dst: b, proto: 17, fragment: 0x2003}.with(udp(53, 80, make([]byte, 16))))
	add("last fragment of tcp", ip, ip4{src: a, dst: b, proto: 6, fragment: 0x0100}.with(tcp(80, 80, 255)))
	add("do not fragment", ip, ip4{src: a, dst: "255.255.255.255", proto: 17, fragment: 0x4000}.with(udp(68, 67)))
	add("zero addresses", ip, ip4{src: "0.0.0.0", dst: "10.255.255.255", proto: 17}.with(udp(67, 68)))
	add("host 10", ip, ip4{src: "0.0.0.10", dst: "127.0.0.1", proto: 17}.with(udp(67, 68)))
	add("ipip", ip, v4(4).with(v4(6).with(tcp(1, 80, 2))))
	add("6in4", ip, v4(41).with(ip6{"fd00::1", "fd00::2", 6}.with(tcp(1, 80, 2))))
	add("ah tcp", ip, v4(51).with(authentication(6, tcp(1, 80, 2))))
	add("ah6 tcp", ip6ty, ip6{"fd00::1", "fd00::2", 51}.with(authentication(6, tcp(1, 80, 2))))
	add("hop by hop tcp", ip6ty, ip6{"fd00::1", "fd00::2", 0}.with(extension(6, 0, tcp(1, 80, 2))))
	add("hop by hop icmp6", ip6ty, ip6{"fe80::1", "ff02::16", 0}.with(extension(58, 0, icmp(143, 0))))
	add("three extensions", ip6ty, ip6{"fd00::1", "fd00::2", 0}.with(extension(60, 1, extension(43, 2, extension(17, 0, udp(53, 53))))))
	add("nothing after", ip6ty, ip6{"fd00::1", "fd00::2", 0}.with(extension(59, 0)))
	add("six extensions", ip6ty, ip6{"fd00::1", "fd00::2", 0}.with(extension(60, 0, extension(60, 0, extension(60, 0, extension(60, 0, extension(60, 0, extension(17, 0, udp(53, 53)))))))))
	add("first fragment6", ip6ty, ip6{"fd00::1", "fd00::2", 44}.with(fragment6(6, 0, tcp(1, 80, 2))))
	add("later fragment6", ip6ty, ip6{"fd00::1", "fd00::2", 44}.with(fragment6(17, 100, udp(1, 80))))
	add("fragmented options", ip6ty, ip6{"fd00::1", "fd00::2", 44}.with(fragment6(60, 0, extension(6, 0, tcp(1, 80, 2)))))
	frame := ether(m2, m1, ip, v4(6).with(tcp(1024, 80, 2)))
	for _, options := range []int{0, 2, 63} {
		add(fmt.Sprint("geneve ", options), ip, v4(17).with(udp(7, 6081, geneve(11, options, 0x6558, frame))))
		add(fmt.Sprint("geneve6 ", options), ip6ty, ip6{"fd00::1", "fd00::2", 17}.with(udp(7, 6081, geneve(12, options, 0x6558, frame))))
	}
	add("geneve ip", ip, ip4{src: a, dst: b, proto: 17, options: make([]byte, 4)}.with(udp(7, 6081, geneve(11, 1, ip, v4(6).with(tcp(1024, 80, 2))))))
	add("geneve version 1", ip, v4(17).with(udp(7, 6081, cat([]byte{0x40, 0}, geneve(11, 0, 0x6558, frame)[2:]))))
	add("geneve vlan", ip, v4(17).with(udp(7, 6081, geneve(11, 0, 0x6558, ether(m2, m1, 0x8100, tag(5, ip, v4(17).with(udp(53, 80))))))))
	add("vxlan", ip, v4(17).with(udp(7, 4789, cat([]byte{8, 0, 0, 0}, be32(5<<8), frame))))
	return list
}

// frames are Ethernet frames of every sort.
func frames() []packet {
	var list []packet
	add := func(name string, data []byte) { list = append(list, packet{name: name, data: data}) }
	for i, p := range inner() {
		dst := m2
		if i%5 == 4 {
			dst = everyRouter
		}
		add(p.name, ether(dst, m1, p.typ, p.data))
		if i%3 == 0 {
			add("vlan 5 "+p.name, ether(m1, m2, 0x8100, tag(0xa005, p.typ, p.data)))
			add("mpls "+p.name, ether(m1, m2, 0x8847, stacked(100000, true, p.data)))
			add("pppoe "+p.name, ether(m1, m2, 0x8864, pppoe(0x27, map[int]int{ip: 0x21, ip6ty: 0x57}[p.typ], p.data)))
		}
		if i%4 == 1 {
			add("vlan 100 vlan 200 "+p.name, ether(m1, m2, 0x88a8, tag(100, 0x8100, tag(200, p.typ, p.data))))
			add("vlan 300 9100 "+p.name, ether(m1, m2, 0x9100, tag(300, p.typ, p.data)))
			add("two labels "+p.name, ether(m1, m2, 0x8847, stacked(100000, false, stacked(1024, true, p.data))))
			add("vlan mpls "+p.name, ether(m1, m2, 0x8100, tag(5, 0x8847, stacked(7, true, p.data))))
			add("vlan pppoe "+p.name, ether(m1, m2, 0x8100, tag(5, 0x8864, pppoe(1, map[int]int{ip: 0x21, ip6ty: 0x57}[p.typ], p.data))))
			add("three vlans "+p.name, ether(m1, m2, 0x8100, tag(5, 0x8100, tag(6, 0x8100, tag(7, p.typ, p.data)))))
		}
	}
	for op := 1; op <= 2; op++ {
		add("arp", ether(every, m1, 0x0806, arp(op, "10.0.0.1", "10.0.0.2")))
		add("arp reply", ether(m1, m2, 0x0806, arp(op, "10.0.0.2", "192.168.1.1")))
		add("rarp", ether(every, m2, 0x8035, arp(op+2, "10.0.0.1", "10.0.0.9")))
		add("vlan arp", ether(every, m2, 0x8100, tag(5, 0x0806, arp(op, "10.0.0.1", "10.0.0.9"))))
	}
	llc := func(dst string, parts ...[]byte) []byte { p := cat(parts...); return ether(dst, m1, len(p), p) }
	add("stp", llc("01:80:c2:00:00:00", []byte{0x42, 0x42, 3}, make([]byte, 35)))
	add("ipx 802.3", llc(every, be16(0xffff), make([]byte, 40)))
	add("ipx llc", llc(every, []byte{0xe0, 0xe0, 3}, make([]byte, 40)))
	add("ipx snap", llc(every, be32(0xaaaa0300), be32(0x00008137), make([]byte, 40)))
	add("ipx", ether(every, m1, 0x8137, make([]byte, 40)))
	add("netbeui", llc(every, []byte{0xf0, 0xf0, 3}, make([]byte, 40)))
	add("atalk", ether(every, m1, 0x809b, make([]byte, 40)))
	add("atalk snap", llc(every, be32(0xaaaa0308), be32(0x0007809b), make([]byte, 40)))
	add("aarp snap", llc(every, be32(0xaaaa0300), be32(0x000080f3), make([]byte, 40)))
	add("aarp", ether(every, m1, 0x80f3, make([]byte, 40)))
	add("ip llc", llc(m1, []byte{6, 6, 3}, ip4{src: "10.0.0.1", dst: "10.0.0.2", proto: 6}.with(tcp(1, 80, 2))))
	for _, pdu := range []byte{15, 16, 17, 18, 20, 24, 25, 26, 27} {
		add(fmt.Sprint("isis ", pdu), llc("01:80:c2:00:00:14", []byte{0xfe, 0xfe, 3, 0x83, 27, 1, 0, pdu}, make([]byte, 30)))
	}
	add("clnp", llc(m1, []byte{0xfe, 0xfe, 3, 0x81}, make([]byte, 30)))
	add("esis", llc(m1, []byte{0xfe, 0xfe, 3, 0x82}, make([]byte, 30)))
	for _, control := range []byte{0, 1, 5, 9, 3, 0x63, 0x43, 0x0f, 0x6f, 0xe3, 0xaf, 0x87, 0x7f} {
		add(fmt.Sprint("llc ", control), llc(m1, []byte{0x10, 0x10, control}, make([]byte, 30)))
	}
	for _, typ := range []int{0x6003, 0x6004, 0x6007, 0x6001, 0x6002, 0x88cc, 0x9000, 0x8863, 0x8848, 0x888e, 1500, 1501, 0} {
		add(fmt.Sprintf("type %#x", typ), ether(m2, m1, typ, make([]byte, 46)))
	}
	add("pppoe isis", ether(m1, m2, 0x8864, pppoe(2, 0x23, []byte{0x83, 0, 0, 0, 17, 0, 0, 0, 0, 0})))
	add("pppoe mpls", ether(m1, m2, 0x8864, pppoe(2, 0x281, stacked(5, true, ip4{src: "10.0.0.1", dst: "10.0.0.2", proto: 6}.with(tcp(1, 80, 2))))))
	return append(list, mutations(list)...)
}

// mutations are truncated and damaged packets.
func mutations(list []packet) []packet {
	random := rand.New(rand.NewPCG(1, 2))
	var out []packet
	for i, p := range list {
		cut := random.IntN(len(p.data))
		if i%2 == 0 {
			cut = random.IntN(min(len(p.data), 60))
		}
		out = append(out, packet{name: fmt.Sprintf("%s, %d bytes", p.name, cut), data: p.data[:cut]})
		b := cat(p.data)
		for range 1 + random.IntN(3) {
			b[random.IntN(min(len(b), 64))] = byte(random.Uint32())
		}
		out = append(out, packet{name: p.name + ", damaged", data: b})
	}
	return out
}

// bare are packets without a link header.
func bare() []packet {
	var list []packet
	for _, p := range inner() {
		list = append(list, packet{name: p.name, data: p.data})
	}
	return append(list, mutations(list)...)
}

// cooked are packets of the format LINKTYPE_LINUX_SLL.
func cooked() []packet {
	var list []packet
	for i, p := range frames() {
		if len(p.data) < 14 {
			list = append(list, p)
			continue
		}
		typ := int(binary.BigEndian.Uint16(p.data[12:]))
		if typ <= 1500 {
			typ = 4 - 3*(i%2)
		}
		list = append(list, packet{name: p.name, data: cat(be16(i%5, 1, 6), p.data[6:12], be16(0, typ), p.data[14:])})
	}
	return list
}
