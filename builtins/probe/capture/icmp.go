package capture

import "fmt"

// icmpTypes are named as tcpdump names them.
var icmpTypes = map[byte]string{
	0: "echo reply", 3: "unreachable", 4: "source quench", 5: "redirect", 8: "echo request", 9: "router advertisement",
	10: "router solicitation", 11: "time exceeded", 12: "parameter problem", 13: "time stamp query", 14: "time stamp reply",
	15: "information request", 16: "information reply", 17: "address mask request", 18: "address mask reply",
}

// unreachable are the words for the codes of "destination unreachable" (RFC 792,
// 1122, 1812), around the destination.
var unreachable = map[byte]string{
	0: "net %s unreachable", 1: "host %s unreachable", 5: "%s unreachable - source route failed",
	6: "net %s unreachable - unknown", 7: "host %s unreachable - unknown", 8: "%s unreachable - source host isolated",
	9: "net %s unreachable - admin prohibited", 10: "host %s unreachable - admin prohibited",
	11: "net %s unreachable - tos prohibited", 12: "host %s unreachable - tos prohibited",
	13: "host %s unreachable - admin prohibited filter", 14: "host %s unreachable - host precedence violation",
	15: "host %s unreachable - precedence cutoff",
}

// icmp puts a message of ICMP in words (RFC 792).
func (w *line) icmp(_ network, b []byte, length int) {
	if len(b) < 8 {
		w.f("ICMP")
		w.cut("icmp")
		return
	}
	kind, code, quoted := b[0], b[1], b[8:]
	text := word(icmpTypes, "type-#%d", kind)
	refused := false // it quotes the packet that it is about
	switch kind {
	case 0, 8:
		text += fmt.Sprintf(", id %d, seq %d", u16(b[4:]), u16(b[6:]))
	case 3:
		refused = true
		text = unreachableText(code, b, quoted)
	case 5:
		refused = true
		if len(quoted) >= 20 && code < 4 {
			text = fmt.Sprintf([]string{"redirect %s to net %s", "redirect %s to host %s", "redirect-tos %s to net %s", "redirect-tos %s to host %s"}[code],
				ip4(quoted[16:20]), ip4(b[4:8]))
		}
	case 11:
		refused = true
		text = word(map[byte]string{0: "time exceeded in-transit", 1: "ip reassembly time exceeded"}, "time exceeded-#%d", code)
	case 12:
		refused = true
		if text = fmt.Sprintf("parameter problem - octet %d", b[4]); code != 0 {
			text = fmt.Sprintf("parameter problem - code %d", code)
		}
	case 13:
		text += fmt.Sprintf(" id %d seq %d", u16(b[4:]), u16(b[6:]))
	}
	w.f("ICMP %s, length %d", text, length)
	if w.style.Verbose && refused && len(quoted) >= 20 {
		if w.depth++; w.depth <= deepest {
			w.f("\n\t")
			w.ip4(quoted, u16(quoted[2:]))
		}
	}
}

func unreachableText(code byte, b, quoted []byte) string {
	if len(quoted) < 20 {
		return fmt.Sprintf("unreachable, code %d", code)
	}
	dst, head := ip4(quoted[16:20]), int(quoted[0]&15)*4
	switch {
	case code == 2:
		return fmt.Sprintf("%s protocol %d unreachable", dst, quoted[9])
	case code == 3 && len(quoted) >= head+4:
		port := u16(quoted[head+2:])
		switch quoted[9] {
		case protoTCP:
			return fmt.Sprintf("%s tcp port %d unreachable", dst, port)
		case protoUDP:
			return fmt.Sprintf("%s udp port %d unreachable", dst, port)
		}
		return fmt.Sprintf("%s protocol %d port %d unreachable", dst, quoted[9], port)
	case code == 4 && u16(b[6:]) != 0:
		return fmt.Sprintf("%s unreachable - need to frag (mtu %d)", dst, u16(b[6:]))
	case code == 4:
		return fmt.Sprintf("%s unreachable - need to frag", dst)
	}
	if text, ok := unreachable[code]; ok {
		return fmt.Sprintf(text, dst)
	}
	return fmt.Sprintf("%s unreachable - #%d", dst, code)
}
