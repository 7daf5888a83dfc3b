package builtins

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// Namespace is a network namespace of the lab: one that it made, one that it
// joined, or its host.
type Namespace struct {
	s       *Session
	name    string
	deleted bool
	joined  bool
}

var _ starlark.HasAttrs = (*Namespace)(nil)

func (n *Namespace) String() string        { return n.name }
func (n *Namespace) Type() string          { return "Namespace" }
func (n *Namespace) Freeze()               {}
func (n *Namespace) Truth() starlark.Bool  { return starlark.Bool(!n.deleted) }
func (n *Namespace) Hash() (uint32, error) { return starlark.String(n.name).Hash() }

// alive is an error once the namespace was deleted.
func (n *Namespace) alive() error {
	if n.deleted {
		return badArg("", "namespace %q was deleted", n.name)
	}
	return nil
}

// title names the namespace in a sentence.
func (n *Namespace) title() string {
	if n.name == op.Host {
		return "the host"
	}
	return fmt.Sprintf("namespace %q", n.name)
}

// open returns what can be asked of the namespace.
func (n *Namespace) open() (kernel.Space, error) {
	if err := n.alive(); err != nil {
		return nil, err
	}
	return n.s.lab.System().Look(n.name)
}

// peek is open for who only needs to know what interfaces there are.
func (n *Namespace) peek() (kernel.Space, error) {
	if err := n.alive(); err != nil {
		return nil, err
	}
	return n.s.lab.System().Peek(n.name)
}

// real returns the kernel's namespace, which there is not in a plan.
func (n *Namespace) real() (*kernel.NetNS, error) {
	if err := n.alive(); err != nil {
		return nil, err
	}
	return n.s.lab.System().Enter(n.name)
}

// ready is real for who sends packets: what was set up takes them.
func (n *Namespace) ready() (*kernel.NetNS, error) {
	ns, err := n.real()
	if err == nil {
		err = n.s.lab.System().Settle()
	}
	return ns, err
}

// owned reports whether the lab owns the namespace.
func (n *Namespace) owned() bool { return n.s.lab.System().Owned(n.name) }

// namespaceFields are read from the kernel when they are asked for.
var namespaceFields = map[string]func(*Namespace) (starlark.Value, error){
	"name":  func(n *Namespace) (starlark.Value, error) { return starlark.String(n.name), nil },
	"owned": func(n *Namespace) (starlark.Value, error) { return starlark.Bool(n.owned()), nil },
	"path": func(n *Namespace) (starlark.Value, error) {
		if n.name == op.Host {
			return starlark.String("/proc/self/ns/net"), nil
		}
		for _, e := range slices.Backward(n.s.lab.Entries()) {
			if j, ok := e.Op.(*op.JoinNamespace); ok && j.Name == n.name {
				return starlark.String(j.Path), nil
			}
		}
		return starlark.String(kernel.NetNSPath(n.name)), nil
	},
	"ip": func(n *Namespace) (starlark.Value, error) {
		ns, err := n.open()
		if err != nil {
			return nil, err
		}
		addrs, err := ns.Addrs(0)
		if err != nil {
			return nil, err
		}
		for _, a := range addrs {
			if a.Global() {
				return starlark.String(a.Prefix.Addr().String()), nil
			}
		}
		return starlark.None, nil
	},
	"links": func(n *Namespace) (starlark.Value, error) {
		ns, err := n.open()
		if err != nil {
			return nil, err
		}
		links, err := ns.Links()
		return listOf(links, func(l kernel.Link) starlark.Value { return n.linkValue(&l) }), err
	},
	"addrs": func(n *Namespace) (starlark.Value, error) {
		ns, err := n.open()
		if err != nil {
			return nil, err
		}
		addrs, err := ns.Addrs(0)
		return listOf(addrs, func(a kernel.Addr) starlark.Value { return Address{a.Prefix} }), err
	},
	"routes": func(n *Namespace) (starlark.Value, error) {
		ns, err := n.open()
		if err != nil {
			return nil, err
		}
		routes, err := ns.Routes()
		return listOf(routes, func(r kernel.Route) starlark.Value { return &Route{n: n, r: &r} }), err
	},
	"rules": func(n *Namespace) (starlark.Value, error) {
		ns, err := n.open()
		if err != nil {
			return nil, err
		}
		rules, err := ns.Rules()
		return listOf(rules, func(r kernel.Rule) starlark.Value { return &PolicyRule{n: n, r: r} }), err
	},
	"neighbors": func(n *Namespace) (starlark.Value, error) {
		ns, err := n.open()
		if err != nil {
			return nil, err
		}
		neighs, err := ns.Neighbors()
		return listOf(neighs, neighbor), err
	},
	"pids": func(n *Namespace) (starlark.Value, error) {
		ns, err := n.open()
		if err != nil {
			return nil, err
		}
		pids, err := ns.PIDs()
		return listOf(pids, func(pid int) starlark.Value { return starlark.MakeInt(pid) }), err
	},
	"forward": func(n *Namespace) (starlark.Value, error) {
		ns, err := n.open()
		if err != nil {
			return nil, err
		}
		v, err := ns.ReadSysctl("net.ipv4.ip_forward")
		return starlark.Bool(v == "1"), err
	},
}

func neighbor(e kernel.Neigh) starlark.Value {
	return &record{kind: "Neighbor", truth: true, text: e.String(), fields: []field{
		{"ip", starlark.String(e.IP.String())},
		{"mac", strOrNone(e.MAC.String())},
		{"dev", starlark.String(e.Dev)},
		{"state", starlark.String(e.State)},
	}}
}

// namespaceMethods are declared like builtins; ns is the namespace itself.
var namespaceMethods = []spec{
	{
		sig: "link(ns, name)", doc: namespaceLinkDoc,
		run: func(c *call) (starlark.Value, error) {
			var n *Namespace
			var name string
			if err := c.unpack(&n, &name); err != nil {
				return nil, err
			}
			_, l, err := op.FindLink(c.lab.System(), n.name, name)
			if err != nil {
				return nil, err
			}
			return n.linkValue(l), nil
		},
	},
	{
		sig: "sysctl(ns, key, value = None)",
		doc: sysctlDoc,
		run: func(c *call) (starlark.Value, error) {
			var n *Namespace
			var key string
			var v starlark.Value
			if err := c.unpack(&n, &key, &v); err != nil {
				return nil, err
			}
			if _, err := kernel.SysctlPath(key); err != nil {
				return nil, badArg("", "argument \"key\": %v", err)
			}
			if v != nil {
				s, err := sysctlValue(v)
				if err != nil {
					return nil, &argError{"value", err}
				}
				if err := c.do(&op.SetSysctl{NS: n.name, Key: key, Value: s}); err != nil {
					return nil, err
				}
			}
			ns, err := n.open()
			if err != nil {
				return nil, err
			}
			s, err := ns.ReadSysctl(key)
			if err != nil {
				return nil, op.SysctlError(n.name, key, err)
			}
			return starlark.String(s), nil
		},
	},
	{
		sig: "delete(ns)", doc: namespaceDeleteDoc,
		run: func(c *call) (starlark.Value, error) {
			var n *Namespace
			if err := c.unpack(&n); err != nil {
				return nil, err
			}
			if n.name == op.Host {
				return nil, badArg("", "the host cannot be deleted")
			}
			if n.joined {
				return nil, badArg("", "namespace %q is joined: it is not this lab's to delete", n.name)
			}
			if err := c.do(&op.DelNamespace{Name: n.name}); err != nil {
				return nil, err
			}
			n.deleted = true
			return nil, c.lab.Forget(func(o op.Op) bool {
				a, ok := o.(*op.AddNamespace)
				return ok && a.Name == n.name
			})
		},
	},
}

// sysctlValue is what may be written to a kernel parameter.
func sysctlValue(v starlark.Value) (string, error) {
	switch v := v.(type) {
	case starlark.String:
		if strings.ContainsAny(string(v), "\n\x00") {
			return "", want("one line of text", v)
		}
		return string(v), nil
	case starlark.Int:
		return v.String(), nil
	case starlark.Bool:
		if v {
			return "1", nil
		}
		return "0", nil
	}
	return "", want("a number, a string or a bool", v)
}

// AttrNames lists fields, methods and modules.
func (n *Namespace) AttrNames() []string {
	var names []string
	for name := range namespaceFields {
		names = append(names, name)
	}
	for name := range n.s.methods {
		names = append(names, name)
	}
	for module := range n.s.modules {
		if n.s.isNSModule(module) {
			names = append(names, module)
		}
	}
	slices.Sort(names)
	return names
}

// isNSModule reports whether a module's builtins take a namespace first.
func (s *Session) isNSModule(module string) bool {
	for _, b := range s.modules[module] {
		return b.params[0].Name == "ns"
	}
	return false
}

// Attr returns a field, a method or a bound module.
func (n *Namespace) Attr(name string) (starlark.Value, error) {
	if f, ok := namespaceFields[name]; ok {
		v, err := f(n)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", name, n.title(), err)
		}
		return v, nil
	}
	if b, ok := n.s.methods[name]; ok {
		return b.bind(n), nil
	}
	if n.s.isNSModule(name) {
		return n.s.module(name, n), nil
	}
	return nil, noAttr(n, name)
}

const namespaceDoc = `
A network namespace: interfaces, routes, rules and sockets of its own. Made by namespace() and join(), or the lab's host.

Every builtin whose first argument is ns is a method of it too: ping(red, blue) is red.ping(blue). Its fields are read from the kernel when they are asked for.

name (string): the name that the lab calls it by
path (string): the file that stands for it
owned (bool): whether the lab made it, and ends it
ip (string | None): its first global address, without prefix length
links (list[Link | Bridge]): its interfaces
addrs (list[Address]): the addresses of all its interfaces
routes (list[Route]): its main routing tables, and what is in others
rules (list[PolicyRule]): its policy-routing rules
neighbors (list[Neighbor]): who is known on the links: ARP and neighbour discovery
pids (list[int]): the processes in it
forward (bool): whether it forwards IPv4 packets
nat (nat): the module nat, for this namespace
firewall (firewall): the module firewall, for this namespace
example:
    red = namespace("red")
    print(red.name, red.owned, red.links[0].name, red.ip)
    #> red True lo None
source: network_namespaces(7)
`

const namespaceLinkDoc = `
The interface of that name.

name (string): the interface's name
returns (Link | Bridge): a Bridge where it is one
errors: there is none of that name; the message names the nearest
example:
    red = namespace("red")
    print(red.link("lo").state)
    #> up
command: ip -n NS link show dev NAME
source: ip-link(8)
`

const sysctlDoc = `
Reads a kernel parameter of the namespace, or sets it.

key (string): such as net.ipv4.ip_forward, with dots or slashes
value (int | string | bool): what to set; None to read only. What the lab did not make gets its old value back with the end of the lab.
returns (string): the value that it has then
errors: there is no such parameter, or the kernel refuses the value; the parameter belongs to the machine, not to a namespace
example:
    red = namespace("red")
    red.sysctl("net.ipv4.ip_forward", 1)
    print(red.sysctl("net.ipv4.ip_forward"))
    #> 1
command: ip netns exec NS sysctl -w KEY=VALUE
source: sysctl(8), the kernel's Documentation/networking/ip-sysctl.rst
`

const namespaceDeleteDoc = `
Deletes the namespace and all that is in it: processes, interfaces, routes.

returns (None): nothing
errors: it is the host, or joined: not the lab's to delete
example:
    red = namespace("red")
    red.delete()
    print(bool(red))
    #> False
command: ip netns del NS
source: ip-netns(8), network_namespaces(7)
`

const neighborDoc = `
Somebody known on a link, by ARP or neighbour discovery.

ip (string): the address
mac (string | None): the link-layer address, None while it is not known
dev (string): the interface
state (string): as "ip neigh" has it: reachable, stale, failed, permanent …
source: ip-neighbour(8)
`
