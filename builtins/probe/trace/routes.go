//go:build linux

package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/pattern"
)

// destination matches where a rule of DNAT sends packets.
var destination = pattern.Of(`--to-(?:destination|ports) (\[?[0-9a-fA-F.:]+\]?(?::[0-9]+)?)`)

// destinationOf reads the first address, and the port, of --to-destination, or the
// port of --to-ports.
func destinationOf(rule string) (netip.Addr, uint16, bool) {
	m := destination().FindStringSubmatch(rule)
	if m == nil {
		return netip.Addr{}, 0, false
	}
	if port, err := strconv.ParseUint(m[1], 10, 16); err == nil {
		return netip.Addr{}, uint16(port), true
	}
	if ap, err := netip.ParseAddrPort(m[1]); err == nil {
		return ap.Addr(), ap.Port(), true
	}
	a, err := netip.ParseAddr(strings.Trim(m[1], "[]"))
	return a, 0, err == nil
}

// unsent finds out why a packet never left the namespace that sends it.
func (a *analysis) unsent(s *space, c class) (*Death, error) {
	back := c == answer
	f := flow{dst: a.req.Target.WithZone("")}
	if a.id.proto != unix.IPPROTO_ICMP && a.id.proto != unix.IPPROTO_ICMPV6 {
		f.dport = a.req.Port
	}
	if back {
		f = a.answerFlow
	}
	mark := uint32(0)
	runs := s.sent(c, a.second)
	for _, r := range runs {
		d, err := s.decide(r, a.req.Rules)
		if err != nil {
			return nil, fmt.Errorf("namespace %q: %w", s.Name, err)
		}
		f, mark = r.pkt.flow(), r.mark
		a.ruling(&visit{space: s, seen: nil}, r, &d, back)
		if d.drops() {
			return a.filtered(s, r, &d, c), nil
		}
		if to, port, ok := destinationOf(d.rule); ok && d.target == "DNAT" && !back {
			f.src, f.dst = netip.Addr{}, to
			if port != 0 {
				f.dport = port
			}
		}
	}
	l := &routeLook{flow: f, query: kernel.RouteQuery{Dst: f.dst, Src: f.src, Mark: mark, Proto: a.id.proto, SrcPort: f.sport, DstPort: f.dport}}
	if zone := a.req.Target.Zone(); zone != "" && !back {
		for _, k := range s.links {
			if k.Name == zone {
				return a.leaving(s, l, k.Index, f.dst, c)
			}
		}
	}
	l.ask(s)
	if !l.asked {
		return a.unknown(s, c, f), nil
	}
	a.step(Step{Space: s.Name, Stage: "routing", Text: l.text(s), Back: back})
	if d := a.refused(s, l, c); d != nil {
		return d, nil
	}
	hop := l.answer.Via
	if !hop.IsValid() {
		hop = f.dst
	}
	return a.leaving(s, l, l.answer.Out, hop, c)
}

// refused is a death by routing: nil where there is a route.
func (a *analysis) refused(s *space, l *routeLook, c class) *Death {
	d := Death{flow: l.flow, Via: l.answer.Via}
	dst := l.query.Dst
	switch l.answer.Err {
	case 0:
		return nil
	case unix.ENETUNREACH:
		if down, ok := s.downFor(dst); ok {
			d.Reason, d.Dev = LinkDown, down
			d.Text = fmt.Sprintf("no way out of %s to %s: its interface %s is down", s.Name, dst, down)
			break
		}
		d.Reason, d.Text = NoRoute, fmt.Sprintf("no route in %s to %s", s.Name, dst)
	default:
		kind := map[unix.Errno]string{unix.EHOSTUNREACH: "unreachable", unix.EACCES: "prohibit", unix.EINVAL: "blackhole"}[l.answer.Err]
		if kind == "" {
			return nil
		}
		d.Reason = UnreachableRoute
		d.Text = fmt.Sprintf("a route of %s leads nowhere: %s %s", s.Name, kind, dst)
		d.MatchType = kind
		if m, kind, table, ok := s.rejecting(dst); ok {
			d.Match, d.MatchType = m, kind
			d.Text = fmt.Sprintf("a route of %s leads nowhere: %s", s.Name, rejection(m, kind, table))
		}
	}
	return a.death(s, c, d)
}

// downFor finds the interface that would lead to an address if it were up: one that
// has an address in its subnet, or the only one with an address.
func (s *space) downFor(dst netip.Addr) (name string, ok bool) {
	var down []kernel.Link
	up := 0
	for _, a := range s.addrs {
		l := s.links[a.Link]
		if l.Kind == "loopback" || a.Prefix.Addr().Is6() != dst.Is6() || a.Scope == "link" {
			continue
		}
		if l.Up() {
			up++
			continue
		}
		if a.Prefix.Contains(dst) {
			return s.lowest(l), true
		}
		down = append(down, l)
	}
	if up == 0 && len(down) > 0 {
		return s.lowest(down[0]), true
	}
	if len(s.addrs) == 0 || dst.Is6() { // IPv6 addresses go with the interface
		for _, l := range s.links {
			if fallback(&l) {
				continue
			}
			if l.Kind != "loopback" && !l.Up() && l.Master == 0 {
				down = append(down, l)
			} else if l.Kind != "loopback" {
				up++
			}
		}
		if up == 0 && len(down) > 0 {
			return s.lowest(down[0]), true
		}
	}
	return "", false
}

// lowest names the interface that has to be up first: that on which it stands, where
// this one is down too.
func (s *space) lowest(l kernel.Link) string {
	if low, ok := s.links[l.Peer]; ok && l.Kind != "veth" && l.PeerNetNS < 0 && !low.Up() {
		return s.lowest(low)
	}
	return l.Name
}

// fallback reports whether an interface is one that a module of tunnels puts into each
// namespace (net.core.fb_tunnels_only_for_init_net).
func fallback(l *kernel.Link) bool {
	return slices.Contains([]string{"tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0"}, l.Name)
}

// rejecting finds the route to an address that leads nowhere: the most specific one.
func (s *space) rejecting(dst netip.Addr) (m netip.Prefix, kind string, table int, ok bool) {
	routes, err := s.NS.AllRoutes()
	if err != nil {
		return m, "", 0, false
	}
	for _, r := range routes {
		if r.Type != "unreachable" && r.Type != "prohibit" && r.Type != "blackhole" || (r.Family == unix.AF_INET6) != dst.Is6() {
			continue
		}
		p := r.Dst
		if !p.IsValid() {
			p = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
			if dst.Is6() {
				p = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
			}
		}
		if p.Contains(dst) && (!ok || p.Bits() > m.Bits()) {
			m, kind, table, ok = p, r.Type, r.Table, true
		}
	}
	return m, kind, table, ok
}

// rejection prints such a route.
func rejection(m netip.Prefix, kind string, table int) string {
	text := kind + " " + m.String()
	if m.Bits() == 0 {
		text = kind + " default"
	}
	if table != unix.RT_TABLE_MAIN {
		text += ", table " + kernel.TableName(table)
	}
	return text
}
