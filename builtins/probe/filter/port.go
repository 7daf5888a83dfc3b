package filter

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/bpf"

	"nsscript/builtins/near"
)

// transports are what has ports, in the order in which they are looked for.
var transports = []string{"sctp", "tcp", "udp"}

// ports is "port" or "portrange".
func (l *lowering) ports(p primitive) cond {
	if p.proto != "" && !slices.Contains(transports, p.proto) {
		return l.fail(wrong(p.at, "%q has no ports", p.at.text).hint("there is tcp, udp, sctp"))
	}
	first, last := p.id.text, p.id.text
	if p.kind == "portrange" {
		first, last = splitRange(p.id.text)
	}
	low, proto, err := l.port(p, first)
	high, other, err2 := l.port(p, last)
	switch {
	case err != nil:
		return l.fail(err)
	case err2 != nil:
		return l.fail(err2)
	case proto != other:
		proto = p.proto
	}
	if low > high {
		low, high = high, low
	}
	return l.portsOf(proto, p.dir, low, high)
}

// splitRange divides "6000-6008". A name may contain hyphens too.
func splitRange(s string) (first, last string) {
	for i, c := range s {
		if c != '-' {
			continue
		}
		if isPort(s[:i]) && isPort(s[i+1:]) {
			return s[:i], s[i+1:]
		}
	}
	return s, s
}

func isPort(s string) bool {
	if isNumber(s) {
		return true
	}
	_, _, ok := portNamed(s)
	return ok
}

// port returns a port and the protocol that its name belongs to, "" for any.
func (l *lowering) port(p primitive, word string) (port uint32, proto string, err *Error) {
	if isNumber(word) {
		n, perr := strconv.ParseUint(word, 0, 32)
		if perr != nil || n > 65535 {
			return 0, "", wrong(p.id, "a port is at most 65535")
		}
		return uint32(n), p.proto, nil
	}
	port, proto, ok := portNamed(word)
	switch {
	case !ok && p.kind == "port" && strings.Contains(word, "-") && isRange(word):
		return 0, "", wrong(p.id, "no port").hint("did you mean \"portrange %s\"?", word)
	case !ok:
		err := wrong(p.id, "no port of that name")
		if name := near.Name(slices.Collect(maps.Keys(ports)), word); name != "" {
			err = err.hint("%s", near.DidYouMean(name))
		}
		return 0, "", err
	case p.proto == "" || proto == p.proto:
		return port, proto, nil
	case proto == "":
		return port, p.proto, nil
	}
	return 0, "", wrong(p.id, "a port of %s", proto)
}

func isRange(s string) bool {
	first, last := splitRange(s)
	return first != last
}

// portsOf are packets of IP, unless it is a fragment without ports, and of IPv6
// with no header between.
func (l *lowering) portsOf(proto, dir string, low, high uint32) cond {
	within := func(at place) cond {
		return l.ends(dir, func(dst bool) cond {
			v := at.at(pick(dst, 2, 0), 2)
			if low == high {
				return eq(v, low)
			}
			return all{test{atLeast, v, lit(low)}, not{test{greater, v, lit(high)}}}
		})
	}
	list := transports
	if proto != "" {
		list = []string{proto}
	}
	var is4, is6 one
	for _, name := range list {
		is4 = append(is4, eq(l.net.at(9, 1), ipProtocols[name]))
		is6 = append(is6, eq(l.net.at(6, 1), ipProtocols[name]))
	}
	// libpcap looks at IPv6 first.
	v6 := all{l.etherType(etherTypes["ip6"]), is6, within(l.net.plus(40))}
	v4 := all{l.etherType(etherTypes["ip"]), is4, l.firstFragment(), within(l.transport4())}
	return one{v6, v4}
}

// firstFragment is an IPv4 packet that is not a later fragment (RFC 791).
func (l *lowering) firstFragment() cond { return masked(l.net.at(6, 2), 0x1fff, 0) }

// transport4 is what follows an IPv4 header.
func (l *lowering) transport4() place {
	return place{l.headerLength4(), l.net.off}
}

// headerLength4 is the length of the IPv4 header, added to the index where it begins.
func (l *lowering) headerLength4() value {
	if l.net.index == nil {
		return headerLength{l.net.off}
	}
	words := alu{bpf.ALUOpAnd, l.net.at(0, 1), lit(0xf)}
	return add(alu{bpf.ALUOpShiftLeft, words, lit(2)}, l.net.index)
}
