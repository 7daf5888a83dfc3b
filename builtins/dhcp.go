package builtins

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"nsscript/builtins/lab"
	"nsscript/builtins/op"
	"nsscript/builtins/probe/dhcp"
)

var dhcpSpec = spec{
	sig: "dhcp(ns, dev, *, hostname = None, route = True, dns = True, timeout = \"10s\")",
	doc: dhcpDoc,
	run: dhcpObtain,
}

// dhcpUse says what of a lease is put to use beside its address.
type dhcpUse struct{ route, dns bool }

func dhcpObtain(c *call) (starlark.Value, error) {
	var ns *Namespace
	var dev devName
	req := dhcp.Request{}
	use := dhcpUse{true, true}
	timeout := duration(10 * time.Second)
	if err := c.unpack(&ns, &dev, &req.Hostname, &use.route, &use.dns, &timeout); err != nil {
		return nil, err
	}
	var err error
	if req.Dev, err = dev.in(ns, "dev"); err != nil {
		return nil, err
	}
	if c.given("hostname") {
		if err := lab.CheckName("host", req.Hostname); err != nil {
			return nil, &argError{"hostname", err}
		}
	} else {
		req.Hostname = ns.name
	}
	req.Timeout = timeout.std()
	l, err := c.obtain(ns, req)
	if err != nil {
		return nil, err
	}
	lease := &Lease{n: ns, l: l}
	return lease, lease.apply(c, use)
}

// obtain asks for a lease: nothing but what goes over the network.
func (c *call) obtain(ns *Namespace, req dhcp.Request) (*dhcp.Lease, error) {
	_, l, err := op.FindLink(c.lab.System(), ns.name, req.Dev)
	switch {
	case err != nil:
		return nil, &argError{"dev", err}
	case !l.Up():
		return nil, badArg("its method up() does that", "the interface %q of %s is not up", req.Dev, ns.title())
	case len(l.MAC) != 6 && !c.lab.Planned():
		return nil, badArg("", "the interface %q of %s is no Ethernet: DHCP needs link-layer addresses", req.Dev, ns.title())
	}
	req.Index, req.MAC = l.Index, l.MAC
	if c.assume(c.pos(), op.InNS(ns.name, "udhcpc", "-i", req.Dev, "-n", "-q", "-s", "/bin/true")) {
		return c.plannedLease(ns, req), nil
	}
	k, err := ns.ready()
	if err != nil {
		return nil, err
	}
	lease, err := dhcp.Obtain(c.ctx, k, req)
	return lease, c.noLease(ns, req.Dev, req.Timeout, err)
}

// noLease words why there is no lease.
func (c *call) noLease(ns *Namespace, dev string, timeout time.Duration, err error) error {
	var silent *dhcp.NoAnswerError
	switch {
	case errors.As(err, &silent) && silent.Offered.IsValid():
		return badArg("", "no lease for interface %q of %s within %s: %v", dev, ns.title(), timeout, err)
	case errors.As(err, &silent):
		return badArg("a server must be on the same link, as dhcp_server() makes one, or a dhcp_relay(); a firewall must let it receive UDP port 67",
			"no DHCP server answered on interface %q of %s within %s", dev, ns.title(), timeout)
	case errors.Is(err, dhcp.ErrRefused):
		return badArg("", "no lease for interface %q of %s: %v", dev, ns.title(), err)
	}
	return c.interrupted(err)
}

// Lease is a lease of DHCP, and what it was put to use for.
type Lease struct {
	n *Namespace
	l *dhcp.Lease

	route    *op.AddRoute // nil for none
	resolver bool
	released bool
}

var _ starlark.HasAttrs = (*Lease)(nil)

// apply puts a lease to use.
func (l *Lease) apply(c *call, use dhcpUse) error {
	add := &op.AddAddr{NS: l.n.name, Dev: l.l.Dev, Addr: l.l.Addr.String()}
	if has, err := l.hasAddr(); err != nil {
		return err
	} else if !has {
		if err := c.do(add); err != nil {
			return err
		}
	}
	if use.route && len(l.l.Routers) > 0 {
		o := &op.AddRoute{RouteSpec: op.RouteSpec{NS: l.n.name, Dst: "default", Via: []string{l.l.Routers[0].String()}, Dev: l.l.Dev}}
		if !l.l.Addr.Contains(l.l.Routers[0]) {
			o.OnLink = true
		}
		if has, err := l.hasRoute(); err != nil {
			return err
		} else if !has {
			if err := c.do(o); err != nil {
				return err
			}
			l.route = o
		}
	}
	if use.dns && len(l.l.DNS) > 0 {
		var search []string
		if l.l.Domain != "" {
			var d domains
			if d.unpack(c.Session, starlark.String(l.l.Domain)) == nil { // what a server says is not to be trusted
				search = d
			}
		}
		if err := c.setResolver(l.n, l.l.DNS, search); err != nil {
			return err
		}
		l.resolver = true
	}
	return nil
}

// hasAddr reports whether the interface has the address, as after an earlier lease.
func (l *Lease) hasAddr() (bool, error) {
	ns, k, err := op.FindLink(l.n.s.lab.System(), l.n.name, l.l.Dev)
	if err != nil {
		return false, err
	}
	addrs, err := ns.Addrs(k.Index)
	for _, a := range addrs {
		if a.Prefix == l.l.Addr {
			return true, err
		}
	}
	return false, err
}

// hasRoute reports whether there is a default route over the interface already.
func (l *Lease) hasRoute() (bool, error) {
	ns, err := l.n.open()
	if err != nil {
		return false, err
	}
	routes, err := ns.Routes()
	for _, r := range routes {
		if !r.Dst.IsValid() && len(r.Hops) == 1 && r.Hops[0].Via == l.l.Routers[0] {
			return true, err
		}
	}
	return false, err
}

func (l *Lease) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s from %s for %s", l.l.Addr, l.l.Server, l.l.Time)
	if len(l.l.Routers) > 0 {
		fmt.Fprintf(&b, ", router %s", l.l.Routers[0])
	}
	for i, a := range l.l.DNS {
		b.WriteString([]string{", dns ", " "}[min(i, 1)] + a.String())
	}
	return b.String()
}

// Type is the name of the kind of value.
func (l *Lease) Type() string { return "Lease" }

// Freeze does nothing: a lease has no state that a script can change but by its methods.
func (l *Lease) Freeze() {}

// Truth is whether the lease was not given back.
func (l *Lease) Truth() starlark.Bool { return starlark.Bool(!l.released) }

// Hash is not possible.
func (l *Lease) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: Lease") }

var leaseFields = map[string]func(*Lease) starlark.Value{
	"addr":       func(l *Lease) starlark.Value { return Address{l.l.Addr} },
	"ip":         func(l *Lease) starlark.Value { return starlark.String(l.l.Addr.Addr().String()) },
	"router":     func(l *Lease) starlark.Value { return firstAddr(l.l.Routers) },
	"dns":        func(l *Lease) starlark.Value { return listOf(l.l.DNS, addrOrNone) },
	"domain":     func(l *Lease) starlark.Value { return strOrNone(l.l.Domain) },
	"server":     func(l *Lease) starlark.Value { return addrOrNone(l.l.Server) },
	"relay":      func(l *Lease) starlark.Value { return addrOrNone(l.l.Relay) },
	"lease_time": func(l *Lease) starlark.Value { return seconds(l.l.Time) },
	"dev":        func(l *Lease) starlark.Value { return starlark.String(l.l.Dev) },
	"ns":         func(l *Lease) starlark.Value { return l.n },
}

func firstAddr(list []netip.Addr) starlark.Value {
	if len(list) == 0 {
		return starlark.None
	}
	return addrOrNone(list[0])
}

var leaseMethods = []spec{
	{
		sig: "renew(lease, *, timeout = \"5s\")", doc: leaseRenewDoc,
		run: func(c *call) (starlark.Value, error) {
			l, timeout := c.args[0].(*Lease), duration(5*time.Second)
			if err := c.unpack(nil, &timeout); err != nil {
				return nil, err
			}
			if err := l.held(); err != nil {
				return nil, err
			}
			if c.lab.Planned() {
				return l, nil
			}
			k, err := l.n.ready()
			if err != nil {
				return nil, err
			}
			next, err := dhcp.Renew(c.ctx, k, l.l, timeout.std())
			if err != nil {
				return nil, c.noLease(l.n, l.l.Dev, timeout.std(), err)
			}
			l.l = next
			return l, nil
		},
	},
	{
		sig: "release(lease)", doc: leaseReleaseDoc,
		run: func(c *call) (starlark.Value, error) {
			l := c.args[0].(*Lease)
			if err := l.held(); err != nil {
				return nil, err
			}
			if c.lab.Planned() {
				return nil, l.giveUp(c)
			}
			k, err := l.n.ready()
			if err != nil {
				return nil, err
			}
			if err := dhcp.Release(c.ctx, k, l.l); err != nil {
				return nil, c.interrupted(err)
			}
			return nil, l.giveUp(c)
		},
	},
}

// held is an error once the lease was given back.
func (l *Lease) held() error {
	if l.released {
		return badArg("dhcp() obtains another", "the lease of %s was released", l.l.Addr.Addr())
	}
	return l.n.alive()
}

// giveUp takes back what the lease was put to use for.
func (l *Lease) giveUp(c *call) error {
	l.released = true
	if l.route != nil {
		if err := c.do(&op.DelRoute{RouteSpec: l.route.RouteSpec}); err != nil {
			return err
		}
	}
	if l.resolver {
		if err := c.setResolver(l.n, nil, nil); err != nil {
			return err
		}
	}
	return c.do(&op.DelAddr{NS: l.n.name, Dev: l.l.Dev, Addr: l.l.Addr.String()})
}

// AttrNames lists fields and methods.
func (l *Lease) AttrNames() []string { return attrNames(leaseFields, leaseMethods) }

// Attr returns a field or a method.
func (l *Lease) Attr(name string) (starlark.Value, error) {
	if f, ok := leaseFields[name]; ok {
		return f(l), nil
	}
	if m := l.n.s.method(l, name, leaseMethods); m != nil {
		return m, nil
	}
	return nil, noAttr(l, name)
}

const dhcpDoc = `
Obtains an address by DHCP, and puts the lease to use: the address, the default route, the resolver. Needs no program.

It asks once; the lease is not renewed by itself, and the address stays when its time is over.

dev (string | Link): the interface, which is up
hostname (string): the name that the server is told; left out, the namespace's
route (bool): make the router the default route
dns (bool): make the name servers the namespace's resolver
timeout (duration): how long a server may take
returns (Lease): what was obtained
errors: no server answered in time; the interface is not up
example:
    gw, pc = namespace("gw"), namespace("pc")
    a, b = veth(gw, pc, addr = "10.0.0.1/24")
    dhcp_server(gw, "10.0.0.100-10.0.0.199", router = gw, lease_time = "1h")
    lease = dhcp(pc, b)
    print(lease)
    #> 10.0.0.100/24 from 10.0.0.1 for 1h0m0s, router 10.0.0.1
    print(ping(pc, gw).received, pc.routes[0])
    #> 1 default via 10.0.0.1 dev eth0
command: ip netns exec NS udhcpc -i DEV -n -q
source: RFC 2131
`

const leaseDoc = `
An address obtained by DHCP, with what the server said beside it; truthy until it is released.

addr (Address): the address with its prefix length
ip (string): the address alone
router (string | None): the first router
dns (list[string]): name servers
domain (string | None): the domain that completes short names
server (string): who gave the lease
relay (string | None): who passed the messages on
lease_time (float, seconds): for how long it is
dev (string): the interface
ns (Namespace): where that is
source: RFC 2131, RFC 2132
`

const leaseRenewDoc = `
Asks the server for more time.

timeout (duration): how long it may take
returns (Lease): the lease
errors: the server did not answer, or refused; the lease was released
example:
    gw, pc = namespace("gw"), namespace("pc")
    a, b = veth(gw, pc, addr = "10.0.0.1/24")
    dhcp_server(gw, "10.0.0.100-10.0.0.199")
    print(dhcp(pc, b).renew().ip)
    #> 10.0.0.100
source: RFC 2131, 4.4.5
`

const leaseReleaseDoc = `
Gives the address back, and takes it, the route and the resolver from the namespace.

returns (None): nothing
errors: the lease was released already
example:
    gw, pc = namespace("gw"), namespace("pc")
    a, b = veth(gw, pc, addr = "10.0.0.1/24")
    dhcp_server(gw, "10.0.0.100-10.0.0.199")
    dhcp(pc, b).release()
    print(pc.ip)
    #> None
source: RFC 2131, 4.4.6
`
