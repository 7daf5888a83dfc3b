package builtins

import (
	"slices"
	"time"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

var bondSpec = spec{
	sig: "bond(ns, name, members, *, mode = \"balance-rr\", miimon = \"100ms\", lacp_rate = None, xmit_hash_policy = None, primary = None, addr = None, mac = None, mtu = None, up = True)",
	doc: bondDoc,
	run: bond,
}

func bond(c *call) (starlark.Value, error) {
	var ns *Namespace
	var members devNames
	var primary devName
	o := &op.AddBond{Mode: "balance-rr"}
	miimon := duration(100 * time.Millisecond)
	a := linkArgs{up: true}
	if err := c.unpack(&ns, &a.name, &members, choice{&o.Mode, op.BondModes()}, &miimon, choice{&o.LACPRate, []string{"slow", "fast"}},
		choice{&o.HashPolicy, op.BondHashPolicies()}, &primary, &a.addr, &a.mac, &a.mtu, &a.up); err != nil {
		return nil, err
	}
	o.Miimon = int(miimon.std().Milliseconds())
	var err error
	if o.Members, err = members.in(ns, "members"); err != nil {
		return nil, err
	}
	if o.Primary, err = primary.in(ns, "primary"); err != nil {
		return nil, err
	}
	switch {
	case o.LACPRate != "" && o.Mode != "802.3ad":
		return nil, &argError{"lacp_rate", badArg(`give mode = "802.3ad"`, "only the mode 802.3ad speaks LACP")}
	case o.Primary != "" && o.Mode != "active-backup" && o.Mode != "balance-tlb" && o.Mode != "balance-alb":
		return nil, &argError{"primary", badArg(`give mode = "active-backup"`, "in the mode %s no member is preferred", o.Mode)}
	case o.Primary != "" && !slices.Contains(o.Members, o.Primary):
		return nil, &argError{"primary", badArg("", "%q is none of the members", o.Primary)}
	}
	o.NewLink = a.in(ns)
	return c.made(ns, a.name, o)
}

const bondDoc = `
One interface made of several: what one of them cannot carry any more the others do, and some modes share the load.

The members lose their routes and IPv6 addresses; addresses belong to the bond.

name (string, at most 15 bytes): the interface's name
members (list[Link]): the interfaces, by which it sends and receives
mode (string): "balance-rr" for one after the other, "active-backup" for one at a time, "balance-xor", "broadcast", "802.3ad" for LACP, "balance-tlb" or "balance-alb"
miimon (duration): how often it looks whether its members have a carrier; 0 for never
lacp_rate (string): "slow" or "fast": how often LACP's messages are wanted, every 30 seconds or every second
xmit_hash_policy (string): what decides by which member a packet leaves: "layer2", "layer2+3", "layer3+4", "encap2+3" or "encap3+4"
primary (Link | string): the member that is preferred in the mode active-backup
addr (address | list[address]): its addresses
mac (string): its link-layer address; left out, that of the first member
mtu (int, 68 to 65535 bytes): the largest packet
up (bool): brings it up
returns (Link): the interface
errors: an interface of that name is there already; a member is in another namespace; the kernel has no such interfaces (CONFIG_BONDING)
example:
    if kernel.has("bonding"):
        red, blue = namespace("red"), namespace("blue")
        cables = [veth(red, blue), veth(red, blue)]
        bond(red, "bond0", [a for a, b in cables], mode = "active-backup", addr = "10.0.0.1/24")
        bond(blue, "bond0", [b for a, b in cables], mode = "active-backup", addr = "10.0.0.2/24")
        print(ping(red, blue).received)
        cables[0][0].down()
        print(wait(lambda: ping(red, blue)))
        #> 1
        #> True
command: ip -n NS link add NAME type bond mode MODE miimon 100
    ip -n NS link set MEMBER down
    ip -n NS link set MEMBER master NAME
    ip -n NS link set NAME up
source: the kernel's Documentation/networking/bonding.rst, IEEE 802.1AX
`
