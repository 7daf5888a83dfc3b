package filter

import (
	"math"

	"golang.org/x/net/bpf"
)

// maxOffset is beyond the end of every packet.
const maxOffset = 1<<18 - 1

// relation compares two numbers, of packets that have all the headers in them.
func (l *lowering) relation(r relation) cond {
	var checks all
	a := l.number(r.a, &checks)
	b := l.number(r.b, &checks)
	var c cond
	switch r.op {
	case ">":
		c = test{greater, a, b}
	case ">=":
		c = test{atLeast, a, b}
	case "<":
		c = not{test{atLeast, a, b}}
	case "<=":
		c = not{test{greater, a, b}}
	case "!=":
		c = not{test{equal, a, b}}
	default:
		c = test{equal, a, b}
	}
	return append(checks, c)
}

// number returns the value of an expression, and adds to checks what must hold for
// the headers in it to be there.
func (l *lowering) number(n number, checks *all) value {
	switch n := n.(type) {
	case constant:
		return lit(n.n)
	case packetLength:
		return packetLen
	case negative:
		v := l.number(n.of, checks)
		if c, ok := v.(lit); ok {
			return -c
		}
		return neg{v}
	case operation:
		a := l.number(n.a, checks)
		return l.operation(n, a, l.number(n.b, checks))
	case access:
		return l.access(n, checks)
	}
	return lit(0)
}

var aluOps = map[string]bpf.ALUOp{
	"+": bpf.ALUOpAdd, "-": bpf.ALUOpSub, "*": bpf.ALUOpMul, "/": bpf.ALUOpDiv, "%": bpf.ALUOpMod,
	"&": bpf.ALUOpAnd, "|": bpf.ALUOpOr, "^": bpf.ALUOpXor, "<<": bpf.ALUOpShiftLeft, ">>": bpf.ALUOpShiftRight,
}

func (l *lowering) operation(n operation, a, b value) value {
	y, isLit := b.(lit)
	if isLit && y == 0 && (n.op == "/" || n.op == "%") {
		l.fail(wrong(n.at, "division by zero"))
		return lit(0)
	}
	if isLit && y > 31 && (n.op == "<<" || n.op == ">>") {
		l.fail(wrong(n.at, "a shift by more than 31 bits"))
		return lit(0)
	}
	if x, ok := a.(lit); ok && isLit {
		return lit(compute(n.op, uint32(x), uint32(y)))
	}
	return alu{aluOps[n.op], a, b}
}

func compute(op string, a, b uint32) uint32 {
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		return a / b
	case "%":
		return a % b
	case "&":
		return a & b
	case "|":
		return a | b
	case "^":
		return a ^ b
	case "<<":
		return a << b
	}
	return a >> b
}

// access is a field of a header.
func (l *lowering) access(n access, checks *all) value {
	var inner all
	index := l.number(n.index, &inner)
	at, before, check := l.headerOf(n)
	*checks = append(append(append(*checks, before...), inner...), check)
	i, isLit := index.(lit)
	if !isLit {
		return load{add(index, at.index), at.off, n.size}
	}
	start := int64(at.off)
	if start >= netOffset {
		start -= netOffset
	}
	if end := start + int64(int32(i)); end < 0 || end > maxOffset || int64(i) > maxOffset && int64(int32(i)) < math.MinInt16 {
		if l.mixed && l.kind == kindDevice {
			*checks = append(*checks, truth(false)) // an Ethernet header has it
			return lit(0)
		}
		l.fail(wrong(n.at, "no packet has such a byte"))
	}
	return at.at(uint32(i), n.size)
}

// headerOf is where a protocol's header begins, and the conditions of its being there:
// before and after those of the headers that its offset is read from. For the protocols
// above IPv4 that is a first fragment of IPv4.
func (l *lowering) headerOf(n access) (at place, before all, check cond) {
	switch n.proto {
	case "ether":
		if l.kind == kindDevice {
			return l.header, nil, l.lacks(n.at, "Ethernet header")
		}
		return l.header, nil, l.frame(all{})
	case "ip", "ip6", "arp", "rarp", "atalk", "decnet", "lat", "sca", "moprc", "mopdl":
		return l.net, nil, l.protocol(n.proto, n.at)
	case "tcp", "udp", "sctp", "icmp", "igmp", "igrp", "pim", "vrrp", "carp":
		return l.transport4(), all{l.etherType(etherTypes["ip"])}, all{l.protocol(n.proto, n.at), l.firstFragment()}
	case "icmp6":
		return l.net.plus(40), nil, all{l.etherType(etherTypes["ip6"]), eq(l.net.at(6, 1), ipProtocols["icmp6"])}
	}
	return place{}, nil, l.fail(wrong(n.at, "the bytes of %q have no place in a packet", n.at.text))
}
