package capture

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// Numbers of protocols over IP (IANA).
const (
	protoICMP  = 1
	protoIGMP  = 2
	protoIPIP  = 4
	protoTCP   = 6
	protoUDP   = 17
	protoIPv6  = 41
	protoGRE   = 47
	protoESP   = 50
	protoAH    = 51
	protoICMP6 = 58
	protoOSPF  = 89
	protoVRRP  = 112
	protoSCTP  = 132
)

// protoNames are named as tcpdump -v names them.
var protoNames = map[int]string{
	0: "Options", protoICMP: "ICMP", protoIGMP: "IGMP", protoIPIP: "IPIP", protoTCP: "TCP", protoUDP: "UDP", protoIPv6: "IPv6",
	protoGRE: "GRE", protoESP: "ESP", protoAH: "AH", protoICMP6: "ICMPv6", protoOSPF: "OSPF", protoVRRP: "VRRP", protoSCTP: "SCTP",
	43: "Routing", 44: "Fragment",
}

// fieldNames are how the field proto of a packet calls protocols.
var fieldNames = map[int]string{
	protoICMP: "icmp", protoIGMP: "igmp", protoIPIP: "ipip", protoTCP: "tcp", protoUDP: "udp", protoIPv6: "sit", protoGRE: "gre",
	protoESP: "esp", protoAH: "ah", protoICMP6: "icmp6", protoOSPF: "ospf", protoVRRP: "vrrp", protoSCTP: "sctp",
}

func hex(n, digits int) string { return fmt.Sprintf("0x%0*x", digits, n) }

// network is what the protocols over IP need of it.
type network struct {
	src, dst string
	v6       bool
	first    bool // the packet is a fragment, the first one
}

// ip4 puts an IPv4 packet in words.
func (w *line) ip4(b []byte, length int) {
	var ip layers.IPv4
	if !w.style.Link && len(b) > 0 {
		w.f("IP ")
	}
	if err := ip.DecodeFromBytes(b, gopacket.NilDecodeFeedback); err != nil || ip.Version != 4 || int(ip.IHL) < 5 {
		w.about("ip", "", "")
		w.cut("ip")
		return
	}
	total := u16(b[2:])
	if total == 0 { // a packet that the card would have cut into segments (TSO)
		total = length
	}
	if length < total {
		w.f("truncated-ip - %d bytes missing! ", total-length)
	}
	head, offset, more := int(ip.IHL)*4, int(ip.FragOffset)*8, ip.Flags&layers.IPv4MoreFragments != 0
	n := network{src: ip4(b[12:16]), dst: ip4(b[16:20]), first: more && offset == 0}
	w.about(word(fieldNames, "ip-proto-%d", int(ip.Protocol)), n.src, n.dst)
	if w.style.Verbose {
		w.f("(tos %s", "0x"+fmt.Sprintf("%x", ip.TOS))
		if ecn := ip.TOS & 3; ecn != 0 {
			w.f(",%s", []string{"", "ECT(1)", "ECT(0)", "CE"}[ecn]) //nolint:misspell // RFC 3168 calls them so
		}
		w.f(", ttl %d, id %d, offset %d, flags [%s], proto %s (%d), length %d", ip.TTL, ip.Id, offset, ip4Flags(ip.Flags),
			word(protoNames, "unknown", int(ip.Protocol)), ip.Protocol, total)
		if head > 20 {
			w.f(", options (%d bytes)", head-20)
		}
		w.f(")\n    ")
	}
	b, rest := b[min(head, len(b)):min(len(b), max(total, head))], total-head
	if offset > 0 {
		w.f("%s > %s: ip-proto-%d", n.src, n.dst, ip.Protocol)
		return
	}
	w.transport(n, int(ip.Protocol), b, rest)
}

func ip4Flags(f layers.IPv4Flag) string {
	return bits(int(f), "rsvd", int(layers.IPv4EvilBit), "+", int(layers.IPv4MoreFragments), "DF", int(layers.IPv4DontFragment))
}

// bits are the names of the bits that are set: each is given with its bit.
func bits(n int, named ...any) string {
	var set []string
	for i := 0; i+1 < len(named); i += 2 {
		if n&named[i+1].(int) != 0 {
			set = append(set, named[i].(string))
		}
	}
	if len(set) == 0 {
		return "none"
	}
	return strings.Join(set, ", ")
}

// transport puts in words what IP carries.
func (w *line) transport(n network, proto int, b []byte, length int) {
	ends := n.src + " > " + n.dst + ": "
	switch proto {
	case protoTCP:
		w.tcp(n, b, length)
	case protoUDP:
		w.udp(n, b, length)
	case protoICMP:
		w.f("%s", ends)
		w.icmp(n, b, length)
	case protoICMP6:
		w.f("%s", ends)
		w.icmp6(b, length)
	case protoIGMP:
		w.f("%s", ends)
		w.igmp(b)
	case protoIPIP, protoIPv6:
		w.f("%s", ends)
		w.inner(map[int]int{protoIPIP: typeIPv4, protoIPv6: typeIPv6}[proto], b, length)
	case protoGRE:
		w.f("%s", ends)
		w.gre(b, length)
	case protoESP:
		w.f("%s", ends)
		if len(b) < 8 {
			w.cut("esp")
			return
		}
		w.f("ESP(spi=0x%08x,seq=0x%x), length %d", u32(b), u32(b[4:]), length)
	default:
		w.f("%s", ends)
		w.f(" ip-proto-%d %d", proto, length)
	}
}

// inner puts a packet in a packet in words.
func (w *line) inner(etherType int, b []byte, length int) {
	if w.depth++; w.depth > deepest {
		w.f("…")
		return
	}
	if !w.payload(etherType, b, length) {
		w.f("ethertype %s, length %d", etherTypeText(etherType), length)
	}
}

// gre puts a packet of generic routing encapsulation in words (RFC 2784, 2890).
func (w *line) gre(b []byte, length int) {
	if len(b) < 4 {
		w.cut("gre")
		return
	}
	flags, etherType := u16(b), u16(b[2:])
	if w.f("GREv%d", flags&7); flags&7 != 0 {
		w.f(", length %d", length)
		return
	}
	if w.style.Verbose {
		w.f(", Flags [%s]", bits(flags, "checksum present", 0x8000, "routing present", 0x4000, "key present", 0x2000, "sequence# present", 0x1000))
	}
	at := 4
	field := func(bit int, name string) {
		if flags&bit == 0 {
			return
		}
		if at+4 <= len(b) && name != "" {
			w.f(", %s", fmt.Sprintf(name, u32(b[at:])))
		}
		at += 4
	}
	field(0x8000, "")
	field(0x2000, "key=0x%x")
	field(0x1000, "seq %d")
	if w.style.Link {
		w.f(", proto %s", etherTypeText(etherType))
	}
	w.f(", length %d", length)
	if w.style.Verbose {
		w.f("\n\t")
	} else {
		w.f(": ")
	}
	if at > len(b) {
		w.cut("gre")
		return
	}
	if etherType == 0x6558 {
		if w.depth++; w.depth <= deepest {
			w.ethernet(b[at:], length-at)
		}
		return
	}
	w.inner(etherType, b[at:], length-at)
}

// recordTypes are what a host says of a group (RFC 3376, 4.2.12; RFC 3810, 5.2.12).
var recordTypes = map[byte]string{1: "is_in", 2: "is_ex", 3: "to_in", 4: "to_ex", 5: "allow", 6: "block"}

// records are the groups of a report, told with -v; an address has so many bytes.
func (w *line) records(b []byte, size int) {
	if !w.style.Verbose {
		return
	}
	n := u16(b[6:])
	for b = b[8:]; n > 0 && len(b) >= 4+size; n-- {
		sources := u16(b[2:])
		group, _ := netip.AddrFromSlice(b[4 : 4+size])
		w.f(" [gaddr %s %s, %d source(s)]", group, word(recordTypes, "[v3-report-#%d]", b[0]), sources)
		b = b[min(len(b), 4+size+sources*size+int(b[1])*4):]
	}
}

// igmp puts a message about multicast groups in words (RFC 2236, 3376).
func (w *line) igmp(b []byte) {
	if len(b) < 8 {
		w.cut("igmp")
		return
	}
	group := func() {
		if g := ip4(b[4:8]); g != "0.0.0.0" {
			w.f(" [gaddr %s]", g)
		}
	}
	if w.f("igmp"); w.style.Quick {
		return
	}
	switch b[0] {
	case 0x11:
		switch {
		case len(b) >= 12:
			w.f(" query v3")
			group()
		case b[1] != 0:
			w.f(" query v2")
			group()
		default:
			w.f(" query v1")
		}
	case 0x12:
		w.f(" v1 report %s", ip4(b[4:8]))
	case 0x16:
		w.f(" v2 report %s", ip4(b[4:8]))
	case 0x17:
		w.f(" leave %s", ip4(b[4:8]))
	case 0x22:
		w.f(" v3 report, %d group record(s)", u16(b[6:]))
		w.records(b, 4)
	default:
		w.f("-%d", b[0])
	}
}
