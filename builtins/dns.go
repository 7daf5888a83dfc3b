package builtins

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"nsscript/builtins/near"
	"nsscript/builtins/op"
	"nsscript/builtins/probe/dns"
)

var dnsSpec = spec{
	sig: "dns(ns, name, *, type = None, server = None, tcp = False, timeout = \"2s\")",
	doc: dnsDoc,
	run: dnsAsk,
}

func dnsAsk(c *call) (starlark.Value, error) {
	var ns *Namespace
	var name, server starlark.Value
	q := dns.Question{}
	timeout := duration(2 * time.Second)
	if err := c.unpack(&ns, &name, &q.Type, &server, &q.TCP, &timeout); err != nil {
		return nil, err
	}
	q.Timeout = timeout.std()
	if err := c.question(ns, name, &q); err != nil {
		return nil, err
	}
	cfg, err := c.resolverOf(ns)
	if err != nil {
		return nil, err
	}
	if server != nil {
		ips, err := c.servers(ns, server)
		if err != nil {
			return nil, &argError{"server", err}
		}
		cfg = dns.Config{Dots: 1} // as with dig @SERVER: the name as it is
		for _, ip := range ips {
			cfg.Servers = append(cfg.Servers, netip.AddrPortFrom(ip, dns.Port))
		}
	}
	if len(cfg.Servers) == 0 {
		return nil, badArg(fmt.Sprintf("resolver(%s, SERVER) gives it one; or name a server with `server`", ns.name), "%s has no resolver", ns.title())
	}
	if c.assume(c.pos(), op.InNS(ns.name, digWords(q, cfg)...)) {
		return dnsResult(q, c.plannedAnswer(cfg, q)), nil
	}
	a, err := c.ask(ns, cfg, q)
	if err != nil {
		return nil, err
	}
	return dnsResult(q, a), nil
}

// question reads the name and the type. The name of an address is that of its PTR record.
func (c *call) question(ns *Namespace, v starlark.Value, q *dns.Question) error {
	text, isText := starlark.AsString(v)
	_, err := netip.ParseAddr(text)
	switch {
	case isText && err != nil:
		if err := dns.CheckName(text, false); err != nil {
			return &argError{"name", err}
		}
		q.Name = text
		if q.Type == "" {
			q.Type = "A"
		}
	default:
		ips, err := c.targets(ns, v)
		if err != nil {
			return &argError{"name", err}
		}
		q.Name = dns.Reverse(ips[0])
		if q.Type == "" {
			q.Type = "PTR"
		}
	}
	q.Type = strings.ToUpper(q.Type)
	return checkType(q.Type, "ANY")
}

// checkType refuses types of records that are not known.
func checkType(kind string, also ...string) error {
	known := append(also, dns.Types...)
	for _, k := range known {
		if k == kind {
			return nil
		}
	}
	return badArg(near.Hint(known, kind), "argument \"type\": no type of record is called %q", kind)
}

// ask puts a question from a namespace: nothing but what goes over the network.
func (s *Session) ask(ns *Namespace, cfg dns.Config, q dns.Question) (dns.Answer, error) {
	if s.lab.Planned() {
		return s.plannedAnswer(cfg, q), nil
	}
	if err := s.lab.RefreshNames(); err != nil {
		return dns.Answer{}, err
	}
	k, err := ns.ready()
	if err != nil {
		return dns.Answer{}, err
	}
	a, err := dns.Ask(s.ctx, k, cfg, q)
	return a, s.interrupted(err)
}

// lookupTime is how long the name in a target may take to be resolved.
const lookupTime = 4 * time.Second

// resolve finds the addresses of a name of which the lab knows nothing, by the namespace's
// resolver. ok is false where it has none, or the name could not be a domain's.
func (s *Session) resolve(ns *Namespace, name string) (ips []netip.Addr, ok bool, err error) {
	cfg, err := s.resolverOf(ns)
	if err != nil || len(cfg.Servers) == 0 || dns.CheckName(name, false) != nil {
		return nil, false, err
	}
	why := ""
	for _, kind := range []string{"A", "AAAA"} {
		a, err := s.ask(ns, cfg, dns.Question{Name: name, Type: kind, Timeout: lookupTime})
		if err != nil {
			return nil, true, err
		}
		for _, text := range a.Answers {
			if ip, err := netip.ParseAddr(text); err == nil {
				ips = append(ips, ip)
			}
		}
		if len(ips) > 0 {
			return ips, true, nil
		}
		if why == "" {
			why = reasonOf(a)
		}
		if a.Error != "" || a.Rcode == "NXDOMAIN" {
			break
		}
	}
	hint := ""
	if !strings.Contains(name, ".") { // a namespace may have been meant
		hint = nearName(append(s.lab.System().Names(), op.Host), name)
	}
	return nil, true, badArg(hint, "%s cannot resolve %q: %s", ns.title(), name, why)
}

// reasonOf says why an answer is none.
func reasonOf(a dns.Answer) string {
	switch {
	case a.Error != "":
		return fmt.Sprintf("%s from the name server %s", a.Error, a.Server.Addr())
	case a.Rcode == "NOERROR":
		return fmt.Sprintf("the name server %s knows the name, but no address of it", a.Server.Addr())
	}
	return fmt.Sprintf("the name server %s says %s", a.Server.Addr(), a.Rcode)
}

// digWords are those of the dig program for the same.
func digWords(q dns.Question, cfg dns.Config) []string {
	w := []string{"dig", "@" + cfg.Servers[0].Addr().String()}
	if q.TCP {
		w = append(w, "+tcp")
	}
	return append(w, q.Name, q.Type)
}

func dnsResult(q dns.Question, a dns.Answer) starlark.Value {
	text := fmt.Sprintf("%s %s: ", q.Name, q.Type)
	switch {
	case a.Error != "":
		text += reasonOf(a)
	case len(a.Answers) > 0:
		text += strings.Join(a.Answers, ", ")
	case a.Rcode == "NOERROR":
		text += "the name has no such record"
	default:
		text += a.Rcode
	}
	rtt := starlark.Value(starlark.None)
	if a.Rcode != "" {
		rtt = seconds(a.RTT)
	}
	return &record{kind: "DNSAnswer", truth: len(a.Answers) > 0, text: text, fields: []field{
		{"answers", listOf(a.Answers, func(s string) starlark.Value { return starlark.String(s) })},
		{"records", listOf(a.Records, dnsRecord)},
		{"rcode", strOrNone(a.Rcode)},
		{"name", starlark.String(strings.TrimSuffix(a.Name, "."))},
		{"type", starlark.String(q.Type)},
		{"server", starlark.String(a.Server.Addr().String())},
		{"authoritative", starlark.Bool(a.Authority)},
		{"rtt", rtt},
		{"error", strOrNone(a.Error)},
	}}
}

func dnsRecord(r dns.Record) starlark.Value {
	return &record{kind: "DNSRecord", truth: true, text: fmt.Sprintf("%s %d %s %s", r.Name, r.TTL, r.Type, r.Data), fields: []field{
		{"name", starlark.String(r.Name)},
		{"type", starlark.String(r.Type)},
		{"ttl", starlark.MakeInt(r.TTL)},
		{"data", starlark.String(r.Data)},
	}}
}

const dnsDoc = `
Asks a name server, and says what it answered; needs no program.

name (string | target): a name; an address, a Link or a Namespace for the name of an address
type (string): A, AAAA, CAA, CNAME, MX, NS, PTR, SOA, SRV, TXT or ANY; left out, it is A, and PTR for an address
server (target | list[target]): whom to ask; left out, the namespace's resolver
tcp (bool): ask over TCP at once, not only when an answer does not fit into a datagram
timeout (duration): how long all of it may take; each server is asked twice
returns (DNSAnswer): truthy when there is a record of that type
errors: it is no name; the namespace has no resolver and no server was given
example:
    red, ns1 = namespace("red"), namespace("ns1")
    veth(red, ns1, addr = "10.0.0.1/24", peer_addr = "10.0.0.53/24")
    dns_server(ns1, {"www.example.com": "10.0.0.80", "example.com": {"MX": "10 mail.example.com"}})
    print(dns(red, "www.example.com", server = ns1).answers)
    #> ["10.0.0.80"]
    print(dns(red, "example.com", type = "MX", server = ns1).answers)
    #> ["10 mail.example.com."]
    print(dns(red, "nothing.example.com", server = ns1).rcode)
    #> NXDOMAIN
command: ip netns exec NS dig @SERVER NAME TYPE
source: RFC 1034, RFC 1035
`

const dnsAnswerDoc = `
What a name server answered; truthy where there is a record of the type asked for.

answers (list[string]): the data of those records, as "dig +short" prints them
records (list[DNSRecord]): all records of the answer, aliases included
rcode (string | None): NOERROR, NXDOMAIN, SERVFAIL, REFUSED …; None where no answer came. NOERROR without answers: the name has no record of that type
name (string): the name that was asked for in the end, where a domain was added to it
type (string): the type asked for
server (string): who answered, or was asked last
authoritative (bool): whether the server says that the name is its own
rtt (float | None, seconds): how long the answer took
error (string | None): timeout, refused, unreachable, or malformed for what is no answer
source: RFC 1035
`

const dnsRecordDoc = `
One record of an answer.

name (string): whose it is, with the final dot
type (string): A, CNAME …
ttl (int, seconds): how long it may be remembered
data (string): an address, a name …, as a zone file has it
source: RFC 1035
`
