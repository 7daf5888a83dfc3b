package filter

import (
	"maps"
	"slices"

	"nsscript/builtins/near"
)

// protocol is a keyword that stands alone: "tcp".
func (l *lowering) protocol(name string, at token) cond {
	switch name {
	case "ether":
		return l.fail(wrong(at, "it says nothing alone").hint("there is \"%s host\", \"%s proto\", \"%s[0]\"", at.text, at.text, at.text))
	case "icmp", "igmp", "vrrp", "carp":
		return l.inIP(ipProtocols[name])
	case "igrp":
		return l.inIP(9)
	case "icmp6":
		return l.inIP6(ipProtocols[name])
	case "tcp", "udp", "sctp", "pim", "ah", "esp":
		return one{l.inIP(ipProtocols[name]), l.inIP6(ipProtocols[name])}
	case "clnp", "esis", "isis":
		return l.iso(isoProtocols[name], at)
	}
	if types := isisTypes[name]; types != nil {
		return l.isis(types, at)
	}
	return l.linkProto(etherTypes[name], at)
}

// linkProto is a protocol right behind the link header.
func (l *lowering) linkProto(n uint32, at token) cond {
	if l.labels > 0 && n != etherTypes["ip"] && n != etherTypes["ip6"] {
		return l.fail(wrong(at, "MPLS does not say what it carries").hint("there is ip, ip6"))
	}
	return l.etherType(n)
}

// iso is a protocol of ISO's network layer.
func (l *lowering) iso(n uint32, at token) cond {
	return all{l.linkProto(sapISO, at), eq(l.isoHeader().at(0, 1), n)}
}

// isis is one of some types of packets of IS-IS.
func (l *lowering) isis(types []uint32, at token) cond {
	var list one
	for _, n := range types {
		list = append(list, eq(l.isoHeader().at(4, 1), n))
	}
	return all{l.iso(isoProtocols["isis"], at), list}
}

// inIP is a protocol in IPv4.
func (l *lowering) inIP(n uint32) cond {
	return all{l.etherType(etherTypes["ip"]), eq(l.net.at(9, 1), n)}
}

// inIP6 is a protocol in IPv6, perhaps in a fragment.
func (l *lowering) inIP6(n uint32) cond {
	next := l.net.at(6, 1)
	fragment := all{eq(next, ipProtocols["ipv6-frag"]), eq(l.net.at(40, 1), n)}
	return all{l.etherType(etherTypes["ip6"]), one{eq(next, n), fragment}}
}

// proto is "proto" or "protochain" with a number or a name.
func (l *lowering) proto(p primitive) cond {
	names := ipProtocols
	switch p.proto {
	case "ether":
		names = etherTypes
	case "iso":
		names = isoProtocols
	case "", "ip", "ip6":
	default:
		return l.fail(wrong(p.at, "%q carries no other protocol", p.at.text).hint("there is ether, ip, ip6, iso"))
	}
	n, isNum, err := p.id.number()
	switch {
	case err != nil:
		return l.fail(err)
	case !isNum:
		known := false
		if n, known = names[p.id.text]; !known {
			return l.fail(wrong(p.id, "no protocol of that name").hint("%s",
				near.Hint(slices.Collect(maps.Keys(names)), p.id.text)))
		}
	case n > 255 && p.proto != "ether":
		return l.fail(wrong(p.id, "a protocol is at most 255"))
	case n > 65535:
		return l.fail(wrong(p.id, "an Ethernet type is at most 65535"))
	}
	if p.kind == "protochain" {
		return l.protochain(p, n)
	}
	switch p.proto {
	case "ether":
		return l.linkProto(n, p.id)
	case "ip":
		return l.inIP(n)
	case "ip6":
		return l.inIP6(n)
	case "iso":
		return l.iso(n, p.id)
	}
	return one{l.inIP(n), l.inIP6(n)}
}

// cast is "broadcast" or "multicast".
func (l *lowering) cast(c cast) cond {
	switch {
	case c.proto != "" && c.proto != "ether":
		return l.ipCast(c)
	case l.kind != kindEthernet:
		return l.lacks(c.at, "link-layer "+c.at.text)
	case c.at.text == "broadcast":
		return l.frame(l.mac([6]byte{255, 255, 255, 255, 255, 255}, true))
	}
	return l.frame(not{masked(l.header.at(0, 1), 1, 0)})
}

func (l *lowering) ipCast(c cast) cond {
	switch {
	case c.at.text == "broadcast" && c.proto == "ip":
		return l.fail(wrong(c.at, "the mask of the net is not known").hint("write \"ether broadcast\", or \"dst host 10.0.0.255\""))
	case c.at.text == "multicast" && c.proto == "ip":
		return all{l.etherType(etherTypes["ip"]), test{atLeast, l.net.at(16, 1), lit(224)}}
	case c.at.text == "multicast" && c.proto == "ip6":
		return all{l.etherType(etherTypes["ip6"]), eq(l.net.at(24, 1), 255)}
	}
	return l.fail(wrong(c.at, "%q has no %s", c.proto, c.at.text))
}
