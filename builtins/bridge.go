package builtins

import (
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// Bridge is a Link that switches between its ports.
type Bridge struct{ Link }

var (
	_ starlark.HasAttrs   = (*Bridge)(nil)
	_ starlark.Comparable = (*Bridge)(nil)
)

// Type is Bridge.
func (b *Bridge) Type() string { return "Bridge" }

// CompareSameType tells whether two values name one bridge.
func (b *Bridge) CompareSameType(tok syntax.Token, y starlark.Value, depth int) (bool, error) {
	return b.Link.CompareSameType(tok, y, depth)
}

// AttrNames lists fields and methods.
func (b *Bridge) AttrNames() []string {
	names := append(attrNames(linkFields, linkMethods), attrNames(bridgeFields, bridgeMethods)...)
	slices.Sort(names)
	return names
}

// Attr returns a field or a method.
func (b *Bridge) Attr(name string) (starlark.Value, error) {
	if f, ok := bridgeFields[name]; ok {
		return f(b)
	}
	if m := b.n.s.method(b, name, bridgeMethods); m != nil {
		return m, nil
	}
	return b.attr(b, name)
}

var bridgeFields = map[string]func(*Bridge) (starlark.Value, error){
	"ports": (*Bridge).ports,
	"fdb":   (*Bridge).fdb,
}

func (b *Bridge) ports() (starlark.Value, error) {
	if _, err := b.read(); err != nil {
		return nil, err
	}
	ns, err := b.n.open()
	if err != nil {
		return nil, err
	}
	links, err := ns.Links()
	if err != nil {
		return nil, err
	}
	var ports []starlark.Value
	for _, l := range links {
		if l.Master == b.index {
			ports = append(ports, b.n.linkValue(&l))
		}
	}
	return starlark.NewList(ports), nil
}

func (b *Bridge) fdb() (starlark.Value, error) {
	if _, err := b.read(); err != nil {
		return nil, err
	}
	ns, err := b.n.open()
	if err != nil {
		return nil, err
	}
	fdb, err := ns.FDB(b.index)
	return listOf(fdb, func(e kernel.FDBEntry) starlark.Value {
		return &record{kind: "FDBEntry", truth: true, text: e.String(), fields: []field{
			{"mac", starlark.String(e.MAC.String())},
			{"port", starlark.String(e.Port)},
			{"vlan", intOrNone(e.VLAN)},
			{"local", starlark.Bool(e.Local)},
		}}
	}), err
}

var bridgeMethods = []spec{
	{
		sig: "attach(bridge, x, *, name = None, peer = None, addr = None, mac = None, mtu = None, isolated = False)",
		doc: attachDoc,
		run: attach,
	},
	{
		sig: "detach(bridge, link)", doc: detachDoc,
		run: func(c *call) (starlark.Value, error) {
			br, err := c.linkArg()
			if err != nil {
				return nil, err
			}
			v, ok := c.args[1].(linkValue)
			if !ok {
				return nil, &argError{"link", want("a Link", c.args[1])}
			}
			k, err := v.link().read()
			if err != nil {
				return nil, err
			}
			if v.link().n.name != br.n.name || k.Master != br.index {
				return nil, badArg("br.ports lists them", "%q is no port of %q", k.Name, br.name)
			}
			none := ""
			return v, c.do(&op.SetLink{NS: br.n.name, Name: k.Name, Master: &none})
		},
	},
	portVLANSpec,
}

func attach(c *call) (starlark.Value, error) {
	br, err := c.linkArg()
	if err != nil {
		return nil, err
	}
	switch x := c.args[1].(type) {
	case linkValue:
		for _, name := range []string{"name", "peer", "addr", "mac", "mtu"} {
			if c.given(name) {
				return nil, badArg("use link.set(…) and link.add_addr(…)", "argument %q is for plugging in a Namespace, not a Link", name)
			}
		}
		var isolated bool
		if err := c.unpack(nil, nil, nil, nil, nil, nil, nil, &isolated); err != nil {
			return nil, err
		}
		if err := enslave(c, br, x.link()); err != nil {
			return nil, err
		}
		return x, c.isolate(br, isolated, x.link().name)
	case *Namespace:
		args := vethArgs{up: true}
		var isolated bool
		if err := c.unpack(nil, nil, &args.name, &args.peer, &args.addr, &args.mac, &args.mtu, &isolated); err != nil {
			return nil, err
		}
		args.a, args.b = end{n: x}, end{n: br.n, bridge: br}
		if err := x.alive(); err != nil {
			return nil, &argError{"x", err}
		}
		a, b, err := args.make(c)
		if err != nil {
			return nil, err
		}
		return a, c.isolate(br, isolated, b.(linkValue).link().name)
	}
	return nil, &argError{"x", want("a Namespace or a Link", c.args[1])}
}

// isolate keeps a port from the other isolated ones, if that is asked for.
func (c *call) isolate(br *Link, isolated bool, port string) error {
	if !isolated {
		return nil
	}
	return c.do(&op.SetLink{NS: br.n.name, Name: port, Isolated: &isolated})
}

// enslave makes an interface a port.
func enslave(c *call, br, l *Link) error {
	k, err := l.read()
	if err != nil {
		return err
	}
	if l.n.name != br.n.name {
		return badArg("move it first: link.move(…)", "interface %q is in %s, the bridge %q in %s", k.Name, l.n.title(), br.name, br.n.title())
	}
	return c.do(&op.SetLink{NS: br.n.name, Name: k.Name, Master: &br.name})
}

const bridgeTypeDoc = `
A switch: a Link that has ports.

is (Link): all that a Link has
ports (list[Link]): the interfaces plugged in
fdb (list[FDBEntry]): behind which port it has seen which address
example:
    red = namespace("red")
    br0 = bridge("br0", ports = [red])
    print(br0.kind, br0.ports[0].name)
    #> bridge red-eth0
source: bridge(8)
`

const attachDoc = `
Plugs a namespace in over a new cable, or makes an interface a port.

x (Namespace | Link): what is plugged in; a Link must be in the bridge's namespace
name (string, at most 15 bytes): for a Namespace, the name of the end inside it; left out, the next free ethN
peer (string, at most 15 bytes): the name of the port; left out, NS-ethN
addr (address | list[address]): the addresses of the end inside
mac (string): the link-layer address of the end inside
mtu (int, 68 to 65535 bytes): the largest packet, of both ends
isolated (bool): frames go to no other isolated port, only to the others
returns (Link): the end inside the namespace, or the Link that was given
errors: an interface of that name is there already; the Link is in another namespace
example:
    br0 = bridge("br0")
    red = namespace("red")
    eth0 = br0.attach(red, addr = "10.0.0.1/24")
    print(eth0.ns, eth0.peer.name, eth0.peer.master == br0)
    #> red red-eth0 True
command: ip link add PEER master BRIDGE type veth peer name NAME netns NS
source: veth(4), ip-link(8), bridge(8)
`

const detachDoc = `
Takes a port out of the switch; the cable stays.

link (Link): the port
returns (Link): the port
errors: it is no port of this bridge
example:
    br0 = bridge("br0")
    red = namespace("red")
    port = br0.attach(red).peer
    br0.detach(port)
    print(br0.ports)
    #> []
command: ip link set PORT nomaster
source: ip-link(8), bridge(8)
`

const fdbEntryDoc = `
An entry of a bridge's forwarding database: behind which port an address is.

mac (string): the link-layer address
port (string): the interface
vlan (int | None): the VLAN, where the bridge filters by it
local (bool): whether the address is the port's own
source: bridge(8)
`
