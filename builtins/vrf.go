package builtins

import (
	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

var vrfSpec = spec{
	sig: "vrf(ns, name, table, members = [], *, addr = None, mac = None, mtu = None, up = True)",
	doc: vrfDoc,
	run: func(c *call) (starlark.Value, error) {
		var ns *Namespace
		var members devNames
		o := &op.AddVRF{}
		a := linkArgs{up: true}
		err := c.unpack(&ns, &a.name, within{&o.Table, 1, 1<<31 - 1, ""}, &members, &a.addr, &a.mac, &a.mtu, &a.up)
		if err != nil {
			return nil, err
		}
		if o.Members, err = members.in(ns, "members"); err != nil {
			return nil, err
		}
		o.NewLink = a.in(ns)
		return c.made(ns, a.name, o)
	},
}

const vrfDoc = `
A router within a router: what its members send and receive is looked up in a table of routes of its own.

A program, and a probe with dev, is in it by the interface that it is bound to.

name (string, at most 15 bytes): the interface's name
table (int, 1 to 2147483647): the table of routes; route(…, table = …) fills it
members (list[Link]): the interfaces that belong to it, with their addresses and the routes to their networks; link.set(master = vrf) adds one
addr (address | list[address]): its own addresses, as a router's loopback address
mac (string): its link-layer address
mtu (int, 68 to 65535 bytes): the largest packet
up (bool): brings it up
returns (Link): the interface
errors: an interface of that name is there already; a member is in another namespace; the kernel has no such interfaces (CONFIG_NET_VRF)
example:
    if kernel.has("vrf"):
        r, red, blue = namespace("r", forward = True), namespace("red"), namespace("blue")
        a = veth(r, red, name = "eth-red", addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")[0]
        b = veth(r, blue, name = "eth-blue", addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")[0]
        vrf(r, "vrf-red", 10, [a])
        vrf(r, "vrf-blue", 20, [b])
        print(ping(r, "10.0.0.2", dev = "vrf-red").received, ping(r, "10.0.0.2", dev = "vrf-blue").received)
        #> 1 1
command: ip -n NS link add NAME type vrf table TABLE
    ip -n NS link set MEMBER master NAME
    ip -n NS link set NAME up
source: the kernel's Documentation/networking/vrf.rst, ip-vrf(8)
`
