package dns

import (
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Config says whom a stub resolver asks, as resolv.conf(5) does.
type Config struct {
	Servers []netip.AddrPort
	Search  []string // domains to complete names with
	Dots    int      // names with so many dots are tried as they are first
}

// ReadConfig reads the text of a resolv.conf.
func ReadConfig(text string) Config {
	c, err := dns.ClientConfigFromReader(strings.NewReader(text))
	if err != nil {
		return Config{Dots: 1}
	}
	cfg := Config{Search: c.Search, Dots: c.Ndots}
	for _, s := range c.Servers {
		if a, err := netip.ParseAddr(s); err == nil {
			cfg.Servers = append(cfg.Servers, netip.AddrPortFrom(a, Port))
		}
	}
	return cfg
}

// Question is what to ask, and how.
type Question struct {
	Name    string
	Type    string
	TCP     bool          // not over UDP
	Timeout time.Duration // for all of it
}

// Answer is what came of a question.
type Answer struct {
	Name      string // the name that was asked for in the end, with the domain that completed it
	Server    netip.AddrPort
	RTT       time.Duration
	Rcode     string // NOERROR, NXDOMAIN, SERVFAIL, REFUSED …; "" where no answer came
	Answers   []string
	Records   []Record
	Authority bool // the server says so of itself
	// Error is "" where an answer came, else a word of package probe.
	Error string
}

// Record is one line of an answer.
type Record struct {
	Name, Type, Data string
	TTL              int // seconds
}

// rounds is how often each server is asked.
const rounds = 2

// names are those to try for a name.
func (c Config) names(name string) []string {
	list := []string{dns.Fqdn(name)}
	if dns.IsFqdn(name) || strings.HasSuffix(name, ".arpa") {
		return list
	}
	for _, domain := range c.Search {
		list = append(list, dns.Fqdn(name)+dns.Fqdn(domain))
	}
	if strings.Count(name, ".") < c.Dots {
		return append(list[1:], list[0])
	}
	return list
}

// fill takes over what an answer says.
func (a *Answer) fill(m *dns.Msg, kind uint16) {
	a.Rcode = dns.RcodeToString[m.Rcode]
	a.Authority = m.Authoritative
	for _, rr := range m.Answer {
		head := rr.Header()
		a.Records = append(a.Records, Record{head.Name, dns.Type(head.Rrtype).String(), data(rr), int(head.Ttl)})
		if head.Rrtype == kind || kind == dns.TypeANY {
			a.Answers = append(a.Answers, data(rr))
		}
	}
}

// data is a record without its name, type and time to live. That of a TXT is the text itself.
func data(rr dns.RR) string {
	if txt, ok := rr.(*dns.TXT); ok {
		return strings.Join(txt.Txt, "")
	}
	return strings.TrimPrefix(rr.String(), rr.Header().String())
}
