package builtins

import (
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
	names := attrNames(linkFields, linkMethods, bridgeMethods)
	return append(names, "fdb", "ports")
}

// Attr returns a field or a method.
func (b *Bridge) Attr(name string) (starlark.Value, error) {
	switch name {
	case "ports":
		return b.ports()
	case "fdb":
		return b.fdb()
	}
	if m := b.n.s.method(b, name, bridgeMethods); m != nil {
		return m, nil
	}
	return b.attr(b, name)
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
		sig: "attach(bridge, x, *, name = None, peer = None, addr = None, mac = None, mtu = None)",
		doc: "Plugs in a Namespace over a new veth and returns the Link inside it, or makes a Link a port and returns it.",
		run: attach,
	},
	{
		sig: "detach(bridge, link)", doc: "Takes a port out of the bridge.",
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
		return x, enslave(c, br, x.link())
	case *Namespace:
		args := vethArgs{up: true}
		if err := c.unpack(nil, nil, &args.name, &args.peer, &args.addr, &args.mac, &args.mtu); err != nil {
			return nil, err
		}
		args.a, args.b = end{n: x}, end{n: br.n, bridge: br}
		if err := x.alive(); err != nil {
			return nil, &argError{"x", err}
		}
		a, _, err := args.make(c)
		return a, err
	}
	return nil, &argError{"x", want("a Namespace or a Link", c.args[1])}
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
