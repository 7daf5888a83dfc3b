package dns

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// zones are the records of a server as one kind of client sees them.
type zones struct {
	nodes  map[string]*node // by canonical name; those between an apex and a record, too
	apexes map[string]bool
}

// node is a name that exists.
type node struct {
	records []dns.RR
}

// of returns the node's records of a type; all of them for ANY.
func (n *node) of(kind uint16) []dns.RR {
	var list []dns.RR
	for _, rr := range n.records {
		if rr.Header().Rrtype == kind || kind == dns.TypeANY {
			list = append(list, rr)
		}
	}
	return list
}

// newZones builds the zones of records.
func newZones(records []dns.RR) *zones {
	z := &zones{nodes: map[string]*node{}, apexes: map[string]bool{}}
	for _, rr := range records {
		z.add(rr)
	}
	z.addReverse(records)
	z.findApexes()
	for name := range z.nodes {
		z.addBetween(name)
	}
	for apex := range z.apexes {
		z.addAuthority(apex)
	}
	return z
}

func (z *zones) add(rr dns.RR) {
	name := dns.CanonicalName(rr.Header().Name)
	if z.nodes[name] == nil {
		z.nodes[name] = &node{}
	}
	z.nodes[name].records = append(z.nodes[name].records, rr)
}

// addReverse gives each address the first name that has it.
func (z *zones) addReverse(records []dns.RR) {
	for _, rr := range records {
		head := rr.Header()
		addr, ok := addrOf(rr)
		if !ok || strings.HasPrefix(head.Name, "*") {
			continue
		}
		name := Reverse(addr)
		if z.nodes[name] != nil {
			continue
		}
		z.add(&dns.PTR{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: head.Ttl}, Ptr: head.Name})
	}
}

// addrOf is the address in an A or AAAA record.
func addrOf(rr dns.RR) (a netip.Addr, ok bool) {
	switch rr := rr.(type) {
	case *dns.A:
		a, ok = netip.AddrFromSlice(rr.A)
	case *dns.AAAA:
		a, ok = netip.AddrFromSlice(rr.AAAA)
	}
	return a.Unmap(), ok
}

// findApexes derives the zones: a name with a start of authority begins one, and so
// does the topmost given name of each tree, if it has an MX, NS or TXT record; else
// it is its parent that does. Reverse names are in a zone by the /24, or the /64.
func (z *zones) findApexes() {
	candidates := map[string]bool{}
	for name, n := range z.nodes {
		switch {
		case len(n.of(dns.TypeSOA)) > 0:
			z.apexes[name] = true
		case len(n.of(dns.TypeMX))+len(n.of(dns.TypeNS))+len(n.of(dns.TypeTXT)) > 0 && !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, "*"):
			candidates[name] = true
		default:
			candidates[parent(name)] = true
		}
	}
	for name := range candidates {
		covered := name == "." // nothing that is given makes a server one of the root
		for up := name; !covered && up != "."; {
			up = parent(up)
			covered = candidates[up] && up != "."
		}
		if !covered {
			z.apexes[name] = true
		}
	}
	delete(z.apexes, ".")
	for name := range z.nodes {
		if _, in := z.apexOf(name); !in {
			z.apexes[name] = true // a single label
		}
	}
}

// parent is a name without its first label; of a reverse name, that of its network.
func parent(name string) string {
	labels := 1
	if strings.HasSuffix(name, ".ip6.arpa.") {
		labels = max(1, dns.CountLabel(name)-18) // 16 nibbles make a /64
	}
	for range labels {
		i, end := dns.NextLabel(name, 0)
		if end {
			return "."
		}
		name = name[i:]
	}
	return name
}

// addBetween adds the names between a name and its zone's apex: they exist, though
// they have no records (RFC 4592, 2.2.2).
func (z *zones) addBetween(name string) {
	apex, in := z.apexOf(name)
	for up := name; in && up != apex; {
		i, _ := dns.NextLabel(up, 0)
		up = up[i:]
		if z.nodes[up] == nil {
			z.nodes[up] = &node{}
		}
	}
}

// addAuthority sees to it that an apex has a start of authority. Names that do not
// exist are forgotten soon: in a lab they are often made a moment later.
func (z *zones) addAuthority(apex string) {
	n := z.nodes[apex]
	if n == nil {
		n = &node{}
		z.nodes[apex] = n
	}
	if len(n.of(dns.TypeSOA)) > 0 {
		return
	}
	primary := "ns." + apex
	if ns := n.of(dns.TypeNS); len(ns) > 0 {
		primary = ns[0].(*dns.NS).Ns
	}
	n.records = append(n.records, &dns.SOA{
		Hdr: dns.RR_Header{Name: apex, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 60},
		Ns:  primary, Mbox: "hostmaster." + apex, Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: 5,
	})
}

// apexOf is the nearest apex at a name or above it.
func (z *zones) apexOf(name string) (apex string, found bool) {
	for off, end := 0, false; !end; off, end = dns.NextLabel(name, off) {
		if z.apexes[name[off:]] {
			return name[off:], true
		}
	}
	return "", false
}

// authority is the start of authority of a zone, with the time for which a client may
// remember that there is nothing (RFC 2308, 5).
func (z *zones) authority(apex string) dns.RR {
	soa := dns.Copy(z.nodes[apex].of(dns.TypeSOA)[0]).(*dns.SOA)
	soa.Hdr.Ttl = min(soa.Hdr.Ttl, soa.Minttl)
	return soa
}

// delegation is the name at which a zone hands over to other servers, on the way from
// its apex down to a name.
func (z *zones) delegation(apex, name string) (cut string, ok bool) {
	starts := dns.Split(name)
	slices.Reverse(starts)
	for _, off := range starts {
		at := name[off:]
		if n := z.nodes[at]; len(at) > len(apex) && n != nil && len(n.of(dns.TypeNS)) > 0 {
			return at, true
		}
	}
	return "", false
}

// find returns what stands at a name: its node, or that of the wildcard which covers
// it (RFC 4592, 3.3), with the owner of the records replaced.
func (z *zones) find(apex, name string) *node {
	if n := z.nodes[name]; n != nil {
		return n
	}
	for up := name; up != apex; {
		i, end := dns.NextLabel(up, 0)
		if end {
			return nil
		}
		up = up[i:]
		if z.nodes[up] == nil {
			continue
		}
		star := z.nodes["*."+up]
		if star == nil {
			return nil
		}
		n := &node{}
		for _, rr := range star.records {
			rr = dns.Copy(rr)
			rr.Header().Name = name
			n.records = append(n.records, rr)
		}
		return n
	}
	return nil
}
