package builtins

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

var natSpecs = []spec{
	{
		sig: "nat.masquerade(ns, *, out = None, src = None, dst = None)",
		doc: masqueradeDoc,
		run: func(c *call) (starlark.Value, error) {
			var ns *Namespace
			var out devName
			var src, dst starlark.Value
			if err := c.unpack(&ns, &out, &src, &dst); err != nil {
				return nil, err
			}
			device, err := out.in(ns, "out")
			if err != nil {
				return nil, err
			}
			m, err := c.natMatch(match{out: device}, src, dst)
			if err != nil {
				return nil, err
			}
			rules, err := m.rules("nat", "POSTROUTING", func(bool) []string { return []string{"-j", "MASQUERADE"} })
			if err != nil {
				return nil, err
			}
			return c.addRules(ns, rules)
		},
	},
	{
		sig: "nat.snat(ns, to, *, out = None, src = None, dst = None, tcp = None, udp = None)",
		doc: snatDoc,
		run: func(c *call) (starlark.Value, error) {
			var ns *Namespace
			var to, src, dst starlark.Value
			var out devName
			var m match
			if err := c.unpack(&ns, &to, &out, &src, &dst, &m.tcp, &m.udp); err != nil {
				return nil, err
			}
			var err error
			if m.out, err = out.in(ns, "out"); err != nil {
				return nil, err
			}
			return c.translate(ns, m, to, src, dst, "POSTROUTING", "SNAT", "--to-source")
		},
	},
	{
		sig: "nat.dnat(ns, to, *, iface = None, dst = None, tcp = None, udp = None)",
		doc: dnatDoc,
		run: func(c *call) (starlark.Value, error) {
			var ns *Namespace
			var to, dst starlark.Value
			var in devName
			var m match
			if err := c.unpack(&ns, &to, &in, &dst, &m.tcp, &m.udp); err != nil {
				return nil, err
			}
			var err error
			if m.in, err = in.in(ns, "iface"); err != nil {
				return nil, err
			}
			return c.translate(ns, m, to, nil, dst, "PREROUTING", "DNAT", "--to-destination")
		},
	},
	{
		sig: "nat.redirect(ns, port, *, iface = None, tcp = None, udp = None)",
		doc: redirectDoc,
		run: func(c *call) (starlark.Value, error) {
			var ns *Namespace
			var to port
			var in devName
			var m match
			if err := c.unpack(&ns, &to, &in, &m.tcp, &m.udp); err != nil {
				return nil, err
			}
			if m.tcp == nil && m.udp == nil {
				return nil, badArg("for example tcp = 80", "give the port that is redirected with tcp or udp")
			}
			var err error
			if m.in, err = in.in(ns, "iface"); err != nil {
				return nil, err
			}
			rules, err := m.rules("nat", "PREROUTING", func(bool) []string {
				return []string{"-j", "REDIRECT", "--to-ports", strconv.Itoa(int(to))}
			})
			if err != nil {
				return nil, err
			}
			return c.addRules(ns, rules)
		},
	},
}

// natMatch adds source and destination to a match.
func (c *call) natMatch(m match, src, dst starlark.Value) (match, error) {
	var err error
	if m.src, err = c.readNets("src", src); err != nil {
		return m, err
	}
	m.dst, err = c.readNets("dst", dst)
	return m, err
}

// translate is snat and dnat.
func (c *call) translate(ns *Namespace, m match, to, src, dst starlark.Value, chain, target, flag string) (starlark.Value, error) {
	m, err := c.natMatch(m, src, dst)
	if err != nil {
		return nil, err
	}
	dest, err := c.natTargets(ns, to, m)
	if err != nil {
		return nil, &argError{"to", err}
	}
	var rules []op.FilterRule
	for _, d := range dest {
		v6 := d.ip.Is6()
		for _, spec := range m.specs(v6) {
			rules = append(rules, op.FilterRule{V6: v6, Table: "nat", Chain: chain, Spec: append(spec, "-j", target, flag, d.String())})
		}
	}
	if len(rules) == 0 {
		return nil, badArg("", "source, destination and %s have no IP version in common", describe(to))
	}
	return c.addRules(ns, rules)
}

// natTarget is where packets are sent instead: an address, perhaps with a port.
type natTarget struct {
	ip   netip.Addr
	port string
}

func (t natTarget) String() string {
	if t.port == "" {
		return t.ip.String()
	}
	return net.JoinHostPort(t.ip.String(), t.port)
}

// natTargets reads `to`: one address, or the best one of each IP version that
// the match speaks of.
func (c *call) natTargets(ns *Namespace, v starlark.Value, m match) ([]natTarget, error) {
	if s, ok := starlark.AsString(v); ok {
		if host, portText, err := net.SplitHostPort(s); err == nil {
			ports := portSpec{}
			if err := ports.unpack(c.Session, starlark.String(portText)); err != nil {
				return nil, err
			}
			if len(ports) != 1 {
				return nil, badArg("", "%q: packets go to one port, or to a range such as \"8000-8010\"", s)
			}
			if m.tcp == nil && m.udp == nil {
				return nil, badArg("for example tcp = 80", "%q has a port: say with tcp or udp what is sent there", s)
			}
			ips, err := c.targets(ns, starlark.String(host))
			if err != nil {
				return nil, err
			}
			// iptables wants a range of ports with a dash.
			dashed := ports[0]
			if i := slices.Index([]byte(dashed), ':'); i >= 0 {
				dashed = dashed[:i] + "-" + dashed[i+1:]
			}
			return []natTarget{{ips[0], dashed}}, nil
		}
	}
	ips, err := c.targets(ns, v)
	if err != nil {
		return nil, err
	}
	var list []natTarget
	for _, v6 := range families() {
		if m.src != nil && len(m.src.of(v6)) == 0 || m.dst != nil && len(m.dst.of(v6)) == 0 {
			continue
		}
		if i := slices.IndexFunc(ips, func(a netip.Addr) bool { return a.Is6() == v6 && !a.IsLinkLocalUnicast() }); i >= 0 {
			list = append(list, natTarget{ip: ips[i]})
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no address of the IP version that is asked for", describe(v))
	}
	return list, nil
}

const natDoc = `
Network address translation: the rules of iptables' nat table. The answers are translated back by themselves.

example:
    lan, gw, net = namespace("lan"), namespace("gw", forward = True), namespace("net")
    veth(lan, gw, addr = "192.168.1.2/24", peer_addr = "192.168.1.1/24")
    veth(net, gw, addr = "203.0.113.2/24", peer = "wan", peer_addr = "203.0.113.1/24")
    route(lan, "default", via = "192.168.1.1")
    nat.masquerade(gw, out = "wan")
    print(ping(lan, net).received)
    #> 1
source: iptables-extensions(8), RFC 3022
`

const masqueradeDoc = `
Source NAT to the address of the interface by which a packet leaves.

out (string | Link): the interface
src (string | Address | Network | Link | Namespace | list): the packets' source
dst (string | Address | Network | Link | Namespace | list): the packets' destination
returns (Rule): the rule
errors: the addresses are of different families
example:
    gw = namespace("gw", forward = True)
    print(nat.masquerade(gw, out = "wan", src = "192.168.0.0/16"))
    #> -A POSTROUTING -s 192.168.0.0/16 -o wan -j MASQUERADE
command: iptables -t nat -A POSTROUTING -o OUT -j MASQUERADE
source: iptables-extensions(8), RFC 3022
`

const snatDoc = `
Source NAT to a given address.

to (target): the new source, "203.0.113.1", or with a port "203.0.113.1:5000"
out (string | Link): the interface by which packets leave
src (string | Address | Network | Link | Namespace | list): the packets' source
dst (string | Address | Network | Link | Namespace | list): the packets' destination
tcp (int | string | list): the TCP port they go to
udp (int | string | list): the UDP port they go to
returns (Rule): the rule
errors: to is no address; the families differ
example:
    gw = namespace("gw", forward = True)
    print(nat.snat(gw, "203.0.113.1", out = "wan"))
    #> -A POSTROUTING -o wan -j SNAT --to-source 203.0.113.1
command: iptables -t nat -A POSTROUTING -o OUT -j SNAT --to-source TO
source: iptables-extensions(8), RFC 3022
`

const dnatDoc = `
Destination NAT: what comes for an address or a port goes to another one, as a published port of a container.

to (target): the new destination, "10.0.1.10", or with a port "10.0.1.10:8080"
iface (string | Link): the interface by which packets come in
dst (string | Address | Network | Link | Namespace | list): the destination that is replaced
tcp (int | string | list): the TCP port that is replaced
udp (int | string | list): the UDP port that is replaced
returns (Rule): the rule
errors: to is no address; a port is given without tcp or udp; the families differ
example:
    gw = namespace("gw", forward = True)
    print(nat.dnat(gw, "10.0.1.10:8080", iface = "wan", tcp = 80).chain)
    #> PREROUTING
command: iptables -t nat -A PREROUTING -i IFACE -p tcp --dport PORT -j DNAT --to-destination TO
source: iptables-extensions(8), RFC 3022
`

const redirectDoc = `
What comes for a port goes to another port of this namespace, as to a transparent proxy.

port (int, 1 to 65535): the port that gets it
iface (string | Link): the interface by which packets come in
tcp (int | string | list): the TCP port that is replaced
udp (int | string | list): the UDP port that is replaced
returns (Rule): the rule
errors: neither tcp nor udp is given
example:
    gw = namespace("gw")
    serve(gw, tcp = 8080, reply = "proxy")
    nat.redirect(gw, 8080, tcp = 80)
    print(gw.pids != [])
    #> True
command: iptables -t nat -A PREROUTING -p tcp --dport PORT -j REDIRECT --to-ports PORT
source: iptables-extensions(8)
`
