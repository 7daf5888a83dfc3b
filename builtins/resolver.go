package builtins

import (
	"net/netip"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
	"nsscript/builtins/probe/dns"
)

var resolverSpec = spec{
	sig: "resolver(ns, servers = None, *, search = [])",
	doc: resolverDoc,
	run: resolver,
}

func resolver(c *call) (starlark.Value, error) {
	var ns *Namespace
	var servers starlark.Value
	var search domains
	if err := c.unpack(&ns, &servers, &search); err != nil {
		return nil, err
	}
	if servers == nil && len(search) > 0 {
		return nil, badArg("", "give the servers that are to be asked, with the domains of search")
	}
	if servers != nil {
		ips, err := c.servers(ns, servers)
		if err != nil {
			return nil, &argError{"servers", err}
		}
		if err := c.setResolver(ns, ips, search); err != nil {
			return nil, err
		}
	}
	cfg, err := c.resolverOf(ns)
	if err != nil {
		return nil, err
	}
	ips := make([]netip.Addr, len(cfg.Servers))
	for i, s := range cfg.Servers {
		ips[i] = s.Addr()
	}
	return resolverValue(ips, cfg.Search), nil
}

// setResolver has the programs of a namespace ask these servers; none for those that
// they asked before the lab.
func (c *call) setResolver(ns *Namespace, servers []netip.Addr, search []string) error {
	if err := c.lab.Open(c.ctx); err != nil {
		return err
	}
	o := &op.SetResolver{NS: ns.name, Search: search, Dir: c.lab.EtcDir(ns.name)}
	for _, ip := range servers {
		o.Servers = append(o.Servers, ip.String())
	}
	return c.do(o)
}

// resolverOf says whom programs in a namespace ask.
func (s *Session) resolverOf(ns *Namespace) (dns.Config, error) {
	if s.lab.Planned() {
		n := s.lab.Picture().Namespace(ns.name)
		cfg := dns.Config{Search: n.Search, Dots: 1}
		for _, text := range n.Resolvers {
			if a, err := netip.ParseAddr(text); err == nil {
				cfg.Servers = append(cfg.Servers, netip.AddrPortFrom(a, dns.Port))
			}
		}
		return cfg, nil
	}
	text, err := s.lab.ResolvConf(ns.name)
	return dns.ReadConfig(text), err
}

// servers are the addresses of one server or of several, seen from a namespace.
func (s *Session) servers(from *Namespace, v starlark.Value) ([]netip.Addr, error) {
	list := []starlark.Value{v}
	if it, ok := v.(*starlark.List); ok {
		list = slices.Collect(it.Elements())
	}
	var ips []netip.Addr
	for _, x := range list {
		found, err := s.targets(from, x)
		if err != nil {
			return nil, err
		}
		ips = append(ips, found[0])
	}
	return ips, nil
}

// domains is a domain, or a list of them.
type domains []string

func (d *domains) unpack(s *Session, v starlark.Value) error {
	if it, ok := v.(*starlark.List); ok {
		for x := range it.Elements() {
			if err := d.unpack(s, x); err != nil {
				return err
			}
		}
		return nil
	}
	text, ok := starlark.AsString(v)
	if !ok || dns.CheckName(text, false) != nil {
		return want(`a domain such as "example.com"`, v)
	}
	*d = append(*d, strings.TrimSuffix(text, "."))
	return nil
}

func resolverValue(servers []netip.Addr, search []string) starlark.Value {
	str := func(s string) starlark.Value { return starlark.String(s) }
	names := make([]string, len(servers))
	for i, ip := range servers {
		names[i] = ip.String()
	}
	text := "no resolver"
	if len(names) > 0 {
		text = "nameserver " + strings.Join(names, " ")
	}
	if len(search) > 0 {
		text += ", search " + strings.Join(search, " ")
	}
	return &record{kind: "Resolver", truth: len(names) > 0, text: text, fields: []field{
		{"servers", listOf(names, str)},
		{"search", listOf(search, str)},
	}}
}

const resolverDoc = `
Has a namespace ask these name servers: its programs, dns(), and the names in targets and URLs.

It is the resolv.conf that "ip netns exec" would show over that of /etc. In the lab's programs, only files and name servers are asked for hosts, no service of the machine. Without servers it changes nothing and says what is.

servers (target | list[target]): name servers, the first is asked first; an empty list for what was there before the lab
search (string | list[string]): domains that complete a short name
returns (Resolver): whom it asks then
errors: a server is no address, or has none
example:
    red, ns1 = namespace("red"), namespace("ns1")
    veth(red, ns1, addr = "10.0.0.1/24", peer_addr = "10.0.0.53/24")
    dns_server(ns1, {"www.example.com": "10.0.0.1"})
    print(resolver(red, ns1, search = "example.com"))
    #> nameserver 10.0.0.53, search example.com
    print(exec(red, "getent hosts www").stdout.split()[0])
    #> 10.0.0.1
command: echo "nameserver SERVER" > /etc/netns/NS/resolv.conf
source: resolv.conf(5), ip-netns(8)
`

const resolverTypeDoc = `
Whom a namespace asks for names; truthy where there is somebody.

servers (list[string]): name servers
search (list[string]): domains that complete a short name
source: resolv.conf(5)
`
