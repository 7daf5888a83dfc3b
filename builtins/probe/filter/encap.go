package filter

import (
	"nsscript/builtins/kernel/abi"

	"golang.org/x/net/bpf"
)

// encap is vlan, mpls, pppoes or geneve: true of a packet that has such a header,
// which the primitives to the right of it then look behind.
func (l *lowering) encap(e encap) cond {
	limits := map[string]struct {
		what string
		most uint32
	}{"vlan": {"a VLAN", 4095}, "mpls": {"an MPLS label", 1<<20 - 1}, "pppoes": {"a PPPoE session", 1<<16 - 1}, "geneve": {"a Geneve network", 1<<24 - 1}}
	if limit := limits[e.kind]; e.number != nil && *e.number > limit.most {
		return l.fail(wrong(e.id, "%s is at most %d", limit.what, limit.most))
	}
	switch e.kind {
	case "vlan":
		return l.vlan(e)
	case "mpls":
		return l.mpls(e)
	case "pppoes":
		return l.pppoes(e)
	}
	return l.geneve(e)
}

// vlanTypes are the Ethernet types of VLAN tags; the last was used before 802.1ad.
var vlanTypes = []uint32{abi.EtherVLAN, abi.EtherQinQ, 0x9100}

const tagLength = 4

// vlan is a frame with a tag (IEEE 802.1Q).
func (l *lowering) vlan(e encap) cond {
	switch {
	case l.labels > 0:
		return l.fail(wrong(e.at, "MPLS carries no VLAN"))
	case l.kind != kindEthernet:
		return l.lacks(e.at, "VLAN")
	}
	inPacket := all{l.anyType(vlanTypes)}
	if e.number != nil {
		inPacket = append(inPacket, masked(l.net.at(0, 2), 0x0fff, *e.number))
	}
	c := l.frame(inPacket)
	if l.device && l.tags == 0 && !l.inner {
		return l.outerTag(e, inPacket)
	}
	l.typ = further(l.typ, tagLength)
	l.net = l.net.plus(tagLength)
	l.tags++
	return c
}

func (l *lowering) anyType(types []uint32) one {
	var list one
	for _, n := range types {
		list = append(list, l.etherType(n))
	}
	return list
}

// further moves a load.
func further(v value, n uint32) value {
	field := v.(load)
	field.off += n
	return field
}

// outerTag is the first tag on a device: the kernel keeps it beside the packet, or, of
// a packet that was sent with the tag in it, leaves it there. A scratch word holds how
// many bytes of tag are in the packet.
func (l *lowering) outerTag(e encap, inPacket cond) cond {
	beside := eq(ext(bpf.ExtVLANTagPresent), 1)
	tag := all{beside}
	if e.number != nil {
		tag = append(tag, masked(ext(bpf.ExtVLANTag), 0x0fff, *e.number))
	}
	bytes := l.keep(e.at)
	absent := alu{bpf.ALUOpXor, ext(bpf.ExtVLANTagPresent), lit(1)}
	l.start = append(l.start, store{bytes, alu{bpf.ALUOpMul, absent, lit(tagLength)}})
	l.typ = place{index: bytes}.at(12, 2)
	l.net = place{index: bytes, off: 14}
	l.tags++
	return one{tag, all{not{beside}, inPacket}}
}

const (
	labelLength = 4
	pppMPLS     = 0x281     // RFC 3032 §4.1
	lastByte    = 1<<32 - 2 // of the label before: whether it is the last one
)

// mpls is a packet with a label (RFC 3032).
func (l *lowering) mpls(e encap) cond {
	var c cond
	switch {
	case l.labels > 0: // not the last label of its stack
		c = masked(l.net.at(lastByte, 1), 1, 0)
	case l.kind == kindPPP:
		c = eq(l.typ, pppMPLS)
	case l.kind == kindEthernet || l.kind == kindDevice:
		c = l.etherType(abi.EtherMPLS)
	default:
		return l.lacks(e.at, "MPLS")
	}
	if e.number != nil {
		c = all{c, masked(l.net.at(0, 4), 0xfffff000, *e.number<<12)}
	}
	l.net = l.net.plus(labelLength)
	l.labels++
	return c
}

// mplsCarries is IP behind the last label.
func (l *lowering) mplsCarries(n uint32) cond {
	last := masked(l.net.at(lastByte, 1), 1, 1)
	return all{last, l.version(n)}
}

const pppoeHeader = 6

// pppoes is a packet of a PPPoE session (RFC 2516). Its PPP header is the protocol.
func (l *lowering) pppoes(e encap) cond {
	if l.labels > 0 {
		return l.fail(wrong(e.at, "MPLS carries no PPPoE"))
	}
	c := l.etherType(abi.EtherPPPoE)
	if e.number != nil {
		c = all{c, masked(l.net.at(0, 4), 0xffff, *e.number)}
	}
	ppp := l.net.plus(pppoeHeader)
	l.layer = layer{kind: kindPPP, header: ppp, typ: ppp.at(0, 2), net: ppp.plus(2), inner: true}
	return c
}
