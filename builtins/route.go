package builtins

import (
	"fmt"
	"math"
	"net/netip"
	"nsscript/builtins/kernel/abi"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/near"
	"nsscript/builtins/op"
)

var routeSpecs = []spec{
	{
		sig: "route(ns, dst, *, via = None, weights = None, dev = None, src = None, metric = None, table = None, type = \"unicast\", mtu = None, onlink = False)",
		doc: routeDoc,
		run: route,
	},
	{
		sig: "rule(ns, *, src = None, dst = None, iif = None, oif = None, fwmark = None, table = None, priority = None)",
		doc: ruleDoc,
		run: rule,
	},
}

// destination is where a route leads: "default", a network, or one address.
type destination string

func (d *destination) unpack(_ *Session, v starlark.Value) error {
	switch v := v.(type) {
	case Network:
		*d = destination(v.String())
		return nil
	case Address:
		*d = destination(netip.PrefixFrom(v.p.Addr(), v.p.Addr().BitLen()).String())
		return nil
	case starlark.String:
		str := string(v)
		if str == "default" {
			*d = "default"
			return nil
		}
		if p, err := netip.ParsePrefix(str); err == nil {
			if p != p.Masked() {
				return badArg(fmt.Sprintf("did you mean %q?", p.Masked()), "%q is no network: it has bits set beyond its prefix length", str)
			}
			*d = destination(p.String())
			return nil
		}
		if a, err := netip.ParseAddr(str); err == nil {
			*d = destination(netip.PrefixFrom(a, a.BitLen()).String())
			return nil
		}
	}
	return want(`"default" or a network such as "10.0.0.0/24"`, v)
}

// table is a routing table by number or name.
type table int

func (t *table) unpack(_ *Session, v starlark.Value) error {
	if s, ok := starlark.AsString(v); ok {
		if n, ok := kernel.TableNumber(s); ok {
			*t = table(n)
			return nil
		}
		return want(`a routing table: a number, or "main", "local" or "default"`, v)
	}
	return readInt(v, (*int)(t), 1, 1<<31-1, "")
}

// gateways are one target or a list of them, resolved as seen from ns.
func (c *call) gateways(ns *Namespace, v starlark.Value, v6 *bool) ([]netip.Addr, error) {
	values := []starlark.Value{v}
	if it, ok := v.(starlark.Iterable); ok {
		if _, isNet := v.(Network); isNet {
			return nil, want("the address of a router", v)
		}
		values = values[:0]
		iter := it.Iterate()
		defer iter.Done()
		var x starlark.Value
		for iter.Next(&x) {
			values = append(values, x)
		}
		if len(values) == 0 {
			return nil, want("the address of a router, or a list of them", v)
		}
	}
	var list []netip.Addr
	for _, x := range values {
		ips, err := c.targets(ns, x)
		if err != nil {
			return nil, err
		}
		ip := ips[0]
		if v6 != nil {
			if i := slices.IndexFunc(ips, func(a netip.Addr) bool { return a.Is6() == *v6 }); i >= 0 {
				ip = ips[i]
			}
		}
		list = append(list, ip)
	}
	return list, nil
}

// weights say how many flows go to one next hop for so many that go to another.
type weights []int

func (w *weights) unpack(_ *Session, v starlark.Value) error {
	list, ok := v.(starlark.Sequence)
	if !ok {
		return want("a list of whole numbers from 1 to 256", v)
	}
	iter := list.Iterate()
	defer iter.Done()
	var x starlark.Value
	for iter.Next(&x) {
		n := 0
		if err := readInt(x, &n, 1, 256, ""); err != nil {
			return err
		}
		*w = append(*w, n)
	}
	return nil
}

func route(c *call) (starlark.Value, error) {
	var ns *Namespace
	var dst destination
	var via, src starlark.Value
	var dev devName
	metric, kind := 0, "unicast"
	var tab table
	var size mtu
	onlink := false
	var shares weights
	if err := c.unpack(&ns, &dst, &via, &shares, &dev, &src, &metric, &tab, &kind, &size, &onlink); err != nil {
		return nil, err
	}
	if metric < 0 || metric > math.MaxUint32 {
		return nil, badArg("", "argument \"metric\": want a whole number from 0 to %d, got %d", math.MaxUint32, metric)
	}
	allowed := []string{"unicast", "blackhole", "unreachable", "prohibit", "throw"}
	if !slices.Contains(allowed, kind) {
		return nil, badArg(near.Hint(allowed, kind), "argument \"type\": no type of route is called %q", kind)
	}
	device, err := dev.in(ns, "dev")
	if err != nil {
		return nil, err
	}
	r := op.RouteSpec{NS: ns.name, Dst: string(dst), Dev: device, Metric: metric, Table: int(tab), MTU: int(size), OnLink: onlink}
	if kind != "unicast" {
		r.Type = kind
	}
	var known *bool
	if p, err := netip.ParsePrefix(r.Dst); err == nil {
		r.V6 = p.Addr().Is6()
		known = &r.V6
	}
	if via != nil {
		gws, err := c.gateways(ns, via, known)
		if err != nil {
			return nil, &argError{"via", err}
		}
		for _, gw := range gws {
			if known == nil {
				r.V6 = gw.Is6()
				known = &r.V6
			}
			switch {
			case r.V6 && gw.Is4() && dst == "default":
				return nil, badArg("", "argument \"via\": %s is IPv4, but %s is IPv6", gw, gws[0])
			case r.V6 && gw.Is4():
				return nil, badArg("", "argument \"via\": %s is IPv4, but %s is IPv6", gw, dst)
			case len(gws) > 1 && gw.Is4() != gws[0].Is4():
				return nil, badArg("", "argument \"via\": %s and %s are not of one IP version", gws[0], gw)
			}
			r.Via = append(r.Via, gw.String())
		}
		if err := ns.checkGateways(gws); err != nil {
			return nil, &argError{"via", err}
		}
	}
	if shares != nil {
		if len(shares) != len(r.Via) || len(shares) == 1 {
			return nil, badArg("give each router of `via` a weight", "argument \"weights\": %d for %d next hops", len(shares), len(r.Via))
		}
		r.Weight = shares
	}
	if src != nil {
		ips, err := c.gateways(ns, src, known)
		if err != nil {
			return nil, &argError{"src", err}
		}
		r.Src = ips[0].String()
		if known == nil {
			r.V6 = ips[0].Is6()
		}
		if ips[0].Is6() != r.V6 {
			return nil, badArg("", "argument \"src\": %s is IPv%d, but the route is IPv%d", ips[0], ipVersion(ips[0].Is6()), ipVersion(r.V6))
		}
	}
	rejects := slices.Contains([]string{"blackhole", "unreachable", "prohibit", "throw"}, kind)
	if rejects && (via != nil || device != "") {
		return nil, badArg("", "a route of type %q leads nowhere: leave out via and dev", kind)
	}
	if !rejects && via == nil && device == "" && c.none["via"] {
		return nil, badArg("does what it was taken from have an address?", "argument \"via\" is None, and a route to %s needs a way", dst)
	}
	if !rejects && via == nil && device == "" {
		return nil, badArg("give `via`, the router, or `dev`, the interface", "a route to %s needs a way", dst)
	}
	if err := c.do(&op.AddRoute{RouteSpec: r}); err != nil {
		return nil, err
	}
	return &Route{n: ns, spec: &r}, nil
}

// ipVersion is the number of an IP version.
func ipVersion(v6 bool) int {
	if v6 {
		return 6
	}
	return 4
}

// checkGateways refuses addresses behind which there is no router.
func (n *Namespace) checkGateways(gws []netip.Addr) error {
	for _, gw := range gws {
		if gw.IsUnspecified() || gw.IsLoopback() || gw.IsMulticast() {
			return badArg("give the router's address on a subnet of this namespace", "%s is no router's address", gw)
		}
	}
	addrs, err := n.s.lab.Globals(n.name)
	if err != nil {
		return err
	}
	for _, gw := range gws {
		if slices.ContainsFunc(addrs, func(p netip.Prefix) bool { return p.Addr() == gw }) {
			return badArg("a gateway is another machine on the same subnet", "%s is an address of %s itself", gw, n.title())
		}
	}
	return nil
}

// Route is a route: one that was read from the kernel, or one that was added and is read
// when something is asked of it.
type Route struct {
	n    *Namespace
	r    *kernel.Route
	spec *op.RouteSpec // as it was added, or nil
}

// read returns the route as it was first seen in the kernel.
func (r *Route) read() (*kernel.Route, error) {
	if r.r != nil {
		return r.r, nil
	}
	ns, err := r.n.open()
	if err != nil {
		return nil, err
	}
	found, err := r.spec.Find(ns)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, badArg("", "the route to %s was added, but is not there any more", r.spec.Dst)
	}
	r.r = &found[0]
	return r.r, nil
}

var _ starlark.HasAttrs = (*Route)(nil)

// String prints the route as `ip route` does, one that is no more as it was added.
func (r *Route) String() string {
	k, err := r.read()
	if err != nil {
		return strings.Join(r.spec.Words(), " ")
	}
	return k.String()
}

func (r *Route) Type() string         { return "Route" }
func (r *Route) Freeze()              {}
func (r *Route) Truth() starlark.Bool { return true }

// Hash is that of where the route leads.
func (r *Route) Hash() (uint32, error) {
	if r.spec != nil {
		return starlark.String(r.n.name + r.spec.Dst).Hash()
	}
	return starlark.String(r.n.name + r.r.DstString()).Hash()
}

var routeFields = map[string]func(*Route, *kernel.Route) starlark.Value{
	"dst": func(_ *Route, k *kernel.Route) starlark.Value { return starlark.String(k.DstString()) },
	"via": func(_ *Route, k *kernel.Route) starlark.Value {
		return hopsOf(k, func(h kernel.NextHop) string {
			if !h.Via.IsValid() {
				return ""
			}
			return h.Via.String()
		})
	},
	"dev": func(_ *Route, k *kernel.Route) starlark.Value {
		return hopsOf(k, func(h kernel.NextHop) string { return h.Dev })
	},
	"metric":   func(_ *Route, k *kernel.Route) starlark.Value { return starlark.MakeInt(k.Metric) },
	"table":    func(_ *Route, k *kernel.Route) starlark.Value { return starlark.MakeInt(k.Table) },
	"type":     func(_ *Route, k *kernel.Route) starlark.Value { return starlark.String(k.Type) },
	"mtu":      func(_ *Route, k *kernel.Route) starlark.Value { return intOrNone(k.MTU) },
	"scope":    func(_ *Route, k *kernel.Route) starlark.Value { return starlark.String(k.Scope) },
	"protocol": func(_ *Route, k *kernel.Route) starlark.Value { return starlark.String(k.Protocol) },
	"ns":       func(r *Route, _ *kernel.Route) starlark.Value { return r.n },
	"src": func(_ *Route, k *kernel.Route) starlark.Value {
		if !k.Src.IsValid() {
			return starlark.None
		}
		return starlark.String(k.Src.String())
	},
}

// hopsOf is what a route says of its next hop, or the list of it where there are
// several.
func hopsOf(r *kernel.Route, of func(kernel.NextHop) string) starlark.Value {
	switch len(r.Hops) {
	case 0:
		return starlark.None
	case 1:
		return strOrNone(of(r.Hops[0]))
	}
	return listOf(r.Hops, func(h kernel.NextHop) starlark.Value { return strOrNone(of(h)) })
}

var routeMethods = []spec{{
	sig: "delete(route)", doc: routeDeleteDoc,
	run: func(c *call) (starlark.Value, error) {
		r := c.args[0].(*Route)
		if err := r.n.alive(); err != nil {
			return nil, err
		}
		sp := r.toSpec()
		if !r.n.owned() && !c.lab.Made(func(o op.Op) bool {
			a, ok := o.(*op.AddRoute)
			return ok && a.NS == sp.NS && a.Dst == sp.Dst && a.Table == sp.Table && a.Metric == sp.Metric
		}) {
			return nil, notOurs(r.n, fmt.Sprintf("the route %q", strings.TrimSpace(r.String())))
		}
		return nil, c.do(&op.DelRoute{RouteSpec: sp})
	},
}}

// toSpec describes the route as `ip route del` would.
func (r *Route) toSpec() op.RouteSpec {
	if r.spec != nil {
		return *r.spec
	}
	sp := op.RouteSpec{NS: r.n.name, Dst: "default", V6: r.r.Family == unix.AF_INET6, Metric: r.r.Metric, MTU: r.r.MTU}
	if r.r.Dst.IsValid() {
		sp.Dst = r.r.Dst.String()
	}
	if r.r.Table != abi.TableMain {
		sp.Table = r.r.Table
	}
	if r.r.Type != "unicast" {
		sp.Type = r.r.Type
	}
	for _, h := range r.r.Hops {
		if h.Via.IsValid() {
			sp.Via = append(sp.Via, h.Via.String())
			sp.Weight = append(sp.Weight, h.Weight)
		}
		if len(r.r.Hops) == 1 {
			sp.Dev = h.Dev
		}
	}
	if !slices.ContainsFunc(sp.Weight, func(w int) bool { return w != 1 }) {
		sp.Weight = nil
	}
	return sp
}

// AttrNames lists fields and methods.
func (r *Route) AttrNames() []string { return attrNames(routeFields, routeMethods) }

// Attr returns a field or a method.
func (r *Route) Attr(name string) (starlark.Value, error) {
	if f, ok := routeFields[name]; ok {
		k, err := r.read()
		if err != nil {
			return nil, err
		}
		return f(r, k), nil
	}
	if m := r.n.s.method(r, name, routeMethods); m != nil {
		return m, nil
	}
	return nil, noAttr(r, name)
}

// subnet is the source or destination of a rule: a network, an address, a Link
// or a Namespace.
func (c *call) subnet(ns *Namespace, name string, v starlark.Value) (p netip.Prefix, err error) {
	switch v := v.(type) {
	case nil:
		return netip.Prefix{}, nil
	case Network:
		return v.p, nil
	case starlark.String:
		if p, err := netip.ParsePrefix(string(v)); err == nil {
			return p.Masked(), nil
		}
	}
	ips, err := c.targets(ns, v)
	if err != nil {
		return p, &argError{name, err}
	}
	return netip.PrefixFrom(ips[0], ips[0].BitLen()), nil
}

// fwmark is a mark of packets: a number, or "0x10/0xff" with a mask.
type fwmark struct{ mark, mask uint32 }

func (f *fwmark) unpack(_ *Session, v starlark.Value) error {
	text := v.String()
	if s, ok := starlark.AsString(v); ok {
		text = s
	}
	mark, mask, masked := strings.Cut(text, "/")
	m, err := strconv.ParseUint(mark, 0, 32)
	f.mark = uint32(m)
	if err == nil && masked {
		m, err = strconv.ParseUint(mask, 0, 32)
		f.mask = uint32(m)
	}
	if err != nil {
		return want(`a number, or one with a mask such as "0x10/0xff"`, v)
	}
	return nil
}

// full is the mask, all ones where there is none.
func (f fwmark) full() uint32 {
	if f.mask == 0 {
		return ^uint32(0)
	}
	return f.mask
}

func rule(c *call) (starlark.Value, error) {
	var ns *Namespace
	var src, dst starlark.Value
	var iif, oif devName
	var mark fwmark
	var priority int
	var tab table
	if err := c.unpack(&ns, &src, &dst, &iif, &oif, &mark, &tab, &priority); err != nil {
		return nil, err
	}
	if tab == 0 {
		return nil, badArg("for example table = 100, and route(…, table = 100)", "missing argument \"table\": which routes shall be looked up?")
	}
	if c.given("priority") && (priority < 1 || priority > math.MaxUint32) {
		return nil, badArg("", "argument \"priority\": want a whole number from 1 to %d, got %d", math.MaxUint32, priority)
	}
	in, err := iif.in(ns, "iif")
	if err != nil {
		return nil, err
	}
	out, err := oif.in(ns, "oif")
	if err != nil {
		return nil, err
	}
	from, err := c.subnet(ns, "src", src)
	if err != nil {
		return nil, err
	}
	to, err := c.subnet(ns, "dst", dst)
	if err != nil {
		return nil, err
	}
	if from.IsValid() && to.IsValid() && from.Addr().Is4() != to.Addr().Is4() {
		return nil, badArg("", "%s and %s are not of one IP version", from, to)
	}
	families := []bool{false, true}
	switch {
	case from.IsValid():
		families = []bool{from.Addr().Is6()}
	case to.IsValid():
		families = []bool{to.Addr().Is6()}
	case !op.HasIPv6():
		families = families[:1]
	}
	var last op.RuleSpec
	for _, v6 := range families {
		sp := op.RuleSpec{NS: ns.name, V6: v6, IIF: in, OIF: out, Mark: mark.mark, Mask: mark.mask, Table: int(tab), Priority: priority}
		if from.IsValid() {
			sp.Src = from.String()
		}
		if to.IsValid() {
			sp.Dst = to.String()
		}
		o := &op.AddRule{RuleSpec: sp}
		if err := c.do(o); err != nil {
			return nil, err
		}
		last = o.RuleSpec
		priority = last.Priority // both families have the rule in one place
	}
	return &PolicyRule{n: ns, both: len(families) == 2, r: kernel.Rule{
		Priority: last.Priority, Family: map[bool]int{false: unix.AF_INET, true: unix.AF_INET6}[last.V6],
		Src: from, Dst: to, IIF: last.IIF, OIF: last.OIF, Mark: last.Mark, Mask: mark.full(), Table: last.Table,
	}}, nil
}

// PolicyRule is a rule of the routing policy database.
type PolicyRule struct {
	n    *Namespace
	r    kernel.Rule
	both bool // it stands for one of IPv4 and one of IPv6
}

var _ starlark.HasAttrs = (*PolicyRule)(nil)

func (r *PolicyRule) String() string        { return r.r.String() }
func (r *PolicyRule) Type() string          { return "PolicyRule" }
func (r *PolicyRule) Freeze()               {}
func (r *PolicyRule) Truth() starlark.Bool  { return true }
func (r *PolicyRule) Hash() (uint32, error) { return starlark.String(r.n.name + r.r.String()).Hash() }

var policyRuleFields = map[string]func(*PolicyRule) starlark.Value{
	"priority": func(r *PolicyRule) starlark.Value { return starlark.MakeInt(r.r.Priority) },
	"table":    func(r *PolicyRule) starlark.Value { return starlark.MakeInt(r.r.Table) },
	"src":      func(r *PolicyRule) starlark.Value { return prefixOrNone(r.r.Src) },
	"dst":      func(r *PolicyRule) starlark.Value { return prefixOrNone(r.r.Dst) },
	"iif":      func(r *PolicyRule) starlark.Value { return strOrNone(r.r.IIF) },
	"oif":      func(r *PolicyRule) starlark.Value { return strOrNone(r.r.OIF) },
	"fwmark":   func(r *PolicyRule) starlark.Value { return intOrNone(int(r.r.Mark)) },
	"ns":       func(r *PolicyRule) starlark.Value { return r.n },
}

func prefixOrNone(p netip.Prefix) starlark.Value {
	if !p.IsValid() {
		return starlark.None
	}
	return starlark.String(p.String())
}

var policyRuleMethods = []spec{{
	sig: "delete(rule)", doc: policyRuleDeleteDoc,
	run: func(c *call) (starlark.Value, error) {
		r := c.args[0].(*PolicyRule)
		if err := r.n.alive(); err != nil {
			return nil, err
		}
		if !r.n.owned() && !c.lab.Made(func(o op.Op) bool {
			a, ok := o.(*op.AddRule)
			return ok && a.NS == r.n.name && a.Priority == r.r.Priority
		}) {
			return nil, notOurs(r.n, fmt.Sprintf("the rule %q", r))
		}
		families := []bool{r.r.Family == unix.AF_INET6}
		if r.both {
			families = []bool{false, true}
		}
		for _, v6 := range families {
			sp := op.RuleSpec{NS: r.n.name, V6: v6, IIF: r.r.IIF, OIF: r.r.OIF, Mark: r.r.Mark, Mask: r.r.Mask, Table: r.r.Table, Priority: r.r.Priority}
			if r.r.Src.IsValid() {
				sp.Src = r.r.Src.String()
			}
			if r.r.Dst.IsValid() {
				sp.Dst = r.r.Dst.String()
			}
			if err := c.do(&op.DelRule{RuleSpec: sp}); err != nil {
				return nil, err
			}
		}
		return nil, nil
	},
}}

// AttrNames lists fields and methods.
func (r *PolicyRule) AttrNames() []string { return attrNames(policyRuleFields, policyRuleMethods) }

// Attr returns a field or a method.
func (r *PolicyRule) Attr(name string) (starlark.Value, error) {
	if f, ok := policyRuleFields[name]; ok {
		return f(r), nil
	}
	if m := r.n.s.method(r, name, policyRuleMethods); m != nil {
		return m, nil
	}
	return nil, noAttr(r, name)
}

const routeDoc = `
A route: where packets for a destination go.

dst (string | Network | Address): "default", or a network such as "10.0.2.0/24"
via (target | list[target]): the next hop, in a subnet of the namespace; a list shares the flows among several (ECMP)
weights (list[int], each 1 to 256): where via is a list, how many flows each next hop gets for those of the others; all alike where left out
dev (string | Link): the interface, where it does not follow from via
src (string | Address): the source address that own packets take
metric (int, 0 to 4294967295): of two routes to one network the lower wins
table (int | string): the routing table; None for main
type (string): unicast, blackhole (dropped in silence), unreachable, prohibit (both with an ICMP error) or throw (the next table decides)
mtu (int, 68 to 65535 bytes): the largest packet on this route
onlink (bool): via is on the link, although in none of its subnets
returns (Route): the route
errors: via is in no subnet of the namespace (the message lists them); there is such a route already; the interface is down
example:
    red, r1, blue = namespace("red"), namespace("r1", forward = True), namespace("blue")
    veth(red, r1, addr = "10.0.1.2/24", peer_addr = "10.0.1.1/24")
    veth(blue, r1, addr = "10.0.2.2/24", peer_addr = "10.0.2.1/24")
    print(route(red, "default", via = "10.0.1.1"))
    #> default via 10.0.1.1 dev eth0
    route(blue, "10.0.1.0/24", via = "10.0.2.1")
    print(ping(red, blue).received)
    #> 1
command: ip -n NS route add DST via VIA dev DEV
source: ip-route(8)
`

const ruleDoc = `
A policy-routing rule: packets that match look up another table.

src (string | Address | Network | Link | Namespace): the packet's source
dst (string | Address | Network | Link | Namespace): the packet's destination
iif (string | Link): the interface it came in by; "lo" for own packets
oif (string | Link): the interface that an own packet is bound to
fwmark (int | string): the mark that a firewall rule has set, or "mark/mask"
table (int | string): the table that is looked up
priority (int, 1 to 4294967295): lower ones are asked first; the kernel chooses where it is left out
returns (PolicyRule): the rule
errors: no table is given; there is such a rule already
example:
    red, r1 = namespace("red"), namespace("r1")
    veth(red, r1, addr = "10.0.1.2/24", peer_addr = "10.0.1.1/24")
    route(red, "default", via = "10.0.1.1", table = 100)
    print(rule(red, src = "10.0.1.2", table = 100, priority = 1000))
    #> 1000: from 10.0.1.2 lookup 100
command: ip -n NS rule add from SRC table TABLE
source: ip-rule(8)
`

const routeTypeDoc = `
A route, printed as "ip route" does.

dst (string): default or the network
via (string | None | list[string]): the next hop; a list where there are several
dev (string | None | list[string]): the interface
metric (int): of two routes to one network the lower wins
table (int): 254 is main, 255 local
type (string): unicast, blackhole, local …
mtu (int | None, bytes): the largest packet, where the route says
scope (string): global, link or host
protocol (string): who made it: kernel, boot, static …
src (string | None): the source address of own packets
ns (Namespace): whose route it is
source: ip-route(8)
`

const routeDeleteDoc = `
Deletes the route.

returns (None): nothing
errors: it is gone already; on the host, the lab did not make it
example:
    red, blue = namespace("red"), namespace("blue")
    veth(red, blue, addr = "10.0.0.1/24")
    r = route(red, "default", via = "10.0.0.2")
    r.delete()
    print("default" in [x.dst for x in red.routes])
    #> False
command: ip -n NS route del DST
source: ip-route(8)
`

const policyRuleDoc = `
A rule of the routing policy database, printed as "ip rule" does.

priority (int): lower ones are asked first
table (int): the table that it looks up: 254 is main, 255 local
src (string | None): the network that packets come from
dst (string | None): the network that packets go to
iif (string | None): the interface they came in by
oif (string | None): the interface that own packets are bound to
fwmark (int | None): the firewall's mark
ns (Namespace): whose rule it is
source: ip-rule(8)
`

const policyRuleDeleteDoc = `
Deletes the rule.

returns (None): nothing
errors: it is gone already; on the host, the lab did not make it
example:
    red = namespace("red")
    r = rule(red, src = "10.0.0.0/8", table = 100)
    r.delete()
    print(len([x for x in red.rules if x.table == 100]))
    #> 0
command: ip -n NS rule del priority PRIORITY
source: ip-rule(8)
`
