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
		doc: "Source NAT to the address of the interface through which a packet leaves.",
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
		doc: "Source NAT to a given address.",
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
		doc: "Destination NAT: what comes for `dst` or a port goes to another address, or `\"10.0.1.10:8080\"`.",
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
		doc: "What comes for a port goes to another port of this namespace.",
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
