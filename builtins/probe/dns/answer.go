package dns

import (
	"github.com/miekg/dns"
)

// maxChain is how many aliases are followed from one to the next.
const maxChain = 8

// reply fills in the answer from the zones. Where the search leads out of them,
// to the name asked for or to that of an alias, it returns that name.
func (z *zones) reply(m *dns.Msg, name string, kind uint16) (outside string) {
	for range maxChain {
		apex, mine := z.apexOf(name)
		if !mine {
			return name
		}
		if cut, ok := z.delegation(apex, name); ok {
			z.refer(m, cut)
			return ""
		}
		m.Authoritative = m.Authoritative || len(m.Answer) == 0
		n := z.find(apex, name)
		if n == nil {
			m.Rcode = dns.RcodeNameError
			m.Ns = append(m.Ns, z.authority(apex))
			return ""
		}
		if found := n.of(kind); len(found) > 0 {
			m.Answer = append(m.Answer, found...)
			z.additional(m, found)
			return ""
		}
		alias := n.of(dns.TypeCNAME)
		if len(alias) == 0 {
			m.Ns = append(m.Ns, z.authority(apex))
			return ""
		}
		m.Answer = append(m.Answer, alias[0])
		name = dns.CanonicalName(alias[0].(*dns.CNAME).Target)
	}
	m.Rcode = dns.RcodeServerFailure // a ring of aliases
	return ""
}

// refer names the servers to which a part of a zone is delegated.
func (z *zones) refer(m *dns.Msg, cut string) {
	servers := z.nodes[cut].of(dns.TypeNS)
	m.Ns = append(m.Ns, servers...)
	z.additional(m, servers)
}

// additional adds the addresses of the names in records, as far as they are known.
func (z *zones) additional(m *dns.Msg, records []dns.RR) {
	for _, rr := range records {
		var name string
		switch rr := rr.(type) {
		case *dns.MX:
			name = rr.Mx
		case *dns.NS:
			name = rr.Ns
		case *dns.SRV:
			name = rr.Target
		default:
			continue
		}
		if n := z.nodes[dns.CanonicalName(name)]; n != nil {
			m.Extra = append(append(m.Extra, n.of(dns.TypeA)...), n.of(dns.TypeAAAA)...)
		}
	}
}
