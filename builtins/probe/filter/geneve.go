package filter

import (
	"nsscript/builtins/kernel/abi"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	genevePort   = 6081
	geneveHeader = 8
	udpHeader    = 8
)

// geneve is a packet of Geneve (RFC 8926), version 0. It has options of any length
// and carries Ethernet frames or, by their Ethernet types, other packets, so where the
// headers are is found out in the packet and kept in scratch words.
func (l *lowering) geneve(e encap) cond {
	header, frame, protocol, network := l.keep(e.at), l.keep(e.at), l.keep(e.at), l.keep(e.at)
	for _, s := range []slot{header, frame, protocol, network} {
		l.start = append(l.start, store{s, lit(0)})
	}
	v4 := l.geneveIn(l.transport4(), header, e.number)
	v6 := l.geneveIn(l.net.plus(40), header, e.number)
	c := one{
		append(all{l.etherType(abi.EtherIPv4), eq(l.net.at(9, 1), unix.IPPROTO_UDP), l.firstFragment()}, v4...),
		append(all{l.etherType(abi.EtherIPv6), eq(l.net.at(6, 1), unix.IPPROTO_UDP)}, v6...),
	}
	at := place{index: header}
	options := alu{bpf.ALUOpMul, alu{bpf.ALUOpAnd, at.at(0, 1), lit(0x3f)}, lit(4)}
	bridged := eq(at.at(2, 2), abi.EtherTEB)
	l.layer = layer{
		kind: kindEthernet, header: place{index: frame}, typ: place{index: protocol}.at(0, 2),
		net: place{index: network}, inner: true, framed: not{test{equal, frame, network}},
	}
	return all{
		c,
		store{frame, add(add(options, lit(geneveHeader)), header)},
		one{
			all{bridged, store{protocol, add(frame, lit(12))}, store{network, add(frame, lit(14))}},
			all{store{protocol, add(header, lit(2))}, store{network, frame}},
		},
	}
}

// geneveIn is Geneve behind a UDP header. It stores where Geneve's header begins.
func (l *lowering) geneveIn(udp place, header slot, number *uint32) all {
	at := udp.plus(udpHeader)
	c := all{eq(udp.at(2, 2), genevePort), masked(at.at(0, 1), 0xc0, 0)}
	if number != nil {
		c = append(c, masked(at.at(4, 4), 0xffffff00, *number<<8))
	}
	return append(c, store{header, at.address()})
}
