package builtins

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// Link is a network interface. It is known by its index, so that it is the same
// one after it was renamed.
type Link struct {
	n       *Namespace
	name    string // as it was last seen
	index   int
	planned bool // the index is a plan's
	deleted bool
}

// linkValue is a Link, or a Bridge or a Wireguard, which are Links.
type linkValue interface {
	starlark.Value
	link() *Link
}

var (
	_ starlark.HasAttrs   = (*Link)(nil)
	_ starlark.Comparable = (*Link)(nil)
)

// linkValue wraps an interface: a Bridge is a Link that can do more.
func (n *Namespace) linkValue(l *kernel.Link) starlark.Value {
	link := Link{n: n, name: l.Name, index: l.Index, planned: n.s.lab.Planned()}
	switch l.Kind {
	case "bridge":
		return &Bridge{link}
	case "wireguard":
		return &Wireguard{link}
	}
	return &link
}

// findLink returns the interface of that name.
func (n *Namespace) findLink(name string) (starlark.Value, error) {
	_, l, err := op.FindLink(n.s.lab.System(), n.name, name)
	if err != nil {
		return nil, err
	}
	return n.linkValue(l), nil
}

func (l *Link) link() *Link           { return l }
func (l *Link) Type() string          { return "Link" }
func (l *Link) Freeze()               {}
func (l *Link) Truth() starlark.Bool  { return starlark.Bool(!l.deleted) }
func (l *Link) Hash() (uint32, error) { return starlark.String(fmt.Sprint(l.n.name, l.index)).Hash() }

// CompareSameType tells whether two values name one interface.
func (l *Link) CompareSameType(tok syntax.Token, y starlark.Value, _ int) (bool, error) {
	o := y.(linkValue).link()
	same := l.n.name == o.n.name && l.index == o.index
	switch tok {
	case syntax.EQL:
		return same, nil
	case syntax.NEQ:
		return !same, nil
	}
	return false, errors.New("links have no order")
}

// String prints the interface as `ip link` does.
func (l *Link) String() string {
	k, err := l.read()
	if err != nil {
		return fmt.Sprintf("<link %s, gone>", l.name)
	}
	ns, err := l.n.open()
	if err != nil {
		return k.Name
	}
	name := func(index int) string {
		if index == 0 {
			return ""
		}
		if o, err := ns.LinkByIndex(index); err == nil {
			return o.Name
		}
		return ""
	}
	peer := ""
	if k.PeerNetNS < 0 {
		peer = name(k.Peer)
	}
	return kernel.FormatLink(k, peer, name(k.Master), ns.Qdisc(k.Index))
}

// read asks the kernel for the interface.
func (l *Link) read() (*kernel.Link, error) {
	ns, err := l.n.open()
	if err != nil {
		return nil, err
	}
	return l.readIn(ns)
}

// peek is read for who only needs to know which interface it is.
func (l *Link) peek() (*kernel.Link, error) {
	ns, err := l.n.peek()
	if err != nil {
		return nil, err
	}
	return l.readIn(ns)
}

func (l *Link) readIn(ns kernel.Space) (*kernel.Link, error) {
	if !l.deleted {
		k, err := l.look(ns)
		if err == nil {
			l.name, l.index, l.planned = k.Name, k.Index, l.n.s.lab.Planned()
			return k, nil
		}
		if !errors.Is(err, unix.ENODEV) {
			return nil, err
		}
	}
	return nil, badArg("", "the interface %q of %s is no more", l.name, l.n.title())
}

// look finds the interface by its index; one of a plan that was carried out meanwhile by
// its name.
func (l *Link) look(ns kernel.Space) (*kernel.Link, error) {
	if l.planned && !l.n.s.lab.Planned() {
		return ns.Link(l.name)
	}
	return ns.LinkByIndex(l.index)
}

func (l *Link) addrs() ([]kernel.Addr, error) {
	if _, err := l.read(); err != nil {
		return nil, err
	}
	ns, err := l.n.open()
	if err != nil {
		return nil, err
	}
	return ns.Addrs(l.index)
}

// linkFields are read from the kernel when they are asked for.
var linkFields = map[string]func(*Link, *kernel.Link) (starlark.Value, error){
	"name":  func(_ *Link, k *kernel.Link) (starlark.Value, error) { return starlark.String(k.Name), nil },
	"ns":    func(l *Link, _ *kernel.Link) (starlark.Value, error) { return l.n, nil },
	"kind":  func(_ *Link, k *kernel.Link) (starlark.Value, error) { return starlark.String(k.Kind), nil },
	"index": func(_ *Link, k *kernel.Link) (starlark.Value, error) { return starlark.MakeInt(k.Index), nil },
	"mac":   func(_ *Link, k *kernel.Link) (starlark.Value, error) { return strOrNone(k.MAC.String()), nil },
	"mtu":   func(_ *Link, k *kernel.Link) (starlark.Value, error) { return starlark.MakeInt(k.MTU), nil },
	"state": func(_ *Link, k *kernel.Link) (starlark.Value, error) {
		return starlark.String(k.OperState()), nil
	},
	"addrs": func(l *Link, _ *kernel.Link) (starlark.Value, error) {
		addrs, err := l.addrs()
		return listOf(addrs, func(a kernel.Addr) starlark.Value { return Address{a.Prefix} }), err
	},
	"peer":   func(l *Link, k *kernel.Link) (starlark.Value, error) { return l.peer(k) },
	"master": func(l *Link, k *kernel.Link) (starlark.Value, error) { return l.at(k.Master) },
	"stats": func(_ *Link, k *kernel.Link) (starlark.Value, error) {
		n := func(u uint64) starlark.Value { return starlark.MakeUint64(u) }
		return &record{kind: "LinkStats", truth: true, fields: []field{
			{"rx_packets", n(k.Stats.RxPackets)}, {"rx_bytes", n(k.Stats.RxBytes)},
			{"rx_errors", n(k.Stats.RxErrors)}, {"rx_dropped", n(k.Stats.RxDropped)},
			{"tx_packets", n(k.Stats.TxPackets)}, {"tx_bytes", n(k.Stats.TxBytes)},
			{"tx_errors", n(k.Stats.TxErrors)}, {"tx_dropped", n(k.Stats.TxDropped)},
			{"multicast", n(k.Stats.Multicast)}, {"collisions", n(k.Stats.Collisions)},
		}}, nil
	},
}

// at returns the interface of that index in the same namespace, None for 0.
func (l *Link) at(index int) (starlark.Value, error) {
	if index == 0 {
		return starlark.None, nil
	}
	ns, err := l.n.open()
	if err != nil {
		return nil, err
	}
	k, err := ns.LinkByIndex(index)
	if err != nil {
		return nil, err
	}
	return l.n.linkValue(k), nil
}

// peer returns the other end, wherever in the lab it is, or None.
func (l *Link) peer(k *kernel.Link) (starlark.Value, error) {
	if k.Peer == 0 {
		return starlark.None, nil
	}
	if k.PeerNetNS < 0 {
		return l.at(k.Peer)
	}
	ns, err := l.n.open()
	if err != nil {
		return nil, err
	}
	for _, other := range l.n.s.everyNamespace() {
		o, err := other.open()
		if err != nil {
			continue
		}
		if ns.PeerIn(k, o) {
			p, err := o.LinkByIndex(k.Peer)
			if err != nil {
				return starlark.None, nil
			}
			return other.linkValue(p), nil
		}
	}
	return starlark.None, nil
}

// linkMethods are declared like builtins; the first argument is the Link.
var linkMethods = append([]spec{
	{sig: "up(link)", doc: linkUpDoc, run: func(c *call) (starlark.Value, error) { return c.setUp(true) }},
	{sig: "down(link)", doc: linkDownDoc, run: func(c *call) (starlark.Value, error) { return c.setUp(false) }},
	{
		sig: "add_addr(link, a)", doc: addAddrDoc,
		run: func(c *call) (starlark.Value, error) {
			l, addrs, err := c.linkAndAddrs()
			if err != nil {
				return nil, err
			}
			for _, a := range addrs {
				if err := c.do(&op.AddAddr{NS: l.n.name, Dev: l.name, Addr: a}); err != nil {
					return nil, err
				}
			}
			return c.args[0], nil
		},
	},
	{
		sig: "del_addr(link, a)", doc: delAddrDoc,
		run: func(c *call) (starlark.Value, error) {
			l, addrs, err := c.linkAndAddrs()
			if err != nil {
				return nil, err
			}
			for _, a := range addrs {
				if err := l.mayChange(c, func(o op.Op) bool {
					add, ok := o.(*op.AddAddr)
					return ok && add.NS == l.n.name && add.Dev == l.name && add.Addr == a
				}); err != nil {
					return nil, err
				}
				if err := c.do(&op.DelAddr{NS: l.n.name, Dev: l.name, Addr: a}); err != nil {
					return nil, err
				}
			}
			return c.args[0], nil
		},
	},
	{
		sig: "set(link, *, name = None, mac = None, mtu = None, master = None, isolated = None, hairpin = None)",
		doc: linkSetDoc,
		run: setLink,
	},
	{
		sig: "move(link, ns)", doc: linkMoveDoc,
		run: func(c *call) (starlark.Value, error) {
			l, err := c.linkArg()
			if err != nil {
				return nil, err
			}
			var to *Namespace
			if err := c.unpack(nil, &to); err != nil {
				return nil, err
			}
			if to.name == l.n.name {
				return c.args[0], nil
			}
			if err := l.immovable(); err != nil {
				return nil, err
			}
			if err := c.do(&op.MoveLink{NS: l.n.name, Name: l.name, To: to.name}); err != nil {
				return nil, err
			}
			c.lab.Forgetful(l.n.name)
			_, k, err := op.FindLink(c.lab.System(), to.name, l.name)
			if err != nil {
				return nil, err
			}
			l.n, l.index = to, k.Index
			return c.args[0], nil
		},
	},
	{
		sig: "delete(link)", doc: linkDeleteDoc,
		run: func(c *call) (starlark.Value, error) {
			l, err := c.linkArg()
			if err != nil {
				return nil, err
			}
			if k, err := l.read(); err != nil || k.Kind == "loopback" {
				return nil, errors.Join(err, badArg("l.down() takes it out of use", "lo cannot be deleted: every namespace has one"))
			}
			if err := c.do(&op.DelLink{NS: l.n.name, Name: l.name}); err != nil {
				return nil, err
			}
			l.deleted = true
			return nil, nil
		},
	},
}, shapeSpecs...)

// immovable is the error of an interface that stays in its namespace.
func (l *Link) immovable() error {
	k, err := l.read()
	switch {
	case err != nil:
		return err
	case k.Kind == "loopback":
		return badArg("", "lo cannot be moved: every namespace has its own")
	case k.Kind == "bridge":
		return badArg("make it where it belongs: bridge(…, ns = …)", "the bridge %q cannot be moved to another namespace", l.name)
	}
	return nil
}

// linkArg is the interface that a method was called on, with its present name.
func (c *call) linkArg() (*Link, error) {
	l := c.args[0].(linkValue).link()
	_, err := l.peek()
	return l, err
}

func (c *call) linkAndAddrs() (*Link, addresses, error) {
	l, err := c.linkArg()
	if err != nil {
		return nil, nil, err
	}
	var addrs addresses
	return l, addrs, c.unpack(nil, &addrs)
}

func (c *call) setUp(up bool) (starlark.Value, error) {
	l, err := c.linkArg()
	if err != nil {
		return nil, err
	}
	return c.args[0], c.do(&op.SetLink{NS: l.n.name, Name: l.name, Up: &up})
}

// mayChange refuses to change, in a namespace that is not the lab's, what no
// operation of the lab has made.
func (l *Link) mayChange(c *call, made func(op.Op) bool) error {
	if l.n.owned() {
		return nil
	}
	k, err := l.read()
	if err != nil {
		return err
	}
	if k.Alias == c.lab.System().Mark || c.lab.Made(made) {
		return nil
	}
	return notOurs(l.n, fmt.Sprintf("that address of interface %q", l.name))
}

// notOurs is the error of changing what the lab did not make.
func notOurs(n *Namespace, what string) error { return op.NotOurs(n.name, what) }

func setLink(c *call) (starlark.Value, error) {
	l, err := c.linkArg()
	if err != nil {
		return nil, err
	}
	var name ifName
	var address mac
	var size mtu
	var master starlark.Value
	var isolated, hairpin bool
	if err := c.unpack(nil, &name, &address, &size, &master, &isolated, &hairpin); err != nil {
		return nil, err
	}
	o := &op.SetLink{NS: l.n.name, Name: l.name}
	if c.given("isolated") {
		o.Isolated = &isolated
	}
	if c.given("hairpin") {
		o.Hairpin = &hairpin
	}
	if name != "" {
		s := string(name)
		o.Rename = &s
	}
	if address != "" {
		s := string(address)
		o.MAC = &s
	}
	if size != 0 {
		n := int(size)
		o.MTU = &n
	}
	if master != nil || c.none["master"] {
		s := ""
		if m, ok := master.(linkValue); ok && m.link().n.name != l.n.name {
			return nil, &argError{"master", badArg("make the bridge there, bridge(…, ns = …), or connect the two with br.attach(ns)",
				"the Link %q is in %s, and a port has to be where its bridge is, in %s", m.link().name, m.link().n.title(), l.n.title())}
		}
		if master != nil {
			var d devName
			if err := d.unpack(c.Session, master); err != nil {
				return nil, &argError{"master", err}
			}
			if s, err = d.in(l.n, "master"); err != nil {
				return nil, err
			}
		}
		o.Master = &s
	}
	if reflect.DeepEqual(o, &op.SetLink{NS: l.n.name, Name: l.name}) {
		return nil, badArg("give name, mac, mtu, master, isolated or hairpin", "nothing to set")
	}
	return c.args[0], c.do(o)
}

// AttrNames lists fields and methods.
func (l *Link) AttrNames() []string { return attrNames(linkFields, linkMethods) }

func attrNames[F any](fields map[string]F, methods ...[]spec) []string {
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	for _, list := range methods {
		for _, m := range list {
			names = append(names, (&Session{}).declare(m).name)
		}
	}
	slices.Sort(names)
	return names
}

// Attr returns a field or a method.
func (l *Link) Attr(name string) (starlark.Value, error) { return l.attr(l, name) }

func (l *Link) attr(self starlark.HasAttrs, name string) (starlark.Value, error) {
	if f, ok := linkFields[name]; ok {
		if name == "state" && !l.n.s.lab.Planned() { // the kernel comes to it a moment after
			if err := l.n.s.lab.System().Settle(); err != nil {
				return nil, err
			}
		}
		k, err := l.read()
		if err != nil {
			return nil, err
		}
		return f(l, k)
	}
	if m := l.n.s.method(self, name, linkMethods); m != nil {
		return m, nil
	}
	return nil, noAttr(self, name)
}

// method finds a method by its name and binds it to its value.
func (s *Session) method(self starlark.Value, name string, methods []spec) starlark.Value {
	for i := range methods {
		m := &methods[i]
		if len(m.sig) > len(name) && m.sig[:len(name)] == name && m.sig[len(name)] == '(' {
			return s.declared(m).bind(self)
		}
	}
	return nil
}

// declared is declare for a method, of which the signature is read once.
func (s *Session) declared(m *spec) *builtin {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bound[m]
	if b == nil {
		b = s.declare(*m)
		s.bound[m] = b
	}
	return b
}

const linkDoc = `
A network interface. Its fields are read from the kernel when they are asked for.

name (string): its name
ns (Namespace): the namespace that it is in
kind (string): veth, bridge, loopback …
index (int): its number in the namespace
mac (string | None): the link-layer address
mtu (int, bytes): the largest packet
state (string): up; down; or lowerlayerdown, where it is up itself and the other end, or what it stands on, is down
addrs (list[Address]): its addresses
peer (Link | None): the other end of a cable
master (Bridge | Link | None): the bridge that it is a port of
stats (LinkStats): packets and bytes so far
example:
    red, blue = namespace("red"), namespace("blue")
    a, b = veth(red, blue)
    print(a.kind, a.mtu, a.peer == b)
    #> veth 1500 True
source: ip-link(8)
`

const linkUpDoc = `
Brings the interface up.

returns (Link): the interface
example:
    red, blue = namespace("red"), namespace("blue")
    a, b = veth(red, blue, up = False)
    a.up()
    b.up()
    print(a.state)
    #> up
command: ip -n NS link set NAME up
source: ip-link(8), netdevice(7)
`

const linkDownDoc = `
Takes the interface down; the routes through it are lost.

returns (Link): the interface
example:
    red, blue = namespace("red"), namespace("blue")
    a, b = veth(red, blue)
    a.down()
    print(a.state)
    #> down
command: ip -n NS link set NAME down
source: ip-link(8), netdevice(7)
`

const addAddrDoc = `
Gives the interface an address, or several.

a (address | list[address]): with the length of the prefix: "10.0.0.1/24"
returns (Link): the interface
errors: it has the address already; the address has no prefix length, or is that of a network or a group
example:
    red, blue = namespace("red"), namespace("blue")
    a, b = veth(red, blue)
    a.add_addr(["10.0.0.1/24", "2001:db8::1/64"])
    print(red.ip)
    #> 10.0.0.1
command: ip -n NS addr add ADDR dev NAME
source: ip-address(8)
`

const delAddrDoc = `
Takes an address, or several, from the interface.

a (address | list[address]): as it was given
returns (Link): the interface
errors: it does not have the address; on the host, the lab did not add it
example:
    red, blue = namespace("red"), namespace("blue")
    a, b = veth(red, blue, addr = "10.0.0.1/24")
    a.del_addr("10.0.0.1/24")
    print(red.ip)
    #> None
command: ip -n NS addr del ADDR dev NAME
source: ip-address(8)
`

const linkSetDoc = `
Changes properties of the interface: what is left out stays.

name (string, at most 15 bytes): a new name
mac (string): a new link-layer address
mtu (int, 68 to 65535 bytes): the largest packet
master (Bridge | Link | string | None): the bridge, bond or VRF that it becomes part of; None to leave the one it is in
isolated (bool): of a port of a bridge: frames go to no other isolated port
hairpin (bool): of a port of a bridge: frames may go out where they came in
returns (Link): the interface
errors: nothing was given; another interface has the name; it is no port of a bridge; the lab did not make the interface
example:
    red, blue = namespace("red"), namespace("blue")
    a, b = veth(red, blue)
    a.set(name = "uplink", mtu = 1400)
    print(a.name, a.mtu)
    #> uplink 1400
command: ip -n NS link set NAME mtu MTU
    ip -n NS link set NAME master BRIDGE
source: ip-link(8)
`

const linkMoveDoc = `
Moves the interface to another namespace; its addresses and routes are lost on the way.

ns (Namespace): where it goes
returns (Link): the interface
errors: an interface of that name is there already; the lab did not make the interface
example:
    red, blue, green = namespace("red"), namespace("blue"), namespace("green")
    a, b = veth(red, blue)
    b.move(green)
    print(b.ns, blue.links[0].name)
    #> green lo
command: ip -n NS link set NAME netns OTHER
source: ip-link(8), network_namespaces(7)
`

const linkDeleteDoc = `
Deletes the interface; a cable goes with either of its ends.

returns (None): nothing
errors: the lab did not make it
example:
    red, blue = namespace("red"), namespace("blue")
    a, b = veth(red, blue)
    a.delete()
    print(len(blue.links))
    #> 1
command: ip -n NS link del NAME
source: ip-link(8)
`

const linkStatsDoc = `
The counters of an interface, since it was made.

rx_packets (int): packets received
rx_bytes (int, bytes): received
rx_errors (int): bad packets received
rx_dropped (int): packets received for which there was no room, or nobody
tx_packets (int): packets sent
tx_bytes (int, bytes): sent
tx_errors (int): packets that could not be sent
tx_dropped (int): packets dropped on the way out
multicast (int): packets received that went to a group
collisions (int): always 0 on virtual links
source: the kernel's Documentation/networking/statistics.rst
`
