package builtins

import (
	"fmt"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

var vlanSpec = spec{
	sig: "vlan(link, id, *, name = None, ns = None, protocol = \"802.1q\", addr = None, mac = None, mtu = None, up = True)",
	doc: vlanDoc,
	run: vlan,
}

func vlan(c *call) (starlark.Value, error) {
	var lower lowerLink
	var ns *Namespace
	o := &op.AddVLAN{}
	a := linkArgs{up: true}
	protocol := "802.1q"
	if err := c.unpack(&lower, within{&o.ID, 1, 4094, ""}, &a.name, &ns, choice{&protocol, []string{"802.1q", "802.1ad"}},
		&a.addr, &a.mac, &a.mtu, &a.up); err != nil {
		return nil, err
	}
	if ns == nil {
		ns = lower.n
	}
	if a.name == "" {
		tail := fmt.Sprintf(".%d", o.ID)
		a.name = ifName(lower.name[:min(len(lower.name), longestName-len(tail))] + tail)
	}
	if protocol != "802.1q" {
		o.Protocol = protocol
	}
	o.NewLink, o.Over = a.in(ns), op.Over{NS: lower.n.name, Dev: lower.name}
	return c.made(ns, a.name, o)
}

// longestName is the length of the longest interface name in bytes (linux/if.h).
const longestName = 15

const vlanDoc = `
The end of a VLAN: what is sent by it leaves by another interface with a tag, and what comes there with that tag is received by it.

link (Link): the interface that it stands on
id (int, 1 to 4094): the VLAN
name (string, at most 15 bytes): the interface's name; left out, LINK.ID
ns (Namespace): where it goes; left out, where the link is
protocol (string): "802.1q", or "802.1ad" for the outer tag of two
addr (address | list[address]): its addresses
mac (string): its link-layer address; left out, that of the link
mtu (int, 68 to 65535 bytes): the largest packet; left out, that of the link
up (bool): brings it up; the link must be up too
returns (Link): the interface
errors: an interface of that name is there already; the link has that VLAN already; the kernel has no VLANs (CONFIG_VLAN_8021Q)
example:
    if kernel.has("vlan"):
        red, blue = namespace("red"), namespace("blue")
        a, b = veth(red, blue)
        vlan(a, 10, addr = "10.0.10.1/24")
        vlan(b, 10, addr = "10.0.10.2/24")
        print(red.link("eth0.10").kind, ping(red, blue).received)
        #> vlan 1
command: ip -n NS link add link LINK name NAME type vlan id ID
    ip -n NS link set NAME up
source: ip-link(8), IEEE 802.1Q
`
