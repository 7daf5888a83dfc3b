package builtins

import (
	"fmt"
	"net/netip"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

var neighborSpec = spec{
	sig: "neighbor(ns, ip, mac = None, dev = None, *, proxy = False)",
	doc: neighborBuiltinDoc,
	run: addNeighbor,
}

func addNeighbor(c *call) (starlark.Value, error) {
	var ns *Namespace
	var address starlark.Value
	var hw neighborMAC
	var dev devName
	var proxy bool
	if err := c.unpack(&ns, &address, &hw, &dev, &proxy); err != nil {
		return nil, err
	}
	switch {
	case proxy && c.given("mac"):
		return nil, badArg("", "give mac or proxy, not both: for an address that it stands in for, the namespace answers with its own")
	case !proxy && !c.given("mac"):
		return nil, badArg("give the neighbour's interface, a Link, or its address; or proxy = True", "missing argument %q", "mac")
	}
	ip, err := c.endpoint(ns, "ip", address, nil)
	if err != nil {
		return nil, err
	}
	o := &op.AddNeighbor{NS: ns.name, IP: ip, MAC: string(hw.address), Of: hw.of}
	if o.Dev, err = dev.in(ns, "dev"); err != nil {
		return nil, err
	}
	if o.Dev == "" {
		if o.Dev, err = ns.onSubnet(ip); err != nil {
			return nil, err
		}
	}
	return nil, c.do(o)
}

// neighborMAC is a neighbour's link-layer address, or that of its interface.
type neighborMAC struct {
	address mac
	of      *op.Over // where the kernel has not picked the address yet: in a plan
}

func (m *neighborMAC) unpack(s *Session, v starlark.Value) error {
	l, ok := v.(linkValue)
	if !ok {
		return m.address.unpack(s, v)
	}
	k, err := l.link().read()
	switch {
	case err != nil:
		return err
	case len(k.MAC) == 6:
		m.address = mac(k.MAC.String())
	case s.lab.System().Planned():
		m.of = &op.Over{NS: l.link().n.name, Dev: k.Name}
	default:
		return badArg("", "the interface %q has no link-layer address", k.Name)
	}
	return nil
}

// onSubnet returns the interface of whose networks an address is.
func (n *Namespace) onSubnet(ip string) (string, error) {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return "", err
	}
	ns, err := n.open()
	if err != nil {
		return "", err
	}
	addrs, err := ns.Addrs(0)
	if err != nil {
		return "", err
	}
	for _, have := range addrs {
		if have.Prefix.Contains(a) {
			l, err := ns.LinkByIndex(have.Link)
			if err != nil {
				return "", err
			}
			return l.Name, nil
		}
	}
	return "", badArg("give the interface with dev", "%s", fmt.Sprintf("%s is in none of the networks of %s", ip, n.title()))
}

const neighborBuiltinDoc = `
Enters for good which link-layer address a neighbour has, so that it is not asked for; or has this namespace answer for an address in place of its owner.

ip (target): the neighbour's address
mac (string | Link): its link-layer address, or its interface
dev (string | Link): the interface behind which it is; left out, the one in whose network the address is
proxy (bool): this namespace answers for it on that interface, for which the sysctl net.ipv6.conf.DEV.proxy_ndp or, for all addresses that it has a route to, net.ipv4.conf.DEV.proxy_arp may be needed
returns (None): nothing
errors: neither mac nor proxy was given; no interface is in the network of the address
example:
    red, blue = namespace("red"), namespace("blue")
    a, b = veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    neighbor(red, "10.0.0.2", b)
    print(red.neighbors[0].state, ping(red, blue).received)
    #> PERMANENT 1
command: ip -n NS neigh replace IP lladdr MAC nud permanent dev DEV
    ip -n NS neigh add proxy IP dev DEV
source: ip-neighbour(8), RFC 826, RFC 4861
`
