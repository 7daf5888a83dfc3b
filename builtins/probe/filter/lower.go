package filter

import (
	"net/netip"
	"nsscript/builtins/kernel/abi"

	"golang.org/x/net/bpf"
)

// lowering makes conditions of primitives. Its layer moves with each vlan, mpls,
// pppoes and geneve; the first error ends it.
type lowering struct {
	layer
	link    LinkType
	device  bool // for a packet socket
	mixed   bool // of all devices: what one kind has not is false there
	resolve func(string) ([]netip.Addr, error)
	start   all // what is stored before anything else
	slots   slot
	chain   [2]slot // scratch words of protochain, if it was met
	err     *Error
}

// lowerAny returns the condition of a filter, nil for the empty one.
func lowerAny(n node, o Options) (cond, *Error) {
	if n == nil {
		return truth(true), nil
	}
	if o.Link != AnyDevice {
		return lower(n, o, o.Link, false)
	}
	ether, err := lower(n, o, EthernetDevice, true)
	if err != nil {
		return nil, err
	}
	bare, err := lower(n, o, IPDevice, true)
	if err != nil {
		return nil, err
	}
	device := ext(bpf.ExtLinkLayerType)
	isEther := one{eq(device, abi.HardwareEther), eq(device, abi.HardwareLoopback)}
	return one{all{isEther, ether}, all{not{isEther}, bare}}, nil
}

func lower(n node, o Options, link LinkType, mixed bool) (cond, *Error) {
	l := &lowering{
		layer: firstLayer(link), link: link, mixed: mixed, resolve: o.Resolve,
		device: link == EthernetDevice || link == IPDevice,
	}
	c := l.node(n)
	if l.err != nil {
		return nil, l.err
	}
	return append(l.start, c), nil
}

func (l *lowering) fail(err *Error) cond {
	if l.err == nil {
		l.err = err
	}
	return truth(false)
}

// lacks is the condition of what this kind of link has not.
func (l *lowering) lacks(at token, what string) cond {
	if l.mixed && l.kind == kindDevice && !l.inner {
		return truth(false)
	}
	return l.fail(wrong(at, "there is no %s %v", what, l.kind))
}

// keep reserves a scratch word, which is 0 until something is stored.
func (l *lowering) keep(at token) slot {
	if l.slots >= keptScratch {
		l.fail(wrong(at, "too much of it in one filter: the kernel has only %d scratch words", scratch))
		return 0
	}
	l.slots++
	return l.slots - 1
}

func (l *lowering) node(n node) cond {
	if l.err != nil {
		return truth(false)
	}
	switch n := n.(type) {
	case both:
		return join(l.node(n.a), l.node(n.b))
	case either:
		a := l.node(n.a)
		b := l.node(n.b)
		if list, ok := a.(one); ok {
			return append(list, b)
		}
		return one{a, b}
	case negation:
		return not{l.node(n.of)}
	case primitive:
		return l.primitive(n)
	case protocol:
		return l.protocol(n.name, n.at)
	case cast:
		return l.cast(n)
	case length:
		if n.greater {
			return test{atLeast, packetLen, lit(n.n)}
		}
		return not{test{greater, packetLen, lit(n.n)}}
	case direction:
		return l.direction(n)
	case ifindex:
		if !l.device {
			return l.fail(wrong(n.at, "these packets do not carry the number of their interface"))
		}
		return eq(ext(bpf.ExtInterfaceIndex), n.n)
	case llcType:
		return l.llc(n)
	case encap:
		return l.encap(n)
	case relation:
		return l.relation(n)
	}
	return truth(false)
}

// join is a and b.
func join(a, b cond) cond {
	if list, ok := a.(all); ok {
		return append(list, b)
	}
	return all{a, b}
}

var packetLen = ext(bpf.ExtLen)

// outgoing is PACKET_OUTGOING, which the cooked format shares.
const outgoing = abi.PacketOutgoing

func (l *lowering) direction(d direction) cond {
	var c cond
	switch {
	case l.link == Cooked:
		c = eq(place{}.at(0, 2), outgoing)
	case l.device:
		c = eq(ext(bpf.ExtType), outgoing)
	default:
		return l.fail(wrong(d.at, "these packets do not carry their direction"))
	}
	if d.out {
		return c
	}
	return not{c}
}

func (l *lowering) primitive(p primitive) cond {
	switch p.kind {
	case "port", "portrange":
		if p.mask != nil || p.bits != nil {
			return l.fail(wrong(p.id, "a port has no mask"))
		}
		return l.ports(p)
	case "proto", "protochain":
		if p.mask != nil || p.bits != nil {
			return l.fail(wrong(p.id, "a protocol has no mask"))
		}
		return l.proto(p)
	}
	return l.host(p)
}
