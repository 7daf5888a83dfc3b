package capture

// Extension headers of IPv6 (RFC 8200, 4).
const (
	extHopByHop    = 0
	extRouting     = 43
	extFragment    = 44
	extNone        = 59
	extDestination = 60
)

// ip6 puts an IPv6 packet in words.
func (w *line) ip6(b []byte, length int) {
	if !w.style.Link && len(b) > 0 {
		w.f("IP6 ")
	}
	if len(b) < 40 || b[0]>>4 != 6 {
		w.about("ip6", "", "")
		w.cut("ip6")
		return
	}
	payload, next := u16(b[4:]), int(b[6])
	total := payload + 40
	if payload == 0 { // longer than the field can say
		total = length
	}
	if length < total {
		w.f("truncated-ip6 - %d bytes missing!", total-length)
	}
	n := network{src: ip6(b[8:24]), dst: ip6(b[24:40]), v6: true}
	if w.style.Verbose {
		w.f("(")
		if class := u16(b) >> 4 & 0xff; class != 0 {
			w.f("class 0x%02x, ", class)
		}
		if label := u32(b) & 0xfffff; label != 0 {
			w.f("flowlabel 0x%05x, ", label)
		}
		w.f("hlim %d, next-header %s (%d) payload length: %d) ", b[7], word(protoNames, "unknown", next), next, payload)
	}
	b, length = b[40:min(len(b), max(total, 40))], total-40
	w.about(word(fieldNames, "ip-proto-%d", next), n.src, n.dst)
	w.extensions(n, next, b, length)
}

// extensions puts the extension headers in words, and what follows them.
func (w *line) extensions(n network, next int, b []byte, length int) {
	before := ""
	for {
		name := map[int]string{extHopByHop: "HBH ", extDestination: "DSTOPT ", extRouting: "srcrt "}[next]
		switch {
		case next == extFragment:
			if len(b) < 8 {
				w.f("%s > %s: %s", n.src, n.dst, before)
				w.cut("frag")
				return
			}
			offset, more := u16(b[2:])&^7, u16(b[2:])&1 != 0
			id := u32(b[4:])
			next, b, length = int(b[0]), b[8:], length-8
			w.fields.Proto = word(fieldNames, "ip-proto-%d", next)
			w.f("%s > %s: %sfrag (", n.src, n.dst, before)
			if w.style.Verbose {
				w.f("0x%08x:", id)
			}
			w.f("%d|%d)", offset, length)
			n.first = more
			if offset > 0 {
				return
			}
			w.f(" ")
			w.rest(n, next, b, length)
			return
		case name == "":
			if before != "" {
				w.f("%s > %s: %s", n.src, n.dst, before)
				w.fields.Proto = word(fieldNames, "ip-proto-%d", next)
				w.rest(n, next, b, length)
				return
			}
			if next == extNone {
				w.f("%s > %s: no next header", n.src, n.dst)
				return
			}
			w.transport(n, next, b, length)
			return
		case len(b) < 8 || len(b) < int(b[1])*8+8:
			w.f("%s > %s: %s", n.src, n.dst, before)
			w.cut(name[:len(name)-1])
			return
		}
		size := int(b[1])*8 + 8
		before += name
		next, b, length = int(b[0]), b[size:], length-size
	}
}

// rest is transport where the ends are told already.
func (w *line) rest(n network, proto int, b []byte, length int) {
	if (proto == protoTCP || proto == protoUDP) && len(b) >= 4 {
		w.f("%d > %d: ", u16(b), u16(b[2:]))
	}
	switch proto {
	case protoTCP:
		w.tcpBare(n, b, length)
	case protoUDP:
		w.udpBare(n, b, length)
	case protoICMP6:
		w.icmp6(b, length)
	case extNone:
		w.f("no next header")
	default:
		w.f("ip-proto-%d %d", proto, length)
	}
}
