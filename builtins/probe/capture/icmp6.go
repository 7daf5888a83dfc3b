package capture

// icmp6Types are named as tcpdump names them.
var icmp6Types = map[byte]string{
	1: "destination unreachable", 2: "packet too big", 3: "time exceeded in-transit", 4: "parameter problem",
	128: "echo request", 129: "echo reply", 130: "multicast listener query", 131: "multicast listener report", 132: "multicast listener done",
	133: "router solicitation", 134: "router advertisement", 135: "neighbor solicitation", 136: "neighbor advertisement", 137: "redirect",
	143: "multicast listener report v2",
}

var unreachable6 = map[byte]string{
	0: "unreachable route", 1: "unreachable prohibited", 2: "beyond scope", 3: "unreachable address", 4: "unreachable port",
}

// icmp6 puts a message of ICMPv6 in words (RFC 4443, 4861, 3810).
func (w *line) icmp6(b []byte, length int) {
	if len(b) < 8 {
		w.f("ICMP6")
		w.cut("icmp6")
		return
	}
	kind, code, quoted := b[0], b[1], b[8:]
	w.f("ICMP6, %s", word(icmp6Types, "unknown icmp6 type (%d)", kind))
	discovery := kind >= 133 && kind <= 137
	if w.style.Verbose && discovery {
		w.f(", length %d", length)
	}
	switch kind {
	case 1:
		w.f(", %s", word(unreachable6, "unknown unreach code (%d)", code))
		w.refused6(code, quoted)
	case 2:
		w.f(", mtu %d", u32(b[4:]))
	case 3:
		if code == 1 {
			w.f(" (reassembly)")
		} else if len(quoted) >= 40 {
			w.f(" for %s", ip6(quoted[24:40]))
		}
	case 4:
		w.f(", %s - octet %d", word(map[byte]string{0: "erroneous", 1: "next header", 2: "option"}, "code-#%d", code), u32(b[4:]))
	case 128, 129:
		w.f(", id %d, seq %d", u16(b[4:]), u16(b[6:]))
	case 130:
		switch {
		case length != 24 && len(b) >= 28:
			w.f(" v2")
			if w.style.Verbose {
				w.f(" [max resp delay=%d]", u16(b[4:]))
			}
			w.f(" [gaddr %s", ip6(b[8:24]))
			if w.style.Verbose {
				w.f(" robustness=%d qqi=%d", b[24]&7, b[25])
			}
			w.f("]")
		default:
			w.group6(b)
		}
	case 131, 132:
		w.group6(b)
	case 135:
		w.address6(b, ", who has %s")
	case 136:
		w.address6(b, ", tgt is %s")
		if w.style.Verbose {
			w.f(", Flags [%s]", bits(int(b[4]), "router", 0x80, "solicited", 0x40, "override", 0x20))
		}
	case 137:
		if len(b) >= 40 {
			w.f(", %s to %s", ip6(b[24:40]), ip6(b[8:24]))
		}
	case 143:
		w.f(", %d group record(s)", u16(b[6:]))
		w.records(b, 16)
	}
	if !w.style.Verbose { // there the length stands in the header
		w.f(", length %d", length)
	}
}

func (w *line) address6(b []byte, text string) {
	if len(b) < 24 {
		w.cut("icmp6")
		return
	}
	w.f(text, ip6(b[8:24]))
}

func (w *line) group6(b []byte) {
	w.f("max resp delay: %d ", u16(b[4:]))
	w.address6(b, "addr: %s")
}

// refused6 says what was not reached.
func (w *line) refused6(code byte, quoted []byte) {
	if len(quoted) < 40 {
		return
	}
	dst, proto := ip6(quoted[24:40]), quoted[6]
	switch {
	case code == 0 || code == 1 || code == 3:
		w.f(" %s", dst)
	case code == 2:
		w.f(" %s, source address %s", dst, ip6(quoted[8:24]))
	case code == 4 && len(quoted) >= 44:
		switch port := u16(quoted[42:]); proto {
		case protoTCP:
			w.f(", %s tcp port %d", dst, port)
		case protoUDP:
			w.f(", %s udp port %d", dst, port)
		default:
			w.f(", %s protocol %d port %d unreachable", dst, proto, port)
		}
	}
}
