package builtins

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/near"
	"nsscript/builtins/probe/dns"
)

var dnsServerSpec = spec{
	sig: "dns_server(ns, records = {}, *, views = {}, forward = None, lab_names = False, ttl = 60, port = 53)",
	doc: dnsServerDoc,
	run: dnsServer,
}

func dnsServer(c *call) (starlark.Value, error) {
	var ns *Namespace
	var records, views *starlark.Dict
	var forward starlark.Value
	names := false
	ttl, at := 60, port(dns.Port)
	if err := c.unpack(&ns, &records, &views, &forward, &names, within{&ttl, 0, 1<<31 - 1, "seconds"}, &at); err != nil {
		return nil, err
	}
	shown := []string{"nsscript", "serve", "dns"}
	lines, err := c.records(ns, records, ttl)
	if err != nil {
		return nil, &argError{"records", err}
	}
	for _, l := range lines {
		shown = append(shown, "--record", l)
	}
	more, err := c.views(ns, views, ttl)
	if err != nil {
		return nil, &argError{"views", err}
	}
	shown = append(shown, more...)
	if more, err = c.forwards(ns, forward); err != nil {
		return nil, &argError{"forward", err}
	}
	shown = append(shown, more...)
	if names {
		more, err := c.labNames(ns, ttl)
		if err != nil {
			return nil, err
		}
		shown = append(shown, more...)
	}
	if at != dns.Port {
		shown = append(shown, "--port", fmt.Sprint(at))
	}
	if c.lab.Planned() {
		z, err := dns.NewZones(recordFlags(shown))
		if err != nil {
			return nil, err
		}
		c.services.names = append(c.services.names, z)
	}
	return c.startServer(ns, shown)
}

// labNames has the names of the lab served: from a file that is kept up to date; in a
// plan, those that there are by now.
func (c *call) labNames(ns *Namespace, ttl int) (flags []string, err error) {
	if err := c.lab.Open(c.ctx); err != nil {
		return nil, err
	}
	if !c.lab.Planned() {
		file, err := c.lab.Names(ns.name)
		return []string{"--names", file}, err
	}
	for _, name := range c.lab.System().Names() {
		ips, err := c.lab.Nearest(ns.name, name)
		if err != nil {
			return nil, err
		}
		for _, ip := range ips {
			if ip.Is4() && !ip.IsLoopback() {
				line, err := dns.Parse(name, "A", ip.String(), ttl)
				if err != nil {
					return nil, err
				}
				flags = append(flags, "--record", line)
			}
		}
	}
	return flags, nil
}

// recordFlags are the values of the flag --record in a command line.
func recordFlags(words []string) []string {
	var lines []string
	for i, w := range words {
		if w == "--record" {
			lines = append(lines, words[i+1])
		}
	}
	return lines
}

// records reads names with their records: a target or a list of them for addresses, or
// a dict from types to data.
func (c *call) records(ns *Namespace, d *starlark.Dict, ttl int) ([]string, error) {
	if d == nil {
		return nil, nil
	}
	var lines []string
	for _, item := range d.Items() {
		name, ok := starlark.AsString(item[0])
		if !ok {
			return nil, want(`names such as "www.example.com"`, item[0])
		}
		if err := dns.CheckName(name, true); err != nil {
			return nil, err
		}
		more, err := c.recordsOf(ns, name, item[1], ttl)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		lines = append(lines, more...)
	}
	return lines, nil
}

func (c *call) recordsOf(ns *Namespace, name string, v starlark.Value, ttl int) ([]string, error) {
	types, ok := v.(*starlark.Dict)
	if !ok {
		return c.addressRecords(ns, name, "", v, ttl)
	}
	var lines []string
	for _, item := range types.Items() {
		kind, _ := starlark.AsString(item[0])
		if !slices.Contains(dns.Types, kind) {
			return nil, badArg(near.Hint(dns.Types, kind), "no type of record is called %s", describe(item[0]))
		}
		if kind == "A" || kind == "AAAA" {
			more, err := c.addressRecords(ns, name, kind, item[1], ttl)
			if err != nil {
				return nil, err
			}
			lines = append(lines, more...)
			continue
		}
		for _, x := range each(item[1]) {
			data, err := wordOf(x)
			if err != nil {
				return nil, want("the data of a record as a string", x)
			}
			line, err := dns.Parse(name, kind, data, ttl)
			if err != nil {
				return nil, err
			}
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// each is what is in a list, or the one value that is none.
func each(v starlark.Value) []starlark.Value {
	switch v := v.(type) {
	case *starlark.List:
		return slices.Collect(v.Elements())
	case starlark.Tuple:
		return v
	}
	return []starlark.Value{v}
}

// addressRecords are the records of targets: of each, the best address of either kind, or of
// the one kind that is asked for.
func (c *call) addressRecords(ns *Namespace, name, only string, v starlark.Value, ttl int) ([]string, error) {
	var lines []string
	for _, x := range each(v) {
		ips, err := c.targets(ns, x)
		if err != nil {
			if text, ok := starlark.AsString(x); ok && strings.Contains(text, ".") && dns.CheckName(text, false) == nil {
				return nil, badArg(fmt.Sprintf("for an alias write {\"CNAME\": %q}", text), "%q is no address", text)
			}
			return nil, err
		}
		for _, kind := range []string{"A", "AAAA"} {
			i := slices.IndexFunc(ips, func(a netip.Addr) bool { return a.Is4() == (kind == "A") && !a.IsLinkLocalUnicast() })
			if i < 0 || only != "" && only != kind {
				continue
			}
			line, err := dns.Parse(name, kind, ips[i].String(), ttl)
			if err != nil {
				return nil, err
			}
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return nil, badArg("", "%s has no address that a record of type %s could hold", describe(v), strings.TrimSpace(only+" A"))
	}
	return lines, nil
}

// views reads what clients of certain networks see, as flags of the server.
func (c *call) views(ns *Namespace, d *starlark.Dict, ttl int) ([]string, error) {
	if d == nil {
		return nil, nil
	}
	var flags []string
	for _, item := range d.Items() {
		var networks []string
		for _, x := range each(item[0]) {
			var to destination
			if err := to.unpack(c.Session, x); err != nil || to == "default" {
				return nil, want(`the networks of clients as keys, such as "10.0.1.0/24"`, x)
			}
			networks = append(networks, string(to))
		}
		records, ok := item[1].(*starlark.Dict)
		if !ok {
			return nil, fmt.Errorf("%s: %w", strings.Join(networks, ","), want("a dict of records", item[1]))
		}
		lines, err := c.records(ns, records, ttl)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Join(networks, ","), err)
		}
		for _, l := range lines {
			flags = append(flags, "--view", strings.Join(networks, ",")+" "+l)
		}
	}
	return flags, nil
}

// forwards reads whom to ask for other names, as flags of the server.
func (c *call) forwards(ns *Namespace, v starlark.Value) ([]string, error) {
	if v == nil {
		return nil, nil
	}
	byDomain, ok := v.(*starlark.Dict)
	if !ok {
		byDomain = starlark.NewDict(1)
		if err := byDomain.SetKey(starlark.String("."), v); err != nil {
			return nil, err
		}
	}
	var flags []string
	for _, item := range byDomain.Items() {
		domain, _ := starlark.AsString(item[0])
		if err := dns.CheckName(domain, false); err != nil {
			return nil, err
		}
		ips, err := c.servers(ns, item[1])
		if err != nil {
			return nil, err
		}
		var list []string
		for _, ip := range ips {
			list = append(list, ip.String())
		}
		flags = append(flags, "--forward", domain+" "+strings.Join(list, ","))
	}
	return flags, nil
}

const dnsServerDoc = `
A name server of our own, over UDP and TCP, returned when it listens. What it is asked and answers is its output.

It is authoritative for the domains of its records: there it tells a name that does not exist (NXDOMAIN) from one without a record of that type, and it knows the names of all its addresses (PTR). What is in none of them is forwarded, or refused.

records (dict[string, target | list[target] | dict]): names with their addresses; or with a dict from types of records to their data, or a list of such: {"MX": "10 mail.example.com"}. The name *.example.com stands for all that do not exist
views (dict[string, dict]): from networks of clients to records that they see in place of the general ones of the same name (split horizon); a key may be a tuple of networks
forward (target | list[target] | dict): servers to ask for all other names; or a dict from domains to servers
lab_names (bool): also serve the names of the lab's namespaces, with the addresses nearest to the server
ttl (int, seconds): how long clients may remember a record
port (int, 1 to 65535): where it listens
returns (Process): the running server
errors: a name or the data of a record is wrong; the port is in use
example:
    ns1, red, out = namespace("ns1"), namespace("red"), namespace("out")
    veth(red, ns1, addr = "10.0.0.1/24", peer_addr = "10.0.0.53/24")
    veth(out, ns1, addr = "192.0.2.1/24", peer_addr = "192.0.2.53/24")
    log = dns_server(ns1, {
        "www.example.com": "192.0.2.80",
        "example.com": {"MX": "10 mail.example.com", "TXT": "v=spf1 -all"},
        "ftp.example.com": {"CNAME": "www.example.com"},
    }, views = {"10.0.0.0/24": {"www.example.com": "10.0.0.80"}})
    print(dns(red, "ftp.example.com", server = ns1).answers)
    #> ["10.0.0.80"]
    print(dns(out, "ftp.example.com", server = ns1).answers)
    #> ["192.0.2.80"]
    print(log.output.splitlines()[0])
    #> 10.0.0.1 udp ftp.example.com. A NOERROR www.example.com. 10.0.0.80
command: ip netns exec NS nsscript serve dns --record RECORD &
source: RFC 1034, RFC 1035, RFC 2308 (NXDOMAIN), RFC 4592 (wildcards)
`
