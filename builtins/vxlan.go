package builtins

import (
	"net/netip"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

var vxlanSpec = spec{
	sig: "vxlan(ns, name, vni, *, remote = None, local = None, dev = None, port = 4789, ttl = None, learning = True, addr = None, mac = None, mtu = None, up = True)",
	doc: vxlanDoc,
	run: vxlan,
}

func vxlan(c *call) (starlark.Value, error) {
	var ns *Namespace
	var remote, local starlark.Value
	var dev devName
	o := &op.AddVXLAN{Learning: true, Port: 4789}
	a := linkArgs{up: true}
	if err := c.unpack(&ns, &a.name, within{&o.VNI, 0, 1<<24 - 1, ""}, &remote, &local, &dev, within{&o.Port, 1, 65535, ""},
		within{&o.TTL, 1, 255, ""}, &o.Learning, &a.addr, &a.mac, &a.mtu, &a.up); err != nil {
		return nil, err
	}
	var err error
	if o.Dev, err = dev.in(ns, "dev"); err != nil {
		return nil, err
	}
	if local != nil {
		if o.Local, err = c.endpoint(ns, "local", local, nil); err != nil {
			return nil, err
		}
	}
	if o.Remotes, err = c.endpoints(ns, "remote", remote); err != nil {
		return nil, err
	}
	for _, r := range o.Remotes {
		ip, err := netip.ParseAddr(r)
		switch {
		case err != nil || !ip.IsMulticast():
		case len(o.Remotes) > 1:
			return nil, &argError{"remote", badArg("give the group alone", "%s is a group: there can be no other remotes beside it", r)}
		case o.Dev == "":
			return nil, &argError{"remote", badArg("give the interface with dev", "%s is a group, which is reached by an interface", r)}
		}
	}
	o.NewLink = a.in(ns)
	return c.made(ns, a.name, o)
}

// endpoints are the addresses of one target, or of a list of them.
func (c *call) endpoints(ns *Namespace, arg string, v starlark.Value) ([]string, error) {
	if v == nil {
		return nil, nil
	}
	list, ok := v.(*starlark.List)
	if !ok {
		list = starlark.NewList([]starlark.Value{v})
	}
	var ips []string
	for x := range list.Elements() {
		ip, err := c.endpoint(ns, arg, x, nil)
		if err != nil {
			return nil, err
		}
		ips = append(ips, ip)
	}
	return ips, nil
}

// endpoint is the address of one end of a tunnel, seen from a namespace; v6, if given,
// says of which version it must be.
func (c *call) endpoint(ns *Namespace, arg string, v starlark.Value, v6 *bool) (string, error) {
	ips, err := c.targets(ns, v)
	if err != nil {
		return "", &argError{arg, err}
	}
	for _, ip := range ips {
		if v6 == nil || ip.Is6() == *v6 {
			return ip.WithZone("").String(), nil
		}
	}
	version := "an IPv4"
	if *v6 {
		version = "an IPv6"
	}
	return "", &argError{arg, want(version+" address, for this kind of tunnel", v)}
}

const vxlanDoc = `
The end of an Ethernet that is carried over an IP network in UDP packets: switches, or namespaces, far from one another become neighbours.

name (string, at most 15 bytes): the interface's name
vni (int, 0 to 16777215): the number of the network, the same at all its ends
remote (target | list[target]): where frames go of whose receiver nothing is known: the other end, or several, or a multicast group, which needs dev
local (target): the address that packets are sent from
dev (string | Link): the interface that packets leave by
port (int, 1 to 65535): the UDP port, the same at all ends
ttl (int, 1 to 255): of the packets; left out, the kernel's
learning (bool): it notes behind which end an address is
addr (address | list[address]): its addresses
mac (string): its link-layer address; left out, a random one
mtu (int, 68 to 65535 bytes): the largest packet; left out, what dev leaves room for, or 1500, which is too much for most networks
up (bool): brings it up
returns (Link): the interface
errors: an interface of that name, or one of that vni and port, is there already; the kernel has no such interfaces (CONFIG_VXLAN)
example:
    red, blue = namespace("red"), namespace("blue")
    veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    if kernel.has("vxlan"):
        vxlan(red, "vx0", 42, remote = "10.0.0.2", dev = "eth0", addr = "192.168.0.1/24")
        vxlan(blue, "vx0", 42, remote = "10.0.0.1", dev = "eth0", addr = "192.168.0.2/24")
        print(red.link("vx0").mtu, ping(red, "192.168.0.2").received)
        #> 1450 1
command: ip -n NS link add NAME type vxlan id VNI remote REMOTE dev DEV dstport 4789
    ip -n NS link set NAME up
    bridge -n NS fdb append 00:00:00:00:00:00 dev NAME dst REMOTE
source: RFC 7348, ip-link(8)
`
