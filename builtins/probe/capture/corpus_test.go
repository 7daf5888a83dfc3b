//go:build linux

package capture

import (
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

var update = flag.Bool("update", false, "make the packets of testdata anew, and have tcpdump print them")

// styles are those in which the packets are printed, with tcpdump's flags for each.
var styles = map[string]struct {
	style Style
	flags []string
}{
	"plain":   {Style{}, nil},
	"link":    {Style{Link: true}, []string{"-e"}},
	"verbose": {Style{Verbose: true}, []string{"-v"}},
	"quick":   {Style{Quick: true}, []string{"-q"}},
}

// TestSummary holds the lines of packets against those of tcpdump -nn -t, which are
// in testdata: crafted.pcap is made here, real.pcap is what a lab has sent.
//
//	go test ./builtins/probe/capture -run TestSummary -update
//
// makes crafted.pcap anew and has tcpdump print both.
func TestSummary(t *testing.T) {
	if *update {
		writeCorpus(t, "testdata/crafted.pcap")
	}
	files, err := filepath.Glob("testdata/*.pcap")
	if err != nil || len(files) == 0 {
		t.Fatalf("no packets in testdata: %v", err)
	}
	for _, file := range files {
		for name, s := range styles {
			want := strings.TrimSuffix(file, ".pcap") + "." + name
			if *update {
				tcpdump(t, file, want, s.flags)
			}
			text, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(linesOf(t, file, s.style), "\n")
			if !s.style.Link {
				got = tags.ReplaceAllString(got, "")
			}
			if diff := cmp.Diff(strings.Split(alike(string(text)), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s, %s (-tcpdump +ours):\n%s", file, name, diff)
			}
		}
	}
}

// tcpdump has it print a file.
func tcpdump(t *testing.T, file, to string, flags []string) {
	t.Helper()
	cmd := exec.Command("tcpdump", append(append([]string{"-nn", "-t", "-K"}, flags...), "-r", file)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	if err := os.WriteFile(to, out, 0o644); err != nil {
		t.Fatal(err)
	}
}

// linesOf prints the packets of a file.
func linesOf(t testing.TB, file string, s Style) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r, err := pcapgo.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dev := &Device{Name: "eth0", Link: r.LinkType()}
	var flows Flows
	var lines []string
	for {
		data, ci, err := r.ReadPacketData()
		if err != nil {
			return lines
		}
		p := &Packet{Time: ci.Timestamp, Dev: dev, Length: ci.Length, Data: data}
		flows.Note(p)
		lines = append(lines, p.Text(s))
	}
}

// writeCorpus makes a file of packets of all kinds that are known here.
func writeCorpus(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(65536, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1700000000, 0)
	for _, b := range crafted() {
		at = at.Add(time.Millisecond)
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(b), Length: len(b)}, b); err != nil {
			t.Fatal(err)
		}
	}
	long := frame(v4("10.0.0.1", "10.0.0.2", layers.IPProtocolTCP), tcp(40000, 80, 1, 1, ".", nil), make(gopacket.Payload, 1000))
	for _, n := range []int{10, 14, 20, 33, 36, 40, 53, 54, 100} { // as with a small snaplen
		at = at.Add(time.Millisecond)
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: n, Length: len(long)}, long[:n]); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

var (
	macA, _ = net.ParseMAC("02:00:00:00:00:01")
	macB, _ = net.ParseMAC("02:00:00:00:00:02")
)

func serialize(l ...gopacket.SerializableLayer) []byte {
	sums := false // a part of a packet has none
	for i, one := range l {
		var ip gopacket.NetworkLayer
		for _, before := range l[:i] {
			if n, ok := before.(gopacket.NetworkLayer); ok {
				ip = n
			}
		}
		if c, ok := one.(interface {
			SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
		}); ok && ip != nil {
			_ = c.SetNetworkLayerForChecksum(ip)
		}
		sums = sums || ip != nil
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: sums}, l...); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

// frame puts an Ethernet header before what is given.
func frame(l ...gopacket.SerializableLayer) []byte {
	e := &layers.Ethernet{SrcMAC: macA, DstMAC: macB, EthernetType: typeOf(l[0])}
	return serialize(append([]gopacket.SerializableLayer{e}, l...)...)
}

func typeOf(l gopacket.SerializableLayer) layers.EthernetType {
	switch l.(type) {
	case *layers.IPv4:
		return layers.EthernetTypeIPv4
	case *layers.IPv6:
		return layers.EthernetTypeIPv6
	case *layers.ARP:
		return layers.EthernetTypeARP
	case *layers.Dot1Q:
		return layers.EthernetTypeDot1Q
	}
	return 0x88b5
}

func v4(src, dst string, proto layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: 64, Id: 4711, Protocol: proto, SrcIP: net.ParseIP(src), DstIP: net.ParseIP(dst)}
}

func v6(src, dst string, proto layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: proto, SrcIP: net.ParseIP(src), DstIP: net.ParseIP(dst)}
}

func tcp(sport, dport int, seq, ack uint32, flags string, options []layers.TCPOption) *layers.TCP {
	has := func(s string) bool { return strings.Contains(flags, s) }
	return &layers.TCP{SrcPort: layers.TCPPort(sport), DstPort: layers.TCPPort(dport), Seq: seq, Ack: ack, Window: 502,
		SYN: has("S"), FIN: has("F"), RST: has("R"), PSH: has("P"), ACK: has("."), URG: has("U"), ECE: has("E"), CWR: has("W"), Options: options}
}

func udp(sport, dport int) *layers.UDP {
	return &layers.UDP{SrcPort: layers.UDPPort(sport), DstPort: layers.UDPPort(dport)}
}

func arp(op uint16, src, dst string, dstMAC net.HardwareAddr) *layers.ARP {
	return &layers.ARP{AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: op,
		SourceHwAddress: macA, SourceProtAddress: net.ParseIP(src).To4(), DstHwAddress: dstMAC, DstProtAddress: net.ParseIP(dst).To4()}
}

// quoted is the beginning of a packet, as ICMP sends it back.
func quoted(proto layers.IPProtocol, l gopacket.SerializableLayer) gopacket.Payload {
	return gopacket.Payload(serialize(v4("10.0.0.1", "10.9.0.9", proto), l, gopacket.Payload("payload")))
}

func icmp4(kind, code uint8, id, seq uint16) *layers.ICMPv4 {
	return &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, code), Id: id, Seq: seq}
}

// raw6 is a message of ICMPv6.
func raw6(src, dst string, kind, code byte, body ...byte) []byte {
	return frame(v6(src, dst, layers.IPProtocolICMPv6), &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(kind, code)}, gopacket.Payload(body))
}

func crafted() [][]byte {
	none := net.HardwareAddr{0, 0, 0, 0, 0, 0}
	var all [][]byte
	add := func(b []byte) { all = append(all, b) }
	a, b := "10.0.0.1", "10.0.0.2"

	// ARP, padded to the least frame as well.
	add(frame(arp(1, a, b, none)))
	add(append(frame(arp(1, a, b, none)), make([]byte, 18)...))
	add(frame(arp(2, b, a, macA)))
	add(frame(arp(1, a, a, net.HardwareAddr{255, 255, 255, 255, 255, 255})))
	add(frame(arp(1, "0.0.0.0", b, none)))

	// TCP: a connection with all that belongs to it, and what does not.
	syn := []layers.TCPOption{
		{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{5, 180}},
		{OptionType: layers.TCPOptionKindSACKPermitted, OptionLength: 2},
		{OptionType: layers.TCPOptionKindTimestamps, OptionLength: 10, OptionData: []byte{0, 0, 0, 1, 0, 0, 0, 2}},
		{OptionType: layers.TCPOptionKindNop, OptionLength: 1},
		{OptionType: layers.TCPOptionKindWindowScale, OptionLength: 3, OptionData: []byte{7}}}
	sack := []layers.TCPOption{{OptionType: layers.TCPOptionKindNop, OptionLength: 1}, {OptionType: layers.TCPOptionKindNop, OptionLength: 1},
		{OptionType: layers.TCPOptionKindSACK, OptionLength: 18, OptionData: []byte{0, 0, 3, 250, 0, 0, 4, 4, 0, 0, 4, 14, 0, 0, 4, 24}}}
	unknown := []layers.TCPOption{{OptionType: 34, OptionLength: 2},
		{OptionType: 34, OptionLength: 10, OptionData: []byte{1, 2, 3, 4, 5, 6, 7, 8}}}
	to := func(l *layers.TCP, data string) { add(frame(v4(a, b, 6), l, gopacket.Payload(data))) }
	from := func(l *layers.TCP, data string) { add(frame(v4(b, a, 6), l, gopacket.Payload(data))) }
	to(tcp(40000, 5432, 1000, 0, "S", syn), "")
	from(tcp(5432, 40000, 2000, 1001, "S.", syn), "")
	to(tcp(40000, 5432, 1001, 2001, ".", nil), "")
	to(tcp(40000, 5432, 1001, 2001, "P.", nil), "hello")
	from(tcp(5432, 40000, 2001, 1006, ".", sack), "")
	to(tcp(40000, 5432, 1006, 2001, ".", sack), "x")
	from(tcp(5432, 40000, 2001, 1006, "F.", nil), "")
	to(tcp(40000, 5432, 1006, 2002, "R.", nil), "")
	to(tcp(40000, 5432, 1006, 0, "R", nil), "")
	to(tcp(40000, 5432, 5000, 0, "S", nil), "")
	from(tcp(5432, 40000, 9000, 5001, "R.", nil), "")
	to(tcp(40001, 5432, 77, 88, "P.UEW", unknown), "late")
	to(tcp(40001, 5432, 81, 88, ".", nil), "")
	to(tcp(1, 2, 1, 1, "", nil), "")
	to(tcp(40002, 80, 1, 1, "P.", nil), "GET /index.html HTTP/1.1\r\nHost: web\r\n\r\n")
	from(tcp(80, 40002, 1, 40, "P.", nil), "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhi")
	from(tcp(80, 40002, 33, 40, "P.", nil), "the body")
	add(frame(v6("fd00::2", "fd00::1", 6), tcp(5432, 40000, 2000, 1001, "S.", syn)))
	add(frame(v6("fd00::1", "fd00::2", 6), tcp(40000, 5432, 1001, 2001, ".", nil), gopacket.Payload("data")))

	// UDP and what goes over it.
	add(frame(v4(a, b, 17), udp(1234, 9), gopacket.Payload("hello")))
	add(frame(v6("fd00::1", "fd00::2", 17), udp(1234, 9), gopacket.Payload("hello")))
	question := []layers.DNSQuestion{{Name: []byte("www.example.com"), Type: layers.DNSTypeA, Class: layers.DNSClassIN}}
	add(frame(v4(a, b, 17), udp(1234, 53), &layers.DNS{ID: 4711, RD: true, Questions: question}))
	add(frame(v4(a, b, 17), udp(1234, 53), &layers.DNS{ID: 4712, RD: true, Questions: []layers.DNSQuestion{{Name: []byte("x.y"), Type: layers.DNSTypeAAAA, Class: 1}}}))
	add(frame(v4(b, a, 17), udp(53, 1234), &layers.DNS{ID: 4711, QR: true, RD: true, RA: true, Questions: question, Answers: []layers.DNSResourceRecord{
		{Name: []byte("www.example.com"), Type: layers.DNSTypeCNAME, Class: 1, TTL: 60, CNAME: []byte("web.example.com")},
		{Name: []byte("web.example.com"), Type: layers.DNSTypeA, Class: 1, TTL: 60, IP: net.ParseIP("192.0.2.7")}}}))
	add(frame(v4(b, a, 17), udp(53, 1234), &layers.DNS{ID: 4711, QR: true, AA: true, RA: true, ResponseCode: 3, Questions: question}))
	add(frame(v4(b, a, 17), udp(53, 1234), &layers.DNS{ID: 4713, QR: true, ResponseCode: 5, Questions: question}))
	add(frame(v4(a, "224.0.0.251", 17), udp(5353, 5353), &layers.DNS{Questions: []layers.DNSQuestion{{Name: []byte("_http._tcp.local"), Type: layers.DNSTypePTR, Class: 1}}}))
	add(frame(v4("0.0.0.0", "255.255.255.255", 17), udp(68, 67), &layers.DHCPv4{Operation: layers.DHCPOpRequest, HardwareType: layers.LinkTypeEthernet, HardwareLen: 6, Xid: 1, ClientHWAddr: macA}))
	add(frame(v4(a, b, 17), udp(50000, 4789), &layers.VXLAN{ValidIDFlag: true, VNI: 42}, gopacket.Payload(frame(v4("192.168.0.1", "192.168.0.2", 1), icmp4(8, 0, 1, 2), gopacket.Payload("inside")))))

	// ICMP: questions, answers and refusals.
	add(frame(v4(a, b, 1), icmp4(8, 0, 17, 1), make(gopacket.Payload, 56)))
	add(frame(v4(b, a, 1), icmp4(0, 0, 17, 1), make(gopacket.Payload, 56)))
	for code := range uint8(17) {
		seq := uint16(0)
		if code == 4 {
			seq = 1400
		}
		add(frame(v4("10.0.0.254", a, 1), icmp4(3, code, 0, seq), quoted(17, udp(1234, 99))))
	}
	add(frame(v4("10.0.0.254", a, 1), icmp4(3, 4, 0, 0), quoted(17, udp(1234, 99))))
	add(frame(v4("10.0.0.254", a, 1), icmp4(3, 3, 0, 0), quoted(6, tcp(1234, 99, 1, 0, "S", nil))))
	add(frame(v4("10.0.0.254", a, 1), icmp4(3, 3, 0, 0), quoted(47, udp(1234, 99))))
	for code := range uint8(3) {
		add(frame(v4("10.0.0.254", a, 1), icmp4(11, code, 0, 0), quoted(17, udp(1234, 99))))
	}
	for code := range uint8(4) {
		add(frame(v4("10.0.0.254", a, 1), icmp4(5, code, 0x0a00, 0x00fd), quoted(17, udp(1234, 99))))
	}
	add(frame(v4("10.0.0.254", a, 1), icmp4(12, 0, 0x0800, 0), quoted(17, udp(1234, 99))))
	add(frame(v4("10.0.0.254", a, 1), icmp4(12, 1, 0x0800, 0), quoted(17, udp(1234, 99))))
	add(frame(v4(a, b, 1), icmp4(13, 0, 3, 4), make(gopacket.Payload, 12)))
	add(frame(v4(a, b, 1), icmp4(77, 0, 3, 4), make(gopacket.Payload, 12)))
	add(frame(v4(a, b, 1), icmp4(10, 0, 0, 0)))

	// Fragments, options, other protocols.
	first := v4(a, b, 1)
	first.Flags = layers.IPv4MoreFragments
	add(frame(first, icmp4(8, 0, 17, 1), make(gopacket.Payload, 1472)))
	second := v4(a, b, 1)
	second.FragOffset = 185
	add(frame(second, make(gopacket.Payload, 100)))
	df := v4(a, b, 17)
	df.Flags, df.TOS, df.TTL = layers.IPv4DontFragment, 0x12, 3
	add(frame(df, udp(7, 9), gopacket.Payload("x")))
	add(frame(v4(a, b, 253), make(gopacket.Payload, 20)))
	add(frame(v4(a, b, 50), gopacket.Payload{0, 0, 1, 0, 0, 0, 0, 9, 1, 2, 3, 4}))
	add(frame(v4(a, b, 4), v4("192.168.0.1", "192.168.0.2", 17), udp(1, 9), gopacket.Payload("inside")))
	add(frame(v4(a, b, 41), v6("fd00::1", "fd00::2", 17), udp(1, 9), gopacket.Payload("inside")))
	add(frame(v4(a, b, 47), gopacket.Payload(append([]byte{0, 0, 8, 0}, udpPacket("192.168.0.1", "192.168.0.2", 1, 9, "inside")...))))
	add(frame(v4(a, b, 47), gopacket.Payload(append([]byte{0x20, 0, 8, 0, 0, 0, 0, 42}, udpPacket("192.168.0.1", "192.168.0.2", 1, 9, "inside")...))))
	add(frame(v4(a, b, 47), gopacket.Payload(append([]byte{0x00, 0, 0x65, 0x58}, frame(arp(1, a, b, none))...))))

	// IGMP.
	igmp := func(dst string, body ...byte) { add(frame(v4(a, dst, 2), gopacket.Payload(body))) }
	igmp("224.0.0.1", 0x11, 100, 0xee, 0x9b, 0, 0, 0, 0)
	igmp("224.0.0.1", 0x11, 100, 0xec, 0x1e, 0, 0, 0, 0, 2, 125, 0, 0)
	igmp("239.1.2.3", 0x16, 0, 0xf8, 0xfa, 239, 1, 2, 3)
	igmp("224.0.0.2", 0x17, 0, 0xf7, 0xfa, 239, 1, 2, 3)
	igmp("224.0.0.22", 0x22, 0, 0xea, 0xfa, 0, 0, 0, 1, 4, 0, 0, 0, 239, 1, 2, 3)

	// ICMPv6.
	ll, all6, solicited := "fe80::1", "ff02::1", "ff02::1:ff00:2"
	addr := func(s string) []byte { return net.ParseIP(s).To16() }
	join := func(parts ...[]byte) (out []byte) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	back := serialize(v6("fd00::1", "fd00:9::9", 17), udp(1234, 99), gopacket.Payload("payload"))
	add(raw6("fd00::1", "fd00::2", 128, 0, join([]byte{0, 17, 0, 1}, make([]byte, 56))...))
	add(raw6("fd00::2", "fd00::1", 129, 0, join([]byte{0, 17, 0, 1}, make([]byte, 56))...))
	for code := range byte(5) {
		add(raw6("fd00::fe", "fd00::1", 1, code, join(make([]byte, 4), back)...))
	}
	add(raw6("fd00::fe", "fd00::1", 2, 0, join([]byte{0, 0, 5, 0}, back)...))
	add(raw6("fd00::fe", "fd00::1", 3, 0, join(make([]byte, 4), back)...))
	add(raw6("fd00::fe", "fd00::1", 3, 1, join(make([]byte, 4), back)...))
	for code := range byte(3) {
		add(raw6("fd00::fe", "fd00::1", 4, code, join([]byte{0, 0, 0, 6}, back)...))
	}
	add(raw6(ll, solicited, 135, 0, join(make([]byte, 4), addr("fe80::2"), []byte{1, 1}, macA)...))
	add(raw6("fe80::2", ll, 136, 0, join([]byte{0x60, 0, 0, 0}, addr("fe80::2"), []byte{2, 1}, macB)...))
	add(raw6(ll, "ff02::2", 133, 0, join(make([]byte, 4), []byte{1, 1}, macA)...))
	add(raw6(ll, all6, 134, 0, join([]byte{64, 0, 7, 8}, make([]byte, 8), []byte{1, 1}, macA)...))
	add(raw6(ll, "fe80::2", 137, 0, join(make([]byte, 4), addr("fe80::3"), addr("fd00::9"))...))
	add(raw6(ll, all6, 130, 0, join([]byte{0x27, 0x10, 0, 0}, make([]byte, 16))...))
	add(raw6(ll, all6, 130, 0, join([]byte{0x27, 0x10, 0, 0}, make([]byte, 16), []byte{2, 125, 0, 0})...))
	add(raw6(ll, "ff02::5", 131, 0, join(make([]byte, 4), addr("ff02::5"))...))
	add(raw6(ll, "ff02::2", 132, 0, join(make([]byte, 4), addr("ff02::5"))...))
	report := serialize(&layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(143, 0)}, gopacket.Payload(join([]byte{0, 0, 0, 1, 4, 0, 0, 0}, addr("ff02::5"))))
	add(frame(v6(ll, "ff02::16", 0), gopacket.Payload(join([]byte{58, 0, 5, 2, 0, 0, 1, 0}, report))))

	// IPv6 fragments and extension headers.
	datagram := serialize(udp(1, 9), make(gopacket.Payload, 1000))
	add(frame(v6("fd00::1", "fd00::2", 44), gopacket.Payload(join([]byte{17, 0, 0, 1, 0, 0, 0, 9}, datagram))))
	add(frame(v6("fd00::1", "fd00::2", 44), gopacket.Payload(join([]byte{17, 0, 0x03, 0xf0, 0, 0, 0, 9}, make([]byte, 100)))))
	add(frame(v6("fd00::1", "fd00::2", 60), gopacket.Payload(join([]byte{17, 0, 1, 4, 0, 0, 0, 0}, datagram))))
	add(frame(v6("fd00::1", "fd00::2", 59)))
	add(frame(v6("fd00::1", "fd00::2", 253), make(gopacket.Payload, 20)))
	flow := v6("fd00::1", "fd00::2", 17)
	flow.FlowLabel, flow.TrafficClass = 0x12345, 0x20
	add(frame(flow, udp(1, 9), gopacket.Payload("x")))

	// Ethernet: VLAN tags, the spanning tree, neighbours, what nobody knows.
	add(frame(&layers.Dot1Q{VLANIdentifier: 7, Priority: 1, Type: 0x0800}, v4(a, b, 1), icmp4(8, 0, 1, 1), gopacket.Payload("tagged")))
	add(frame(&layers.Dot1Q{VLANIdentifier: 7, Type: 0x8100}, &layers.Dot1Q{VLANIdentifier: 8, Type: 0x0806}, arp(1, a, b, none)))
	bpdu := append([]byte{0x42, 0x42, 3, 0, 0, 0, 0, 0, 0x80, 0}, macA...)
	bpdu = append(append(bpdu, 0, 0, 0, 0, 0x80, 0), macA...)
	bpdu = append(bpdu, 0x80, 1, 0, 0, 20, 0, 2, 0, 15, 0)
	llc := append([]byte{1, 0x80, 0xc2, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, byte(len(bpdu))}, bpdu...)
	add(append(llc, make([]byte, 8)...))
	change := []byte{1, 0x80, 0xc2, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 7, 0x42, 0x42, 3, 0, 0, 0, 0x80}
	add(append(change, make([]byte, 39)...))
	lldp := append([]byte{1, 0x80, 0xc2, 0, 0, 0x0e, 2, 0, 0, 0, 0, 1, 0x88, 0xcc, 2, 7, 4}, macA...)
	add(append(lldp, 4, 5, 5, 'e', 't', 'h', '0', 6, 2, 0, 120, 10, 3, 's', 'w', '1', 0, 0))
	return all
}

// differences are where a line is not as tcpdump prints it, each with what stands here
// in its place. Beside them, what tcpdump does not know of is hex there.
var differences = []struct {
	tcpdump *regexp.Regexp
	ours    string
}{
	// -v says nothing of checksums.
	{regexp.MustCompile(` ?\[(icmp6 sum ok|udp sum ok|no cksum|bad [a-z0-9]+ cksum [^]]*)\]`), ""},
	{regexp.MustCompile(` bad igmp cksum [0-9a-f]+!`), ""},
	// -v does not list the options of neighbour discovery and of IPv6.
	{regexp.MustCompile(`\n\t  (source|destination) link-address option[^\n]*`), ""},
	{regexp.MustCompile(`\n\thop limit \d+, Flags[^\n]*`), ""},
	{regexp.MustCompile(` \((rtalert: 0x0000|padn)\)`), ""},
	// -v does not print the whole of what applications say.
	{regexp.MustCompile(`: HTTP, length: \d+\n\t([^\n]*)(\n\t[^\n]*)*`), ": HTTP: $1"},
	{regexp.MustCompile(`(BOOTP/DHCP, Request from [^,]*, length \d+),[^\n]*(\n\t[^\n]*)*`), "$1"},
	{regexp.MustCompile(`(LLDP, length \d+)(\n\t[^\n]*)*System Name TLV \(5\), length 3: (sw1)(\n\t[^\n]*)*`), "$1: $3"},
	{regexp.MustCompile(`(GREv2) ERROR: unknown-version`), "$1, length 15"},
	// A quoted packet is never whole.
	{regexp.MustCompile(` \[\|icmp\]\n`), "\n"},
	// A slip of tcpdump's.
	{regexp.MustCompile(`,  unreachable prohibited`), ", unreachable prohibited"},
}

// alike is what is printed here for what tcpdump prints.
func alike(text string) string {
	for _, d := range differences {
		text = d.tcpdump.ReplaceAllString(text, d.ours)
	}
	return strings.TrimRight(text, "\n")
}

// tags are those of VLANs, which tcpdump prints with -e only.
var tags = regexp.MustCompile(`(?m)^(vlan \d+, )+`)
