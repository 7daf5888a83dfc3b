package capture

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/gopacket/gopacket/layers"
)

// Style says how much of a packet its line tells.
type Style struct {
	Link    bool // the link's header too: tcpdump -e
	Verbose bool // time to live, id and flags in brackets: tcpdump -v
	Quick   bool // less of each protocol: tcpdump -q
}

// Fields are what a packet is about.
type Fields struct {
	Src, Dst     string // IP addresses; MAC addresses of what is no IP; "" for none
	Proto        string // tcp, udp, icmp, icmp6, arp, …
	Sport, Dport int    // 0 where there are none
}

// decoded is what was found out of a packet when it was asked for.
type decoded struct {
	fields Fields
	text   string
}

func (p *Packet) decode() *decoded {
	p.once.Do(func() {
		w := p.print(Style{})
		p.seen = &decoded{fields: w.fields, text: w.String()}
	})
	return p.seen
}

// Fields tells what the packet is about.
func (p *Packet) Fields() Fields { return p.decode().fields }

// Summary is the packet as one line, as tcpdump -nn prints it.
func (p *Packet) Summary() string { return strings.ReplaceAll(p.decode().text, "\n", " ") }

// Text is the packet as tcpdump -nn prints it, which may be several lines: with
// Verbose, and of a packet in a packet.
func (p *Packet) Text(s Style) string {
	if s == (Style{}) {
		return p.decode().text
	}
	return p.print(s).String()
}

// Ethernet's types of payload (IEEE 802 Numbers at IANA).
const (
	typeIPv4 = 0x0800
	typeARP  = 0x0806
	typeVLAN = 0x8100
	typeQinQ = 0x88a8
	typeIPv6 = 0x86dd
	typeLLDP = 0x88cc
)

// network returns what stands behind the link's header, and its Ethernet type.
func (p *Packet) network() (b []byte, etherType int) {
	b = p.Data
	switch p.Dev.Link {
	case layers.LinkTypeEthernet:
		if len(b) < 14 {
			return nil, 0
		}
		etherType, b = int(binary.BigEndian.Uint16(b[12:])), b[14:]
		for (etherType == typeVLAN || etherType == typeQinQ) && len(b) >= vlanTag {
			etherType, b = int(binary.BigEndian.Uint16(b[2:])), b[vlanTag:]
		}
	case layers.LinkTypeRaw:
		etherType = rawType(b)
	case layers.LinkTypeLinuxSLL:
		if len(b) < sllHead {
			return nil, 0
		}
		etherType, b = int(binary.BigEndian.Uint16(b[14:])), b[sllHead:]
	}
	return b, etherType
}

// sllHead is the size of the header of LINKTYPE_LINUX_SLL.
const sllHead = 16

// rawType is the Ethernet type of what begins with an IP header.
func rawType(b []byte) int {
	switch {
	case len(b) > 0 && b[0]>>4 == 4:
		return typeIPv4
	case len(b) > 0 && b[0]>>4 == 6:
		return typeIPv6
	}
	return 0
}

// line puts a packet in words.
type line struct {
	strings.Builder
	style  Style
	flow   *flowStart
	fields Fields
	depth  int // of packets in packets
}

// deepest is how many packets in one another are told of.
const deepest = 6

// print never fails: what cannot be read is said to be so.
func (p *Packet) print(s Style) (w *line) {
	w = &line{style: s, flow: p.flow}
	defer func() {
		if recover() != nil { // in what takes protocols apart that anybody may have written
			w.f(" [malformed]")
		}
	}()
	switch p.Dev.Link {
	case layers.LinkTypeEthernet:
		w.ethernet(p.Data, p.Length)
	case layers.LinkTypeLinuxSLL:
		w.cooked(p.Data, p.Length)
	default:
		if w.style.Link {
			w.f("ip: ")
			w.style.Link = false
		}
		w.payload(rawType(p.Data), p.Data, p.Length)
	}
	return w
}

func (w *line) f(format string, args ...any) { fmt.Fprintf(w, format, args...) }

// cut says that the packet ends, as far as it was captured, in a protocol's header.
func (w *line) cut(protocol string) { w.f(" [|%s]", protocol) }

func (w *line) about(proto, src, dst string) {
	if w.fields.Proto == "" || w.depth == 0 {
		w.fields = Fields{Src: src, Dst: dst, Proto: proto}
	}
}

func u16(b []byte) int    { return int(binary.BigEndian.Uint16(b)) }
func u32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

func ip4(b []byte) string { return netip.AddrFrom4([4]byte(b)).String() }
func ip6(b []byte) string { return netip.AddrFrom16([16]byte(b)).String() }
func mac(b []byte) string { return net.HardwareAddr(b).String() }

// word finds the name of a number, or says the number.
func word[K comparable](names map[K]string, unknown string, n K) string {
	if s, ok := names[n]; ok {
		return s
	}
	if !strings.Contains(unknown, "%") {
		return unknown
	}
	return fmt.Sprintf(unknown, n)
}
