package filter

// The LLC service access points that are protocols (IEEE 802.2).
const (
	sapIP      = 0x06
	sapSTP     = 0x42
	sapIPX     = 0xe0
	sapNetBEUI = 0xf0
	sapISO     = 0xfe
)

const (
	maxLength   = 1500 // up to here an Ethernet frame's type is its length
	cooked802_3 = 1    // types of the cooked format: LINUX_SLL_P_802_3 and 802_2
	cooked802_2 = 4
)

// etherType is a protocol behind the link header. A number up to 1500 is an LLC
// service access point.
func (l *lowering) etherType(n uint32) cond {
	switch {
	case l.labels > 0:
		return l.mplsCarries(n)
	case l.kind == kindIP:
		return l.version(n)
	case l.kind == kindPPP:
		return eq(l.typ, pppType(n))
	case l.kind == kindDevice:
		if n <= maxLength {
			return truth(false)
		}
		return eq(l.typ, n)
	}
	byType := eq(l.typ, n)
	switch {
	case n == etherTypes["atalk"]:
		return one{byType, all{l.isLLC(), l.snap(0x080007, n)}}
	case n == etherTypes["aarp"]:
		return one{byType, all{l.isLLC(), l.snap(0, n)}}
	case n == sapIPX:
		return l.ipx()
	case n == sapISO || n == sapIP || n == sapNetBEUI:
		return all{l.isLLC(), eq(l.net.at(0, 2), n<<8|n)}
	case n <= maxLength:
		return all{l.isLLC(), eq(l.net.at(0, 1), n)}
	}
	return byType
}

// version is IP by the first bits of its header.
func (l *lowering) version(n uint32) cond {
	switch n {
	case etherTypes["ip"]:
		return masked(l.net.at(0, 1), 0xf0, 0x40)
	case etherTypes["ip6"]:
		return masked(l.net.at(0, 1), 0xf0, 0x60)
	}
	return truth(false)
}

// isLLC is a frame with an LLC header.
func (l *lowering) isLLC() cond {
	if l.kind == kindCooked {
		return eq(l.typ, cooked802_2)
	}
	return not{test{greater, l.typ, lit(maxLength)}}
}

// snap is a protocol in the SNAP extension of LLC (IEEE 802).
func (l *lowering) snap(organisation, n uint32) cond {
	return all{
		eq(l.net.at(4, 4), organisation<<16|n),
		eq(l.net.at(0, 4), 0xaaaa0300|organisation>>16),
	}
}

// ipx is Novell's protocol in one of its four framings.
func (l *lowering) ipx() cond {
	const etherIPX = 0x8137
	byType := eq(l.typ, etherIPX)
	if l.kind == kindCooked {
		return one{byType, eq(l.typ, cooked802_3),
			all{l.isLLC(), one{eq(l.net.at(0, 1), sapIPX), l.snap(0, etherIPX)}}}
	}
	return one{byType, all{l.isLLC(), one{l.snap(0, etherIPX), eq(l.net.at(0, 1), sapIPX), eq(l.net.at(0, 2), 0xffff)}}}
}

// pppType is the number that PPP has for a protocol.
func pppType(n uint32) uint32 {
	switch n {
	case etherTypes["ip"]:
		return 0x21
	case etherTypes["ip6"]:
		return 0x57
	case sapISO:
		return 0x23
	case 0x0600: // XNS
		return 0x25
	case etherTypes["decnet"]:
		return 0x27
	case etherTypes["atalk"]:
		return 0x29
	case sapIPX:
		return 0x2b
	case sapSTP:
		return 0x31
	}
	return n
}

// llcTypes are the types of LLC's control field: the mask and the value of each.
var llcTypes = map[string]*struct{ mask, value uint32 }{
	"i": {1, 0}, "s": {3, 1}, "u": {3, 3},
	"rr": {0xf, 1}, "rnr": {0xf, 5}, "rej": {0xf, 9},
	"ui": {0xef, 0x03}, "ua": {0xef, 0x63}, "disc": {0xef, 0x43}, "dm": {0xef, 0x0f}, "sabme": {0xef, 0x6f},
	"test": {0xef, 0xe3}, "xid": {0xef, 0xaf}, "frmr": {0xef, 0x87},
}

// llc is a frame with an LLC header, perhaps of one type. Novell put IPX without one
// into frames with a length.
func (l *lowering) llc(n llcType) cond {
	if l.kind != kindEthernet {
		return l.lacks(n.at, "LLC header")
	}
	c := all{l.isLLC(), not{eq(l.net.at(0, 2), 0xffff)}}
	if t := llcTypes[n.name]; t != nil {
		c = append(c, masked(l.net.at(2, 1), t.mask, t.value))
	}
	return c
}

// isisTypes are the types of packets of IS-IS (ISO 10589).
var isisTypes = map[string][]uint32{
	"l1": {26, 24, 18, 15, 17}, "l2": {27, 25, 20, 16, 17}, "iih": {15, 16, 17}, "lsp": {18, 20},
	"snp": {24, 25, 26, 27}, "csnp": {24, 25}, "psnp": {26, 27},
}

// isoHeader is where an ISO protocol begins: on Ethernet behind the LLC header.
func (l *lowering) isoHeader() place {
	if l.kind == kindEthernet {
		return l.net.plus(3)
	}
	return l.net
}
