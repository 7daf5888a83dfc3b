package dns

import (
	"context"
	"io"
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

// FuzzAnswer holds that a server with any record answers any question, in a form that can
// be sent, and that a record which was read can be read again.
func FuzzAnswer(f *testing.F) {
	f.Add("www.example.com", "A", "10.0.0.1", "www.example.com", uint16(1))
	f.Add("*.example.com", "CNAME", "a.example.com", "b.example.com", uint16(1))
	f.Add("example.com", "MX", "mail.example.com", "example.com", uint16(255))
	f.Add("example.com", "NS", "ns.example.com", "x.example.com", uint16(15))
	f.Add("a.ip6.arpa", "PTR", "b", "ip6.arpa", uint16(12))
	f.Fuzz(func(t *testing.T, name, kind, text, question string, qtype uint16) {
		line, err := Parse(name, kind, text, 60)
		if err != nil {
			t.Skip()
		}
		records, err := parseAll([]string{line})
		if err != nil {
			t.Fatalf("%q cannot be read again: %v", line, err)
		}
		s := &Server{opts: ServerOptions{Log: io.Discard}, base: records}
		if _, ok := dns.IsDomainName(question); !ok {
			t.Skip()
		}
		wire, err := new(dns.Msg).SetQuestion(dns.Fqdn(question), qtype).Pack()
		if err != nil {
			t.Skip() // a question that cannot be sent
		}
		q := new(dns.Msg)
		if err := q.Unpack(wire); err != nil {
			t.Skip()
		}
		m := s.Answer(context.Background(), netip.MustParseAddr("10.0.0.2"), q)
		if _, err := m.Pack(); err != nil {
			t.Fatalf("%q asked of %q: the answer cannot be sent: %v\n%v", question, line, err, m)
		}
	})
}
