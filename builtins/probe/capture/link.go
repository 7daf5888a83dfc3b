package capture

import (
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// etherTypes are named as tcpdump -e names them.
var etherTypes = map[int]string{
	typeIPv4: "IPv4", typeARP: "ARP", typeIPv6: "IPv6", typeVLAN: "802.1Q", typeQinQ: "802.1Q-QinQ", typeLLDP: "LLDP",
	0x8847: "MPLS unicast", 0x8848: "MPLS multicast", 0x8863: "PPPoE D", 0x8864: "PPPoE S", 0x888e: "EAPOL",
	0x8035: "Reverse ARP", 0x8809: "Slow Protocols", 0x9000: "Loopback", 0x88f7: "PTP", 0x6558: "TEB",
}

func etherTypeText(t int) string {
	return word(etherTypes, "Unknown", t) + " (" + hex(t, 4) + ")"
}

// longestLLC is up to where Ethernet's type is a length (IEEE 802.3).
const longestLLC = 1500

// ethernet puts a frame in words.
func (w *line) ethernet(b []byte, length int) {
	if len(b) < 14 {
		w.cut("ether")
		return
	}
	dst, src, etherType := b[:6], b[6:12], u16(b[12:])
	w.about("ethernet", mac(src), mac(dst))
	if w.style.Link {
		w.macs(src, dst, etherType, length)
	}
	b, length, whole := b[14:], length-14, length
	for etherType == typeVLAN || etherType == typeQinQ {
		if len(b) < vlanTag {
			w.cut("vlan")
			return
		}
		tci := u16(b)
		w.f("vlan %d, ", tci&0xfff)
		if w.style.Link {
			w.f("p %d, ", tci>>13)
			if tci&0x1000 != 0 {
				w.f("DEI, ")
			}
		}
		etherType, b, length = u16(b[2:]), b[vlanTag:], length-vlanTag
		if w.style.Link && etherType > longestLLC {
			w.f("ethertype %s, ", etherTypeText(etherType))
		}
	}
	switch {
	case etherType <= longestLLC:
		w.llc(b, min(length, etherType))
	case !w.payload(etherType, b, length) && !w.style.Link:
		w.macs(src, dst, etherType, whole)
	}
}

func (w *line) macs(src, dst []byte, etherType, length int) {
	w.f("%s > %s, ", mac(src), mac(dst))
	if etherType <= longestLLC {
		w.f("802.3, length %d: ", etherType)
		return
	}
	w.f("ethertype %s, length %d: ", etherTypeText(etherType), length)
}

// payload puts what an Ethernet type announces in words; it reports whether it
// knows the type.
func (w *line) payload(etherType int, b []byte, length int) bool {
	switch etherType {
	case typeIPv4:
		w.ip4(b, length)
	case typeIPv6:
		w.ip6(b, length)
	case typeARP:
		w.arp(b, length)
	case typeLLDP:
		w.lldp(b, length)
	default:
		return false
	}
	return true
}

// cooked puts a packet with the header of LINKTYPE_LINUX_SLL in words.
func (w *line) cooked(b []byte, length int) {
	if len(b) < sllHead {
		w.cut("sll")
		return
	}
	etherType := u16(b[14:])
	if !w.payload(etherType, b[sllHead:], length-sllHead) {
		w.f("ethertype %s, length %d", etherTypeText(etherType), length)
	}
}

func (w *line) arp(b []byte, length int) {
	var a layers.ARP
	if a.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil {
		w.about("arp", "", "")
		w.f("ARP")
		w.cut("arp")
		return
	}
	if !w.style.Link {
		w.f("ARP, ")
	}
	if w.style.Verbose {
		w.f("%s (len %d), %s (len %d), ", map[bool]string{true: "Ethernet", false: "Unknown Hardware"}[a.AddrType == layers.LinkTypeEthernet],
			a.HwAddressSize, map[bool]string{true: "IPv4", false: "Unknown Protocol"}[a.Protocol == layers.EthernetTypeIPv4], a.ProtAddressSize)
	}
	if a.ProtAddressSize != 4 || a.HwAddressSize != 6 {
		w.about("arp", "", "")
		w.f("operation %d, length %d", a.Operation, length)
		return
	}
	from, to := ip4(a.SourceProtAddress), ip4(a.DstProtAddress)
	w.about("arp", from, to)
	switch a.Operation {
	case layers.ARPRequest:
		w.f("Request who-has %s", to)
		if mac(a.DstHwAddress) != "00:00:00:00:00:00" {
			w.f(" (%s)", mac(a.DstHwAddress))
		}
		w.f(" tell %s", from)
	case layers.ARPReply:
		w.f("Reply %s is-at %s", from, mac(a.SourceHwAddress))
	default:
		w.f("operation %d", a.Operation)
	}
	w.f(", length %d", length)
}

// llc puts what has a length in place of a type in words: IEEE 802.2, of which only
// the spanning tree is known here.
func (w *line) llc(b []byte, length int) {
	if len(b) < 3 {
		w.cut("llc")
		return
	}
	stp := b[0] == 0x42 && b[1] == 0x42 && b[2] == 0x03
	if w.style.Link || !stp {
		name := map[bool]string{true: "STP", false: "Unknown"}
		w.f("LLC, dsap %s (%s) Individual, ssap %s (%s) Command, ctrl %s", name[b[0] == 0x42], hex(int(b[0]), 2), name[b[1] == 0x42], hex(int(b[1]), 2), hex(int(b[2]), 2))
		if !stp {
			w.f(", length %d", length)
			return
		}
		w.f(": ")
	}
	w.stp(b[3:], length-3)
}

var stpVersions = map[byte]string{0: "802.1d", 2: "802.1w", 3: "802.1s"}

// stp puts a bridge protocol data unit in words (IEEE 802.1D, 9.3).
func (w *line) stp(b []byte, length int) {
	w.fields.Proto = "stp"
	if len(b) < 4 {
		w.cut("stp")
		return
	}
	w.f("STP %s, ", word(stpVersions, "Unknown STP protocol (%#02x)", b[2]))
	switch {
	case b[3] == 0x80:
		w.f("Topology Change")
	case len(b) < 35:
		w.cut("stp")
	default:
		w.f("%s, Flags [%s]", map[bool]string{true: "Config", false: "Rapid STP"}[b[3] == 0], stpFlags(b[4]))
		w.f(", bridge-id %04x.%s.%04x, length %d", u16(b[17:]), mac(b[19:25]), u16(b[25:]), length)
		if !w.style.Verbose {
			return
		}
		age := func(i int) float64 { return float64(u16(b[i:])) / 256 }
		w.f("\n\tmessage-age %.2fs, max-age %.2fs, hello-time %.2fs, forwarding-delay %.2fs", age(27), age(29), age(31), age(33))
		w.f("\n\troot-id %04x.%s, root-pathcost %d", u16(b[5:]), mac(b[7:13]), u32(b[13:]))
		if b[3] == 2 {
			w.f(", port-role %s", []string{"Unknown", "Alternate", "Root", "Designated"}[b[4]>>2&3])
		}
	}
}

func stpFlags(f byte) string {
	return bits(int(f), "Topology change", 0x01, "Proposal", 0x02, "Learn", 0x10, "Forward", 0x20, "Agreement", 0x40, "Topology change ACK", 0x80)
}

// lldp tells who speaks the link layer discovery protocol (IEEE 802.1AB).
func (w *line) lldp(b []byte, length int) {
	w.fields.Proto = "lldp"
	w.f("LLDP, length %d", length)
	for len(b) >= 2 {
		kind, n := b[0]>>1, u16(b)&0x1ff
		if b = b[2:]; kind == 0 || n > len(b) {
			return
		}
		if kind == 5 { // system name
			w.f(": %s", printable(b[:n]))
			return
		}
		b = b[n:]
	}
}
