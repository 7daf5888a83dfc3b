package builtins

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"nsscript/builtins/near"
	"nsscript/builtins/probe/dhcp"
)

var dhcpServerSpec = spec{
	sig: "dhcp_server(ns, pool, *, router = None, dns = None, domain = None, lease_time = \"1h\", reservations = {}, dev = None)",
	doc: dhcpServerDoc,
	run: dhcpServer,
}

var dhcpRelaySpec = spec{
	sig: "dhcp_relay(ns, server, *, dev = None)",
	doc: dhcpRelayDoc,
	run: dhcpRelay,
}

// serviceSpecs are the servers and clients of names and addresses.
var serviceSpecs = []spec{resolverSpec, dnsSpec, dnsServerSpec, dhcpSpec, dhcpServerSpec, dhcpRelaySpec}

// dhcpTerms are what clients are told, as a script gives it.
type dhcpTerms struct {
	pool, router, dns starlark.Value
	domain            domains
	time              duration
}

func dhcpServer(c *call) (starlark.Value, error) {
	var ns *Namespace
	var reservations *starlark.Dict
	var dev devList
	t := dhcpTerms{time: duration(time.Hour)}
	if err := c.unpack(&ns, &t.pool, &t.router, &t.dns, &t.domain, &t.time, &reservations, &dev); err != nil {
		return nil, err
	}
	var config dhcp.Config
	var err error
	if config.Devices, err = dev.in(ns); err != nil {
		return nil, err
	}
	if config.Subnets, err = c.dhcpSubnets(ns, t); err != nil {
		return nil, err
	}
	if config.Reservations, err = c.reservations(ns, config.Subnets, reservations); err != nil {
		return nil, &argError{"reservations", err}
	}
	if c.lab.Planned() {
		c.services.dhcp = append(c.services.dhcp, plannedDHCP{ns.name, dhcp.NewPlanner(config)})
	}
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	return c.startServer(ns, []string{"nsscript", "serve", "dhcp", string(text)})
}

// dhcpSubnets reads pools: one, in a network of the server, or a dict from networks to
// pools, or to dicts of what is different there.
func (c *call) dhcpSubnets(ns *Namespace, t dhcpTerms) ([]dhcp.Subnet, error) {
	byNetwork, ok := t.pool.(*starlark.Dict)
	if !ok {
		s, err := c.dhcpSubnet(ns, t, "")
		if err != nil {
			return nil, err
		}
		return []dhcp.Subnet{s}, nil
	}
	var list []dhcp.Subnet
	for _, item := range byNetwork.Items() {
		var network destination
		if err := network.unpack(c.Session, item[0]); err != nil || network == "default" {
			return nil, &argError{"pool", want(`networks as keys, such as "10.0.1.0/24"`, item[0])}
		}
		own, err := t.with(c.Session, item[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", network, err)
		}
		s, err := c.dhcpSubnet(ns, own, string(network))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", network, err)
		}
		list = append(list, s)
	}
	return list, nil
}

// with returns the terms of one network: a pool, or a dict of what is different there.
func (t dhcpTerms) with(s *Session, v starlark.Value) (dhcpTerms, error) {
	t.pool = v
	d, ok := v.(*starlark.Dict)
	if !ok {
		return t, nil
	}
	t.pool = nil
	for _, item := range d.Items() {
		key, _ := starlark.AsString(item[0])
		var err error
		switch key {
		case "pool":
			t.pool = item[1]
		case "router":
			t.router = item[1]
		case "dns":
			t.dns = item[1]
		case "domain":
			t.domain = nil
			err = t.domain.unpack(s, item[1])
		case "lease_time":
			err = t.time.unpack(s, item[1])
		default:
			known := []string{"pool", "router", "dns", "domain", "lease_time"}
			return t, badArg(near.Hint(known, key), "%s is none of %s", describe(item[0]), strings.Join(known, ", "))
		}
		if err != nil {
			return t, fmt.Errorf("%s: %w", key, err)
		}
	}
	return t, nil
}

// dhcpSubnet makes out of terms what the server is told. Without a network, it is the one of
// the server's own that the pool is in.
func (c *call) dhcpSubnet(ns *Namespace, t dhcpTerms, network string) (s dhcp.Subnet, err error) {
	if t.pool != nil {
		text, ok := starlark.AsString(t.pool)
		if !ok {
			return s, &argError{"pool", want(`a pool such as "10.0.0.100-10.0.0.199"`, t.pool)}
		}
		if s.First, s.Last, err = dhcp.ParsePool(text); err != nil {
			return s, &argError{"pool", err}
		}
	}
	if network != "" {
		s.Network, err = netip.ParsePrefix(network)
	} else {
		s.Network, err = c.networkOf(ns, s.First)
	}
	if err != nil {
		return s, err
	}
	if s.LeaseTime = int(t.time.std().Seconds()); s.LeaseTime < 1 {
		return s, &argError{"lease_time", badArg("", "want one second or more")}
	}
	if len(t.domain) > 1 {
		return s, &argError{"domain", badArg("", "want one domain, got %d", len(t.domain))}
	}
	s.Domain = strings.Join(t.domain, "")
	if s.Routers, err = c.inside(ns, t.router, s.Network); err != nil {
		return s, &argError{"router", err}
	}
	if s.DNS, err = c.inside(ns, t.dns, s.Network); err != nil {
		return s, &argError{"dns", err}
	}
	return s, s.Check()
}

// networkOf is the network of a namespace's own that an address is in.
func (c *call) networkOf(ns *Namespace, a netip.Addr) (best netip.Prefix, err error) {
	ours, err := c.lab.Globals(ns.name)
	if err != nil {
		return best, err
	}
	for _, p := range ours {
		if p.Contains(a) && (!best.IsValid() || p.Bits() > best.Bits()) {
			best = p.Masked()
		}
	}
	if !best.IsValid() {
		return best, &argError{"pool", badArg(`give the server an address there first; for clients behind a relay write {"NETWORK": "FIRST-LAST"}`,
			"%s is in no network of %s", a, ns.title())}
	}
	return best, nil
}

// inside are the IPv4 addresses of targets that clients in a network are told: of each, the one in
// that network if it has one there.
func (c *call) inside(ns *Namespace, v starlark.Value, network netip.Prefix) ([]netip.Addr, error) {
	if v == nil || v == starlark.None {
		return nil, nil
	}
	var list []netip.Addr
	for _, x := range each(v) {
		ips, err := c.targets(ns, x)
		if err != nil {
			return nil, err
		}
		var best netip.Addr
		for _, a := range ips {
			if a.Is4() && (!best.IsValid() || network.Contains(a) && !network.Contains(best)) {
				best = a
			}
		}
		if !best.IsValid() {
			return nil, badArg("", "%s has no IPv4 address", describe(x))
		}
		list = append(list, best)
	}
	return list, nil
}

// reservations reads addresses by the link-layer addresses of their owners: these may also be
// given as Links.
func (c *call) reservations(ns *Namespace, subnets []dhcp.Subnet, d *starlark.Dict) (map[string]netip.Addr, error) {
	if d == nil || d.Len() == 0 {
		return nil, nil
	}
	known := map[string]netip.Addr{}
	for _, item := range d.Items() {
		owner, err := c.ownerOf(item[0])
		if err != nil {
			return nil, err
		}
		ips, err := c.targets(ns, item[1])
		if err != nil {
			return nil, err
		}
		in := false
		for _, s := range subnets {
			in = in || s.Network.Contains(ips[0])
		}
		if !in {
			return nil, badArg("", "%s is in no network of the server's pools", ips[0])
		}
		known[owner] = ips[0]
	}
	return known, nil
}

func (c *call) ownerOf(v starlark.Value) (string, error) {
	if l, ok := v.(linkValue); ok {
		k, err := l.link().read()
		if err != nil {
			return "", err
		}
		if c.lab.Planned() && len(k.MAC) == 0 {
			return l.link().n.name + "/" + k.Name, nil
		}
		return k.MAC.String(), nil
	}
	var owner mac
	err := owner.unpack(c.Session, v)
	return string(owner), err
}

// devList is an interface, or a list of them.
type devList []devName

func (l *devList) unpack(s *Session, v starlark.Value) error {
	for _, x := range each(v) {
		var d devName
		if err := d.unpack(s, x); err != nil {
			return err
		}
		*l = append(*l, d)
	}
	return nil
}

// in returns the names, for interfaces of ns.
func (l devList) in(ns *Namespace) ([]string, error) {
	var names []string
	for _, d := range l {
		name, err := d.in(ns, "dev")
		if err != nil {
			return nil, err
		}
		if _, err := ns.findLink(name); err != nil {
			return nil, &argError{"dev", err}
		}
		names = append(names, name)
	}
	return names, nil
}

func dhcpRelay(c *call) (starlark.Value, error) {
	var ns *Namespace
	var server starlark.Value
	var dev devList
	if err := c.unpack(&ns, &server, &dev); err != nil {
		return nil, err
	}
	devices, err := dev.in(ns)
	if err != nil {
		return nil, err
	}
	shown := []string{"nsscript", "serve", "dhcp-relay"}
	for _, x := range each(server) {
		ips, err := c.targets(ns, x)
		if err != nil {
			return nil, &argError{"server", err}
		}
		if !ips[0].Is4() {
			return nil, &argError{"server", badArg("", "%s is no IPv4 address", ips[0])}
		}
		shown = append(shown, "--server", ips[0].String())
	}
	for _, name := range devices {
		shown = append(shown, "--dev", name)
	}
	if c.lab.Planned() {
		if c.services.relays == nil {
			c.services.relays = map[string]bool{}
		}
		c.services.relays[ns.name] = true
	}
	return c.startServer(ns, shown)
}

const dhcpServerDoc = `
A DHCP server of our own for IPv4, returned when it listens. What it gives out is its output.

pool (string | dict): the addresses to give out, "FIRST-LAST", in a network that the server is in; or, for several networks or clients behind relays, a dict from networks to pools, or to dicts of what is different there: {"10.0.1.0/24": {"pool": "10.0.1.100-10.0.1.199", "router": "10.0.1.1"}}
router (target | list[target]): the default router of clients, in their network; left out, they get none
dns (target | list[target]): their name servers
domain (string): the domain that completes their short names
lease_time (duration): for how long a lease is
reservations (dict[string | Link, target]): addresses of certain clients, by MAC address
dev (string | Link | list): the interfaces it serves; left out, all that are in a network of a pool
returns (Process): the running server
errors: the pool is in no network of the namespace; a router is not in the network; another server has the port
example:
    gw, pc, tv = namespace("gw"), namespace("pc"), namespace("tv")
    sw = bridge("sw")
    sw.attach(gw, addr = "10.0.0.1/24")
    a, b = sw.attach(pc), sw.attach(tv)
    s = dhcp_server(gw, "10.0.0.100-10.0.0.199", router = gw, reservations = {b: "10.0.0.20"})
    print(dhcp(pc, a).ip, dhcp(tv, b).ip)
    #> 10.0.0.100 10.0.0.20
command: ip netns exec NS nsscript serve dhcp CONFIG &
source: RFC 2131, RFC 2132
`

const dhcpRelayDoc = `
Passes the messages of DHCP clients on to a server in another network, and the answers back.

server (target | list[target]): DHCP servers
dev (string | Link | list): the interfaces where clients are; left out, all
returns (Process): the running relay
errors: a server has no IPv4 address; another server has the port
example:
    pc, gw, srv = namespace("pc"), namespace("gw", forward = True), namespace("srv")
    a, b = veth(pc, gw, peer_addr = "10.0.1.1/24")
    veth(gw, srv, addr = "10.0.9.1/24", peer_addr = "10.0.9.67/24")
    route(srv, "default", via = gw)
    dhcp_server(srv, {"10.0.1.0/24": "10.0.1.100-10.0.1.199"}, router = "10.0.1.1")
    dhcp_relay(gw, srv, dev = b)
    print(dhcp(pc, a).ip)
    #> 10.0.1.100
command: ip netns exec NS nsscript serve dhcp-relay --server SERVER &
source: RFC 1542, RFC 2131
`
