package builtins

import (
	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

var dummySpec = spec{
	sig: "dummy(ns, name, *, addr = None, mac = None, mtu = None, up = True)",
	doc: dummyDoc,
	run: func(c *call) (starlark.Value, error) {
		var ns *Namespace
		a := linkArgs{up: true}
		if err := c.unpack(&ns, &a.name, &a.addr, &a.mac, &a.mtu, &a.up); err != nil {
			return nil, err
		}
		return c.made(ns, a.name, &op.AddDummy{NewLink: a.in(ns)})
	},
}

const dummyDoc = `
An interface that swallows what is sent by it: to give a namespace an address that depends on no cable, as a router's loopback address.

name (string, at most 15 bytes): the interface's name
addr (address | list[address]): its addresses
mac (string): its link-layer address
mtu (int, 68 to 65535 bytes): the largest packet
up (bool): brings it up
returns (Link): the interface
errors: an interface of that name is there already; the kernel has no such interfaces (CONFIG_DUMMY)
example:
    if kernel.has("dummy"):
        r1 = namespace("r1")
        lo1 = dummy(r1, "lo1", addr = "192.0.2.1/32")
        print(lo1.kind, ping(r1, "192.0.2.1").received)
        #> dummy 1
command: ip -n NS link add NAME type dummy
    ip -n NS addr add ADDR dev NAME
    ip -n NS link set NAME up
source: ip-link(8)
`
