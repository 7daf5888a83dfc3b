package filter

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// host is "host", "net" or neither, with whatever their id may be.
func (l *lowering) host(p primitive) cond {
	switch p.proto {
	case "ether":
		return l.etherHost(p)
	case "", "ip", "ip6", "arp", "rarp":
	default:
		err := wrong(p.at, "%q has no addresses", p.at.text)
		return l.fail(err.hint("write \"%s and host %s\"", p.at.text, p.id.text))
	}
	prefix, isAddr := hostWord(p.id.text)
	n, isNum, err := p.id.number()
	switch {
	case err != nil:
		return l.fail(err)
	case isNum && p.mask == nil && p.bits == nil:
		return l.short(p, n)
	case isAddr && !p.id.escaped:
		return l.address(p, prefix)
	case isMAC(p.id.text) && !p.id.escaped:
		return l.fail(wrong(p.id, "an Ethernet address").hint("write \"ether %s\"", strings.TrimSpace(p.dir+" host "+p.id.text)))
	case p.mask != nil || p.bits != nil:
		return l.fail(wrong(p.id, "no IP address"))
	case p.kind == "net":
		return l.fail(wrong(p.id, "no net of that name").hint("write its address: \"net 10.0.0.0/8\""))
	case strings.Trim(p.id.text, "0123456789.") == "" || strings.Contains(p.id.text, ":"):
		return l.fail(wrong(p.id, "no IP address"))
	}
	return l.named(p)
}

// hostWord reads an IP address, or the beginning of an IPv4 address, and returns it
// with the bits that were written.
func hostWord(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil && strings.Contains(s, ":") {
		return netip.PrefixFrom(a, 128), true
	}
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Prefix{}, false
	}
	var b [4]byte
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil {
			return netip.Prefix{}, false
		}
		b[i] = byte(n)
	}
	return netip.PrefixFrom(netip.AddrFrom4(b), 8*len(parts)), true
}

// address is a host or a net by its address.
func (l *lowering) address(p primitive, prefix netip.Prefix) cond {
	mask, ok := l.mask(p, prefix)
	if !ok {
		return truth(false)
	}
	if prefix.Addr().Is6() {
		if p.proto != "" && p.proto != "ip6" {
			return l.fail(wrong(p.id, "an IPv6 address, which %q has not", p.proto))
		}
		return l.host6(prefix.Addr(), mask, p.dir)
	}
	if p.proto == "ip6" {
		return l.fail(wrong(p.id, "an IPv4 address, which \"ip6\" has not"))
	}
	return l.host4(p, bits4(prefix.Addr()), binary.BigEndian.Uint32(mask[:]))
}

func bits4(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// mask returns the mask of an address, in its first bytes.
func (l *lowering) mask(p primitive, prefix netip.Prefix) (mask [16]byte, ok bool) {
	addr, bits := prefix.Addr(), prefix.Bits()
	switch {
	case p.bits != nil:
		n, _, _ := p.bits.number()
		if n > uint32(addr.BitLen()) {
			l.fail(wrong(*p.bits, "a prefix of such an address has at most %d bits", addr.BitLen()))
			return mask, false
		}
		bits = int(n)
	case p.mask != nil:
		m, isAddr := hostWord(p.mask.text)
		if !isAddr || addr.Is6() || m.Addr().Is6() {
			l.fail(wrong(*p.mask, "no mask of an IPv4 net"))
			return mask, false
		}
		b := m.Addr().As4()
		copy(mask[:], b[:])
	}
	if p.mask == nil {
		for i := range bits {
			mask[i/8] |= 0x80 >> (i % 8)
		}
	}
	if p.mask == nil && p.bits == nil {
		return mask, true
	}
	for i, b := range addr.AsSlice() {
		if b&^mask[i] != 0 {
			net, _ := addr.Prefix(bits)
			err := wrong(p.id, "bits are set behind the mask")
			if p.bits != nil {
				err = err.hint("did you mean \"%v\"?", net)
			}
			l.fail(err)
			return mask, false
		}
	}
	if p.kind != "net" && !(addr.Is6() && bits == 128) {
		err := wrong(p.id, "only a net has a mask")
		if p.bits != nil {
			err = err.hint("write \"net %s/%s\"", p.id.text, p.bits.text)
		}
		l.fail(err)
		return mask, false
	}
	return mask, true
}

// short is a number that stands for an IPv4 address: "net 10" is 10.0.0.0/8, while
// "host 10" is 0.0.0.10, as libpcap has it.
func (l *lowering) short(p primitive, n uint32) cond {
	mask := uint32(1<<32 - 1)
	if p.kind == "net" {
		for n != 0 && n&0xff000000 == 0 {
			n <<= 8
			mask <<= 8
		}
	}
	if p.proto == "ip6" {
		return l.fail(wrong(p.id, "an IPv4 address, which \"ip6\" has not"))
	}
	return l.host4(p, n, mask)
}

// host4 is an IPv4 address in a header of IP, ARP or RARP.
func (l *lowering) host4(p primitive, addr, mask uint32) cond {
	proto := p.proto
	in := func(proto string, src, dst uint32) cond {
		if mask == 0 {
			return l.etherType(etherTypes[proto])
		}
		return all{l.etherType(etherTypes[proto]), l.ends(p.dir, func(isDst bool) cond {
			return masked(l.net.at(pick(isDst, dst, src), 4), mask, addr)
		})}
	}
	switch {
	case proto == "ip":
		return in("ip", 12, 16)
	case proto != "" && l.labels > 0:
		return l.linkProto(etherTypes[proto], p.at)
	case proto != "":
		return in(proto, 14, 24) // RFC 826
	case l.labels > 0: // MPLS says of what it carries only whether it is IP
		return in("ip", 12, 16)
	}
	return one{in("ip", 12, 16), in("arp", 14, 24), in("rarp", 14, 24)}
}

// host6 is an IPv6 address in a header of IPv6.
func (l *lowering) host6(addr netip.Addr, mask [16]byte, dir string) cond {
	a := addr.As16()
	return all{l.etherType(etherTypes["ip6"]), l.ends(dir, func(isDst bool) cond {
		var words all
		for i := uint32(0); i < 16; i += 4 {
			m := binary.BigEndian.Uint32(mask[i:])
			if m != 0 {
				words = append(words, masked(l.net.at(pick(isDst, 24, 8)+i, 4), m, binary.BigEndian.Uint32(a[i:])))
			}
		}
		return words
	})}
}

func pick(dst bool, yes, no uint32) uint32 {
	if dst {
		return yes
	}
	return no
}

// ends is c of the source, of the destination, or of both, by a direction.
func (l *lowering) ends(dir string, c func(dst bool) cond) cond {
	switch dir {
	case "src":
		return c(false)
	case "dst":
		return c(true)
	case "src and dst":
		return all{c(false), c(true)}
	}
	return one{c(false), c(true)}
}

// named is a host by its name.
func (l *lowering) named(p primitive) cond {
	if l.resolve == nil {
		return l.fail(wrong(p.id, "no host of that name is known").hint("write its address"))
	}
	addrs, err := l.resolve(p.id.text)
	if err != nil {
		e := wrong(p.id, "no host of that name")
		e.Err = err
		return l.fail(e)
	}
	var list one
	for _, a := range addrs {
		a = a.Unmap().WithZone("")
		switch {
		case a.Is4() && p.proto != "ip6":
			list = append(list, l.host4(p, bits4(a), 1<<32-1))
		case a.Is6() && (p.proto == "" || p.proto == "ip6"):
			list = append(list, l.host6(a, [16]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, p.dir))
		}
	}
	if len(list) == 0 {
		return l.fail(wrong(p.id, "this host has no such address"))
	}
	return list
}

// etherHost is a host by its Ethernet address.
func (l *lowering) etherHost(p primitive) cond {
	if p.kind == "net" {
		return l.fail(wrong(p.id, "an Ethernet address has no net"))
	}
	mac, ok := parseMAC(p.id.text)
	if !ok {
		return l.fail(wrong(p.id, "no Ethernet address").hint("it is written 02:00:00:00:00:01"))
	}
	if p.mask != nil || p.bits != nil {
		return l.fail(wrong(p.id, "an Ethernet address has no mask"))
	}
	if l.kind != kindEthernet {
		return l.lacks(p.at, "Ethernet address")
	}
	return l.frame(l.ends(p.dir, func(dst bool) cond { return l.mac(mac, dst) }))
}

// mac compares the address that stands first (the destination) or second in a frame.
func (l *lowering) mac(mac [6]byte, dst bool) cond {
	at := l.header.plus(pick(dst, 0, 6))
	return all{
		eq(at.at(2, 4), binary.BigEndian.Uint32(mac[2:])),
		eq(at.at(0, 2), uint32(binary.BigEndian.Uint16(mac[:]))),
	}
}

// frame is c if there is a link header.
func (l *lowering) frame(c cond) cond {
	if l.framed == nil {
		return c
	}
	return all{l.framed, c}
}

// parseMAC reads xx:xx:xx:xx:xx:xx with colons, dots or hyphens, xxxx.xxxx.xxxx and
// xxxxxxxxxxxx, leading zeroes left out.
func parseMAC(s string) (mac [6]byte, ok bool) {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ':' || r == '.' || r == '-' })
	width := 2
	switch {
	case len(parts) == 3 && strings.Count(s, ".") == 2:
		width = 4
	case len(parts) == 1 && len(s) == 12:
		width = 12
	case len(parts) != 6 || len(s) != len(strings.Join(parts, ""))+5:
		return mac, false
	}
	var digits strings.Builder
	for _, part := range parts {
		if len(part) > width {
			return mac, false
		}
		digits.WriteString(strings.Repeat("0", width-len(part)) + part)
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil || len(b) != 6 {
		return mac, false
	}
	return [6]byte(b), true
}

func isMAC(s string) bool {
	_, ok := parseMAC(s)
	return ok
}
