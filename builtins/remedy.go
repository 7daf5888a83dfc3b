package builtins

import (
	"fmt"
	"net/netip"
	"nsscript/builtins/kernel/abi"
	"nsscript/builtins/pattern"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
	"nsscript/builtins/probe/trace"
)

// remedy is the line of a script that would mend what a probe died of, "" where
// there is none. Namespaces are called as the script calls them.
func (c *call) remedy(w *trace.Walk) (string, error) {
	d := w.Death
	if d == nil {
		return "", nil
	}
	reason := d.Reason
	if d.Back {
		reason = d.Cause
	}
	switch reason {
	case trace.FirewallDrop, trace.FirewallReject:
		return c.letThrough(d)
	case trace.NoRoute, trace.ARPFailed:
		return c.wayOn(d.Space, d.Dst)
	case trace.TTLExceeded:
		return c.outOfLoop(w)
	case trace.UnreachableRoute:
		return c.withoutRoute(d), nil
	case trace.LinkDown:
		return fmt.Sprintf("%s.up()", c.linkVar(d.Space, d.Dev)), nil
	case trace.NoCarrier:
		if d.PeerSpace == "" {
			return "", nil
		}
		return fmt.Sprintf("%s.up()", c.linkVar(d.PeerSpace, d.PeerDev)), nil
	case trace.ForwardingOff:
		return c.forwarder(d)
	case trace.RPFilter:
		return c.loosen(d)
	case trace.FragNeeded:
		return c.widen(d)
	case trace.NoListener:
		if d.Elsewhere {
			return "", nil
		}
		return c.listener(d), nil
	case trace.WrongHost:
		return c.rightHost(w, d)
	}
	return "", nil
}

// spaceVar is the variable by which the script calls a namespace.
func (c *call) spaceVar(name string) string {
	if name == op.Host {
		return "host"
	}
	if v, ok := c.variable(name); ok {
		return v
	}
	return identifier(name)
}

// identifier is a namespace's name as a variable may be called.
func identifier(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r == '@' || r == ':' {
			return '_'
		}
		return r
	}, name)
}

// variable finds the global name, or the place in a global list or dict, that holds
// a namespace.
func (c *call) variable(name string) (string, bool) {
	is := func(v starlark.Value) bool {
		n, ok := v.(*Namespace)
		return ok && n.name == name
	}
	globals := c.globals()
	if v := identifier(name); is(globals[v]) {
		return v, true
	}
	for _, k := range globals.Keys() {
		switch v := globals[k].(type) {
		case starlark.Indexable:
			for i := range v.Len() {
				if is(v.Index(i)) {
					return fmt.Sprintf("%s[%d]", k, i), true
				}
			}
		case *starlark.Dict:
			for _, item := range v.Items() {
				if is(item[1]) {
					return fmt.Sprintf("%s[%s]", k, item[0]), true
				}
			}
		}
	}
	// At last, since it may be a loop's, another one soon.
	for _, k := range globals.Keys() {
		if is(globals[k]) {
			return k, true
		}
	}
	return "", false
}

// globals are the names of the module that calls the builtin.
func (c *call) globals() starlark.StringDict {
	for depth := range c.thread.CallStackDepth() {
		if fn, ok := c.thread.DebugFrame(depth).Callable().(*starlark.Function); ok {
			return fn.Globals()
		}
	}
	return nil
}

func (c *call) linkVar(space, dev string) string {
	return fmt.Sprintf("%s.link(%q)", c.spaceVar(space), dev)
}

// sideOf is how a rule names one side of a flow: a namespace by its variable where
// the address is its own, and the address otherwise.
func (c *call) sideOf(a netip.Addr) string {
	if name := c.nameOf(a); name != "" {
		return c.spaceVar(name)
	}
	return fmt.Sprintf("%q", a)
}

// protoWords are the arguments of firewall.allow for a packet's protocol.
func protoWords(d *trace.Death) string {
	switch d.Proto {
	case unix.IPPROTO_TCP:
		return fmt.Sprintf("tcp = %d", d.DstPort)
	case unix.IPPROTO_UDP:
		return fmt.Sprintf("udp = %d", d.DstPort)
	}
	return "icmp = True"
}

// letThrough is the rule that would let the packet through.
func (c *call) letThrough(d *trace.Death) (string, error) {
	ns := c.spaceVar(d.Space)
	if d.Family != "" {
		return c.letThroughNft(d), nil
	}
	policy := d.Rule == 0 && d.Table == "filter" && !d.Gone
	stateful, err := c.letsAnswers(d)
	if err != nil {
		return "", err
	}
	if d.Back && policy && !stateful {
		text := fmt.Sprintf("firewall.allow(%s, established = True)", ns)
		if d.Chain != "FORWARD" {
			text = fmt.Sprintf("firewall.allow(%s, chain = %q, established = True)", ns, strings.ToLower(d.Chain))
		}
		return text, nil
	}
	if policy && !d.Back {
		words := []string{ns}
		if d.Chain != "FORWARD" {
			words = append(words, fmt.Sprintf("chain = %q", strings.ToLower(d.Chain)))
		}
		if d.Chain != "OUTPUT" {
			words = append(words, "src = "+c.sideOf(d.Src))
		}
		if d.Chain != "INPUT" {
			words = append(words, "dst = "+c.sideOf(d.Dst))
		}
		text := fmt.Sprintf("firewall.allow(%s)", strings.Join(append(words, protoWords(d)), ", "))
		if !stateful && d.Chain == "FORWARD" {
			text += fmt.Sprintf("; firewall.allow(%s, established = True)", ns)
		}
		return text, nil
	}
	program := "iptables"
	if d.Dst.Is6() {
		program = "ip6tables"
	}
	place := max(d.Rule, 1)
	args := []string{}
	if d.Table != "filter" {
		args = append(args, "-t", d.Table)
	}
	args = append(args, "-I", d.Chain, fmt.Sprint(place))
	port, number := "--dport", d.DstPort
	if d.Back {
		port, number = "--sport", d.SrcPort // the other one is another in each connection
	}
	line := func(src, dst netip.Addr, port string) string {
		words := append(slices.Clone(args), "-s", src.String(), "-d", dst.String())
		switch d.Proto {
		case unix.IPPROTO_TCP:
			words = append(words, "-p", "tcp", port, fmt.Sprint(number))
		case unix.IPPROTO_UDP:
			words = append(words, "-p", "udp", port, fmt.Sprint(number))
		case unix.IPPROTO_ICMP:
			words = append(words, "-p", "icmp")
		case unix.IPPROTO_ICMPV6:
			words = append(words, "-p", "ipv6-icmp")
		}
		return fmt.Sprintf("%s(%s, %q)", program, ns, strings.Join(append(words, "-j", "ACCEPT"), " "))
	}
	text := line(d.Src, d.Dst, port)
	if !d.Back && d.Hook == "FORWARD" && !oneWay().MatchString(d.RuleText) && !stateful {
		text += "; " + line(d.Dst, d.Src, "--sport") // the rule would drop the answer too
	}
	return text, nil
}

// oneWay matches the rules that only match packets of one direction.
var oneWay = pattern.Of(`(^|\s)(-s|-d|-i|-o|--[ds]ports?|--icmp-type|--icmpv6-type|--ctstate|--state|--syn|--tcp-flags)\s`)

// letThroughNft is the same as a rule of nft(8).
func (c *call) letThroughNft(d *trace.Death) string {
	version, proto := "ip", "ip protocol icmp"
	if d.Dst.Is6() {
		version, proto = "ip6", "meta l4proto ipv6-icmp"
	}
	port, number := "dport", d.DstPort
	if d.Back {
		port, number = "sport", d.SrcPort
	}
	switch d.Proto {
	case unix.IPPROTO_TCP:
		proto = fmt.Sprintf("tcp %s %d", port, number)
	case unix.IPPROTO_UDP:
		proto = fmt.Sprintf("udp %s %d", port, number)
	}
	if d.Family == "bridge" || d.Family == "netdev" { // which know no connections
		both := fmt.Sprintf("{ %s, %s }", d.Src, d.Dst)
		return fmt.Sprintf("exec(%s, %q)", c.spaceVar(d.Space),
			fmt.Sprintf("nft insert rule %s %s %s %s saddr %s %s daddr %s accept", d.Family, d.Table, d.Chain, version, both, version, both))
	}
	line := func(src, dst netip.Addr, proto string) string {
		return fmt.Sprintf("exec(%s, %q)", c.spaceVar(d.Space),
			fmt.Sprintf("nft insert rule %s %s %s %s saddr %s %s daddr %s %s accept", d.Family, d.Table, d.Chain, version, src, version, dst, proto))
	}
	text := line(d.Src, d.Dst, proto)
	if !d.Back && d.Hook == "FORWARD" { // and the answer
		text += "; " + line(d.Dst, d.Src, strings.Replace(proto, "dport", "sport", 1))
	}
	return text
}

// letsAnswers reports whether a chain has a rule for what belongs to a connection.
func (c *call) letsAnswers(d *trace.Death) (bool, error) {
	r := ruleReader{c: c}
	list, err := r.Rules(d.Space, d.Dst.Is6(), d.Legacy, d.Table)
	return slices.ContainsFunc(list, func(x kernel.ListedRule) bool {
		return x.Chain == d.Chain && strings.Contains(x.Text, "ESTABLISHED") && strings.Contains(x.Text, "ACCEPT")
	}), err
}

// step is the first step of the shortest way through the lab.
type step struct {
	via    netip.Addr   // the next namespace's address in the subnet that both share
	subnet netip.Prefix // the destination's
	direct bool         // it is in that subnet itself
}

// firstStep finds how a namespace could reach an address, by the subnets that the
// lab's namespaces share: the way that leads through the fewest, which forward.
func (c *call) firstStep(from string, dst netip.Addr) (s step, ok bool, err error) {
	type subnet struct {
		name string
		p    netip.Prefix
	}
	var all []subnet
	for _, name := range append(c.lab.System().Names(), op.Host) {
		if name == op.Host && !c.lab.Private() {
			continue
		}
		list, err := c.lab.Globals(name)
		if err != nil {
			return s, false, err
		}
		for _, p := range list {
			if p.Addr().Is6() == dst.Is6() {
				all = append(all, subnet{name, p})
			}
		}
	}
	owner, target := "", netip.Prefix{}
	for _, x := range all {
		if x.p.Addr() == dst {
			owner, target = x.name, x.p
		}
	}
	if owner == "" {
		return s, false, nil
	}
	s.subnet = target.Masked()
	// From the owner outward, so that the first to reach the sender tells the way.
	seen := map[string]bool{owner: true}
	layer := []string{owner}
	of := func(name string) (list []netip.Prefix) {
		for _, x := range all {
			if x.name == name {
				list = append(list, x.p)
			}
		}
		return list
	}
	for len(layer) > 0 {
		var next []string
		for _, name := range layer {
			for _, theirs := range of(name) {
				for _, x := range all {
					if seen[x.name] || x.p.Masked() != theirs.Masked() || x.p.Addr() == theirs.Addr() {
						continue
					}
					if x.name == from {
						s.via, s.direct = theirs.Addr(), name == owner && theirs.Addr() == dst
						return s, true, nil
					}
					seen[x.name] = true
					next = append(next, x.name)
				}
			}
		}
		layer = next
	}
	return s, false, nil
}

// wayOn is the route that is missing.
func (c *call) wayOn(space string, dst netip.Addr) (string, error) {
	s, ok, err := c.firstStep(space, dst)
	if err != nil || !ok || s.direct {
		return "", err
	}
	k, err := c.lab.System().NS(space)
	if err != nil {
		return "", err
	}
	routes, err := k.AllRoutes()
	if err != nil {
		return "", err
	}
	to := s.subnet
	if slices.ContainsFunc(routes, func(r kernel.Route) bool { return r.Dst == to && r.Table == abi.TableMain }) {
		to = netip.PrefixFrom(dst, dst.BitLen())
	}
	return fmt.Sprintf("route(%s, %q, via = %q)", c.spaceVar(space), prefixText(to), s.via), nil
}

func prefixText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// outOfLoop is a route for the router that sends packets the wrong way.
func (c *call) outOfLoop(w *trace.Walk) (string, error) {
	d := w.Death
	var tried []string
	for _, s := range w.Steps {
		if s.Stage != "routing" || slices.Contains(tried, s.Space) || s.Back != d.Back {
			continue
		}
		tried = append(tried, s.Space)
		right, ok, err := c.firstStep(s.Space, d.Dst)
		if err != nil || !ok {
			return "", err
		}
		k, err := c.lab.System().NS(s.Space)
		if err != nil {
			return "", err
		}
		now, err := k.LookupRoute(kernel.RouteQuery{Dst: d.Dst})
		if err != nil {
			return "", err
		}
		if !right.direct && now.Via != right.via {
			return c.wayOn(s.Space, d.Dst)
		}
	}
	return "", nil
}

// withoutRoute deletes the route that leads nowhere.
func (c *call) withoutRoute(d *trace.Death) string {
	if !d.Match.IsValid() {
		return ""
	}
	to := prefixText(d.Match)
	if d.Match.Bits() == 0 {
		to = "default"
	}
	return fmt.Sprintf("[r.delete() for r in %s.routes if r.type == %q and r.dst == %q]", c.spaceVar(d.Space), d.MatchType, to)
}

// forwarder turns forwarding on: of all interfaces, or of the one that is excepted.
func (c *call) forwarder(d *trace.Death) (string, error) {
	key := "net.ipv4.ip_forward"
	if d.Dst.Is6() {
		key = "net.ipv6.conf.all.forwarding"
	}
	k, err := c.lab.System().NS(d.Space)
	if err != nil {
		return "", err
	}
	on, err := k.ReadSysctl(key)
	if err != nil {
		return "", err
	}
	if on != "0" {
		key = "net.ipv4.conf." + d.In + ".forwarding"
	}
	return fmt.Sprintf("%s.sysctl(%q, 1)", c.spaceVar(d.Space), key), nil
}

// loosen has the reverse-path filter accept any interface, or gives it the way back
// that it misses.
func (c *call) loosen(d *trace.Death) (string, error) {
	k, err := c.lab.System().NS(d.Space)
	if err != nil {
		return "", err
	}
	back, err := k.LookupRoute(kernel.RouteQuery{Dst: d.Src})
	if err != nil {
		return "", err
	}
	if back.Err != 0 {
		return c.wayOn(d.Space, d.Src)
	}
	return fmt.Sprintf("%s.sysctl(\"net.ipv4.conf.all.rp_filter\", 2)", c.spaceVar(d.Space)), nil
}

// widen gives the interfaces of a cable the MTU that the packet needs.
func (c *call) widen(d *trace.Death) (string, error) {
	k, err := c.lab.System().NS(d.Space)
	if err != nil {
		return "", err
	}
	if l, err := k.Link(d.Dev); err == nil && l.Remote.IsValid() {
		return "", nil // a tunnel carries no more than what it goes through
	}
	links := []string{c.linkVar(d.Space, d.Dev)}
	if d.PeerSpace != "" {
		k, err := c.lab.System().NS(d.PeerSpace)
		if err != nil {
			return "", err
		}
		peer, err := k.Link(d.PeerDev)
		if err != nil {
			return "", err
		}
		if peer.MTU < d.Size {
			links = append(links, c.linkVar(d.PeerSpace, d.PeerDev))
		}
	}
	if len(links) == 1 {
		return fmt.Sprintf("%s.set(mtu = %d)", links[0], d.Size), nil
	}
	return fmt.Sprintf("[l.set(mtu = %d) for l in (%s)]", d.Size, strings.Join(links, ", ")), nil
}

// listener is the server that is missing.
func (c *call) listener(d *trace.Death) string {
	ns := c.spaceVar(d.Space)
	switch d.Proto {
	case unix.IPPROTO_TCP:
		return fmt.Sprintf("serve(%s, tcp = %d)", ns, d.DstPort)
	case unix.IPPROTO_UDP:
		return fmt.Sprintf("serve(%s, udp = %d)", ns, d.DstPort)
	case unix.IPPROTO_ICMPV6:
		return fmt.Sprintf("%s.sysctl(\"net.ipv6.icmp.echo_ignore_all\", 0)", ns)
	}
	return fmt.Sprintf("%s.sysctl(\"net.ipv4.icmp_echo_ignore_all\", 0)", ns)
}

// rightHost takes an address away from the host that has it too, or a wrong entry
// out of a neighbour table.
func (c *call) rightHost(w *trace.Walk, d *trace.Death) (string, error) {
	// Whoever sent it there knows a wrong MAC address.
	for i := len(w.Steps) - 1; i >= 0; i-- {
		s := w.Steps[i]
		if s.Space == d.Space || s.Dir != "out" {
			continue
		}
		k, err := c.lab.System().NS(s.Space)
		if err != nil {
			return "", err
		}
		list, err := k.Neighbors()
		if err != nil {
			return "", err
		}
		for _, n := range list {
			if n.Dev == s.Dev && (n.IP == d.Via || !d.Via.IsValid() && n.State == "PERMANENT") {
				return fmt.Sprintf("exec(%s, \"ip neigh del %s dev %s\")", c.spaceVar(s.Space), n.IP, n.Dev), nil
			}
		}
		l, err := k.Link(s.Dev)
		if err == nil && l.Flags&abi.LinkNoARP != 0 && l.Kind == "veth" {
			return fmt.Sprintf("exec(%s, \"ip link set %s arp on\")", c.spaceVar(s.Space), s.Dev), nil
		}
	}
	if d.Back || d.PeerSpace == "" || d.Via.IsValid() {
		return "", nil
	}
	k, err := c.lab.System().NS(d.Space)
	if err != nil {
		return "", err
	}
	addrs, err := k.Addrs(0)
	if err != nil {
		return "", err
	}
	for _, a := range addrs {
		if a.Prefix.Addr() == d.Dst {
			l, err := k.LinkByIndex(a.Link)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%s.del_addr(%q)", c.linkVar(d.Space, l.Name), a.Prefix), nil
		}
	}
	return "", nil
}
