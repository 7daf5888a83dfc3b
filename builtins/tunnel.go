package builtins

import (
	"fmt"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

var tunnelSpec = spec{
	sig: "tunnel(ns, name, kind, local, remote, *, ttl = None, tos = None, key = None, dev = None, addr = None, mac = None, mtu = None, up = True)",
	doc: tunnelDoc,
	run: tunnel,
}

func tunnel(c *call) (starlark.Value, error) {
	var ns *Namespace
	var local, remote starlark.Value
	var dev devName
	o := &op.AddTunnel{}
	a := linkArgs{up: true}
	if err := c.unpack(&ns, &a.name, choice{&o.Kind, op.TunnelKinds()}, &local, &remote, within{&o.TTL, 1, 255, ""},
		within{&o.TOS, 0, 255, ""}, within{&o.Key, 1, 1<<31 - 1, ""}, &dev, &a.addr, &a.mac, &a.mtu, &a.up); err != nil {
		return nil, err
	}
	keyed := op.TunnelKeyed(o.Kind)
	switch {
	case o.Key != 0 && !keyed:
		return nil, &argError{"key", badArg("gre and vti have", "tunnels of kind %s have no key", o.Kind)}
	case a.mac != "" && o.Kind != "gretap" && o.Kind != "ip6gretap":
		return nil, &argError{"mac", badArg("gretap carries Ethernet", "a tunnel of kind %s has no link-layer address to set", o.Kind)}
	case (o.Kind == "vti" || o.Kind == "vti6") && (o.TTL != 0 || o.TOS != 0):
		return nil, badArg("", "tunnels of kind %s have neither ttl nor tos: IPsec makes the outer packet", o.Kind)
	}
	var err error
	v6 := op.TunnelV6(o.Kind)
	if o.Local, err = c.endpoint(ns, "local", local, &v6); err != nil {
		return nil, err
	}
	if o.Remote, err = c.endpoint(ns, "remote", remote, &v6); err != nil {
		return nil, err
	}
	if o.Local == o.Remote {
		return nil, &argError{"remote", fmt.Errorf("both ends would be %s", o.Local)}
	}
	if o.Dev, err = dev.in(ns, "dev"); err != nil {
		return nil, err
	}
	o.NewLink = a.in(ns)
	return c.made(ns, a.name, o)
}

const tunnelDoc = `
One end of a tunnel: what is sent by it goes to a host far away in packets of its own, and comes out there as if there were a cable.

The other host makes the other end, with local and remote exchanged.

name (string, at most 15 bytes): the interface's name
kind (string): "gre", which carries all protocols; "ipip" (IPv4 in IPv4), "sit" (IPv6 in IPv4), "gretap" (Ethernet), "vti" (IPsec); over IPv6 "ip6gre", "ip6tnl", "ip6gretap", "vti6"
local (target): the address that packets are sent from
remote (target): the other end's
ttl (int, 1 to 255): of the packets; left out, that of what they carry; of sit and over IPv6 64
tos (int, 0 to 255): the type of service of the packets
key (int, 1 to 2147483647): of gre, by which several tunnels between two hosts are told apart, the same at both ends; of vti, the mark by which IPsec knows it
dev (string | Link): the interface that packets leave by
addr (address | list[address]): its addresses
mac (string): its link-layer address, of gretap
mtu (int, 68 to 65535 bytes): the largest packet; left out, what 1500 bytes leave room for
up (bool): brings it up
returns (Link): the interface
errors: an interface of that name, or such a tunnel, is there already; the kernel has no such tunnels (CONFIG_NET_IPGRE and others)
example:
    if kernel.has("gre"):
        red, blue = namespace("red"), namespace("blue")
        veth(red, blue, addr = "192.0.2.1/24", peer_addr = "192.0.2.2/24")
        tunnel(red, "gre1", "gre", "192.0.2.1", "192.0.2.2", addr = "10.0.0.1/30")
        tunnel(blue, "gre1", "gre", "192.0.2.2", "192.0.2.1", addr = "10.0.0.2/30")
        print(red.link("gre1").mtu, ping(red, "10.0.0.2").received)
        #> 1476 1
command: ip -n NS link add NAME type KIND local LOCAL remote REMOTE
    ip -n NS link set NAME up
source: ip-tunnel(8), RFC 2784, RFC 2003, RFC 4213, RFC 2473
`
