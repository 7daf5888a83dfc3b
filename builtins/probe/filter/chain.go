package filter

import "golang.org/x/net/bpf"

// maxChain is how many headers protochain goes through.
const maxChain = 8

// protochain is a protocol anywhere in the chain of headers behind the first one. The
// kernel takes no loops, so each header has its own instructions.
func (l *lowering) protochain(p primitive, n uint32) cond {
	if p.proto == "ether" || p.proto == "iso" {
		return l.fail(wrong(p.at, "only IP has a chain of headers").hint("there is ip, ip6"))
	}
	if l.chain[0] == l.chain[1] {
		l.chain = [2]slot{l.keep(p.at), l.keep(p.at)}
	}
	v4 := all{l.etherType(etherTypes["ip"]), l.follow(n, l.net.at(9, 1), l.headerLength4(), nil)}
	v6 := all{l.etherType(etherTypes["ip6"]), l.follow(n, l.net.at(6, 1), add(l.net.index, lit(40)), options6)}
	switch p.proto {
	case "ip":
		return v4
	case "ip6":
		return v6
	}
	return one{v4, v6}
}

// options6 are the headers of RFC 8200 §4 that say how long they are in units of
// eight bytes: hop-by-hop and destination options, routing, and the fragment header,
// whose second byte is 0.
var options6 = []string{"hopopt", "ipv6-opts", "ipv6-route", "ipv6-frag"}

// follow is protocol n at or behind a header, which next names and which begins at
// index first.
func (l *lowering) follow(n uint32, next, first value, options []string) cond {
	protocol, index := l.chain[0], l.chain[1]
	header := place{index, l.net.off}
	// The next protocol is read before the index moves.
	skip := func(are cond, plus, unit uint32) cond {
		length := alu{bpf.ALUOpMul, add(header.at(1, 1), lit(plus)), lit(unit)}
		return all{are, store{protocol, header.at(0, 1)}, store{index, add(length, index)}}
	}
	var isOption one
	for _, name := range options {
		isOption = append(isOption, eq(protocol, ipProtocols[name]))
	}
	// An authentication header counts units of four bytes, less two (RFC 4302 §2.2).
	step := one{skip(isOption, 1, 8), skip(eq(protocol, ipProtocols["ah"]), 2, 4)}
	c := eq(protocol, n)
	for range maxChain {
		c = one{eq(protocol, n), all{not{eq(protocol, ipProtocols["ipv6-nonxt"])}, step, c}}
	}
	return all{store{protocol, next}, store{index, first}, c}
}
