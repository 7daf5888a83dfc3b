package builtins

import (
	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

var macvlanSpec = spec{
	sig: "macvlan(link, ns, *, name = None, mode = \"bridge\", addr = None, mac = None, mtu = None, up = True)",
	doc: macvlanDoc,
	run: func(c *call) (starlark.Value, error) {
		var lower lowerLink
		var ns *Namespace
		o := &op.AddMacvlan{Mode: "bridge"}
		a := linkArgs{up: true}
		if err := c.unpack(&lower, &ns, &a.name, choice{&o.Mode, op.MacvlanModes()}, &a.addr, &a.mac, &a.mtu, &a.up); err != nil {
			return nil, err
		}
		if err := a.fillName(ns); err != nil {
			return nil, err
		}
		o.NewLink, o.Over = a.in(ns), op.Over{NS: lower.n.name, Dev: lower.name}
		return c.made(ns, a.name, o)
	},
}

// fillName chooses the next free ethN where no name was given.
func (a *linkArgs) fillName(ns *Namespace) error {
	if a.name != "" {
		return nil
	}
	name, err := ns.freeName("eth%d", nil)
	a.name = ifName(name)
	return err
}

const macvlanDoc = `
A second interface on another one, with a link-layer address of its own, mostly in another namespace: to its neighbours it looks like a machine of its own.

What stands on one link reaches one another, but not the link's own addresses.

link (Link): the interface that it stands on
ns (Namespace): where it goes
name (string, at most 15 bytes): the interface's name; left out, the next free ethN
mode (string): "bridge"; "private" or "vepa", in which packets between two of them are dropped, or sent out to a switch that sends them back; "passthru" for one alone
addr (address | list[address]): its addresses
mac (string): its link-layer address; left out, a random one
mtu (int, 68 to 65535 bytes): the largest packet; left out, that of the link
up (bool): brings it up; the link must be up too
returns (Link): the interface
errors: an interface of that name is there already; the kernel has no such interfaces (CONFIG_MACVLAN)
example:
    if kernel.has("macvlan"):
        red, blue, box = namespace("red"), namespace("blue"), namespace("box")
        a, b = veth(red, blue, peer_addr = "10.0.0.2/24")
        macvlan(a, box, addr = "10.0.0.3/24")
        print(box.link("eth0").kind, ping(box, blue).received)
        #> macvlan 1
command: ip -n NS link add link LINK name NAME netns OTHER type macvlan mode MODE
    ip -n OTHER link set NAME up
source: ip-link(8)
`
