package filter

import (
	"golang.org/x/net/bpf"
)

// LinkType says what a packet begins with.
type LinkType int

// The link types of packets already read, with all their bytes in place.
const (
	Ethernet LinkType = iota
	IP                // no link header: LINKTYPE_RAW
	Cooked            // LINKTYPE_LINUX_SLL
)

// The link types of a packet socket of type SOCK_RAW.
const (
	EthernetDevice = iota + Cooked + 1 // on a device with Ethernet headers
	IPDevice                           // on one without a link header
	AnyDevice                          // on all devices of a namespace
)

func (t LinkType) String() string {
	return [...]string{"Ethernet", "IP", "Cooked", "EthernetDevice", "IPDevice", "AnyDevice"}[t]
}

// netOffset is SKF_NET_OFF of linux/filter.h, -0x100000: from there the kernel counts
// from the network header. A load adds its offsets with 32 bits and a sign.
const netOffset = 0xfff00000

// place is where a header begins: at index + off.
type place struct {
	index value
	off   uint32
}

func (p place) at(off uint32, size int) value { return load{p.index, p.off + off, size} }

func (p place) plus(off uint32) place { return place{p.index, p.off + off} }

// address is the place as a number.
func (p place) address() value {
	if p.index == nil {
		return lit(p.off)
	}
	return add(p.index, lit(p.off))
}

// kind is how a layer writes its protocol.
type kind int

const (
	kindEthernet kind = iota
	kindIP            // by the version of IP only
	kindCooked
	kindPPP
	kindDevice // the kernel knows it
)

func (k kind) String() string {
	return [...]string{"on Ethernet", "in packets without link header", "in the cooked format", "in PPP", "on a device without link header"}[k]
}

// layer is where the headers are that the next primitive looks at.
type layer struct {
	kind   kind
	header place // link header
	typ    value // the protocol of what follows the link header
	net    place // network header
	labels int   // of MPLS, passed so far
	tags   int   // of VLANs, passed so far
	inner  bool  // behind the header of PPPoE or Geneve
	framed cond  // whether there is a link header; nil if there is
}

// The first layer of each link type.
func firstLayer(t LinkType) layer {
	at := func(off uint32) place { return place{off: off} }
	switch t {
	case IP:
		return layer{kind: kindIP}
	case Cooked:
		return layer{kind: kindCooked, typ: at(14).at(0, 2), net: at(16)}
	case IPDevice:
		return layer{kind: kindDevice, typ: ext(bpf.ExtProto), net: at(netOffset)}
	}
	return layer{kind: kindEthernet, typ: at(12).at(0, 2), net: at(14)}
}
