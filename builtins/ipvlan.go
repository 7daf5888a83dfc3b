package builtins

import (
	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

var ipvlanSpec = spec{
	sig: "ipvlan(link, ns, *, name = None, mode = \"l2\", flag = \"bridge\", addr = None, mtu = None, up = True)",
	doc: ipvlanDoc,
	run: func(c *call) (starlark.Value, error) {
		var lower lowerLink
		var ns *Namespace
		o := &op.AddIPvlan{Mode: "l2", Flag: "bridge"}
		a := linkArgs{up: true}
		if err := c.unpack(&lower, &ns, &a.name, choice{&o.Mode, op.IPvlanModes()}, choice{&o.Flag, op.IPvlanFlags()}, &a.addr, &a.mtu, &a.up); err != nil {
			return nil, err
		}
		if err := a.fillName(ns); err != nil {
			return nil, err
		}
		o.NewLink, o.Over = a.in(ns), op.Over{NS: lower.n.name, Dev: lower.name}
		return c.made(ns, a.name, o)
	},
}

const ipvlanDoc = `
A second interface on another one, which shares that one's link-layer address: what comes is told apart by its IP address.

link (Link): the interface that it stands on
ns (Namespace): where it goes
name (string, at most 15 bytes): the interface's name; left out, the next free ethN
mode (string): "l2"; "l3" or "l3s", in which the link's namespace routes for it, without or with its packet filter
flag (string): "bridge"; "private" or "vepa", in which packets between two of them are dropped, or sent out
addr (address | list[address]): its addresses
mtu (int, 68 to 65535 bytes): the largest packet; left out, that of the link
up (bool): brings it up; the link must be up too
returns (Link): the interface
errors: an interface of that name is there already; the link has interfaces of another mode; the kernel has no such interfaces (CONFIG_IPVLAN)
example:
    if kernel.has("ipvlan"):
        red, blue, box = namespace("red"), namespace("blue"), namespace("box")
        a, b = veth(red, blue, peer_addr = "10.0.0.2/24")
        eth0 = ipvlan(a, box, addr = "10.0.0.3/24")
        print(eth0.mac == a.mac, ping(box, blue).received)
        #> True 1
command: ip -n NS link add link LINK name NAME netns OTHER type ipvlan mode MODE FLAG
    ip -n OTHER link set NAME up
source: ip-link(8), the kernel's Documentation/networking/ipvlan.rst
`
