package program

import (
	"fmt"
	"net/netip"
	"nsscript/builtins/kernel/abi"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// usualMetric6 is the metric of an IPv6 route that none is given for
// (IP6_RT_PRIO_USER).
const usualMetric6 = 1024

func (w *writer) routes() {
	w.section("Routes")
	for _, n := range w.p.Namespaces {
		var direct, via []kernel.Route
		for _, r := range n.Routes {
			switch {
			case r.Protocol == "kernel":
			case !w.leads(n, &r):
				w.omit("route of %s: %s", n.Name, r.String())
			case slices.ContainsFunc(r.Hops, func(h kernel.NextHop) bool { return h.Via.IsValid() }):
				via = append(via, r)
			default:
				direct = append(direct, r) // a router may be found by it
			}
		}
		for _, r := range slices.Concat(direct, via) {
			w.route(n, &r)
		}
	}
}

// leads reports whether the interfaces are there that a route leads over.
func (w *writer) leads(n *picture.Namespace, r *kernel.Route) bool {
	return !slices.ContainsFunc(r.Hops, func(h kernel.NextHop) bool {
		l := n.Link(h.Dev)
		return l == nil || !w.made[l]
	})
}

func (w *writer) route(n *picture.Namespace, r *kernel.Route) {
	c := call{"route", []string{w.spaces[n], quote(r.DstString())}}
	if !r.Dst.IsValid() && r.Family == unix.AF_INET6 && !viaKnown(r) {
		c.args[1] = quote("::/0")
	}
	var vias []string
	dev, implied := "", true
	onlink := r.Flags&abi.HopOnLink != 0
	sound := r.Scope == usualRouteScope(r) || r.Family == unix.AF_INET6
	for _, h := range r.Hops {
		onlink = onlink || h.Flags&abi.HopOnLink != 0
		sound = sound && (h.Via.IsValid() || len(r.Hops) == 1)
		if h.Via.IsValid() {
			vias = append(vias, h.Via.String())
		}
		if dev != "" && dev != h.Dev {
			sound = sound && impliedDev(n, h) // several ways over several interfaces
		}
		implied = implied && r.Table == abi.TableMain && impliedDev(n, h)
		dev = h.Dev
	}
	if len(r.Hops) > 1 && !implied {
		same := !slices.ContainsFunc(r.Hops, func(h kernel.NextHop) bool { return h.Dev != dev })
		sound = sound && same
	}
	if !sound {
		w.ipRoute(n, r)
		return
	}
	if len(vias) > 0 {
		c.list("via", vias)
	}
	c.weights(r.Hops)
	if dev != "" && !implied || len(vias) == 0 && dev != "" {
		c.word("dev", dev)
	}
	if r.Src.IsValid() {
		c.word("src", r.Src.String())
	}
	usual := 0
	if r.Family == unix.AF_INET6 {
		usual = usualMetric6
	}
	c.number("metric", r.Metric, usual)
	c.number("table", r.Table, abi.TableMain)
	if r.Type != "unicast" {
		c.word("type", r.Type)
	}
	c.number("mtu", r.MTU, 0)
	if onlink {
		c.named("onlink", "True")
	}
	note := ""
	if r.Protocol != "boot" && r.Protocol != "static" {
		note = "proto " + r.Protocol
	}
	w.line("%s", commented(c, note))
}

// weights adds how many flows each of several ways gets, where they are not alike.
func (c *call) weights(hops []kernel.NextHop) {
	list := make([]string, len(hops))
	for i, h := range hops {
		list[i] = fmt.Sprint(h.Weight)
	}
	if len(hops) > 1 && slices.ContainsFunc(hops, func(h kernel.NextHop) bool { return h.Weight != 1 }) {
		c.named("weights", "["+strings.Join(list, ", ")+"]")
	}
}

// viaKnown reports whether the way tells of which family a route is.
func viaKnown(r *kernel.Route) bool {
	return slices.ContainsFunc(r.Hops, func(h kernel.NextHop) bool { return h.Via.IsValid() })
}

// usualRouteScope is the scope of a route that none is given for (ip-route(8)).
func usualRouteScope(r *kernel.Route) string {
	if len(r.Hops) == 1 && !r.Hops[0].Via.IsValid() && r.Type == "unicast" {
		return "link"
	}
	return "global"
}

// impliedDev reports whether the router's address tells by which interface it is
// reached.
func impliedDev(n *picture.Namespace, h kernel.NextHop) bool {
	if !h.Via.IsValid() || h.Via.IsLinkLocalUnicast() {
		return false
	}
	best, dev, several := -1, "", false
	for _, l := range n.Links {
		for _, a := range l.Addrs {
			bits := a.Prefix.Bits()
			if !a.Prefix.Contains(h.Via) || !l.Up || bits < best || bits == a.Prefix.Addr().BitLen() {
				continue
			}
			several = bits == best && dev != l.Name
			best, dev = bits, l.Name
		}
	}
	l := n.Link(h.Dev)
	return dev == h.Dev && !several && l != nil && (l.Master == nil || l.Master.Kind != "vrf")
}

// ipRoute says in words of `ip route` what the builtin has none for.
func (w *writer) ipRoute(n *picture.Namespace, r *kernel.Route) {
	words := []string{"ip"}
	if r.Family == unix.AF_INET6 {
		words = append(words, "-6")
	}
	words = append(words, "route", "add")
	if r.Type != "unicast" {
		words = append(words, r.Type)
	}
	words = append(words, r.DstString())
	hop := func(h kernel.NextHop) {
		if h.Via.IsValid() {
			words = append(words, "via")
			if r.Family == unix.AF_INET && h.Via.Is6() {
				words = append(words, "inet6")
			}
			words = append(words, h.Via.String())
		}
		if h.Dev != "" {
			words = append(words, "dev", h.Dev)
		}
	}
	if len(r.Hops) == 1 {
		hop(r.Hops[0])
	}
	if r.Table != abi.TableMain {
		words = append(words, "table", fmt.Sprint(r.Table))
	}
	if r.Scope != usualRouteScope(r) && r.Family == unix.AF_INET {
		words = append(words, "scope", r.Scope)
	}
	if r.Src.IsValid() {
		words = append(words, "src", r.Src.String())
	}
	if r.Metric != 0 {
		words = append(words, "metric", fmt.Sprint(r.Metric))
	}
	if r.MTU != 0 {
		words = append(words, "mtu", fmt.Sprint(r.MTU))
	}
	if len(r.Hops) > 1 {
		for _, h := range r.Hops {
			words = append(words, "nexthop")
			hop(h)
			words = append(words, "weight", fmt.Sprint(h.Weight))
			if h.Flags&abi.HopOnLink != 0 {
				words = append(words, "onlink")
			}
		}
	} else if r.Flags&abi.HopOnLink != 0 {
		words = append(words, "onlink")
	}
	w.exec(n, words)
}

// automaticRule reports whether a policy rule is one that the kernel makes: the three
// of each namespace, and that for VRFs.
func automaticRule(r *kernel.Rule) bool {
	none := !r.Src.IsValid() && !r.Dst.IsValid() && r.Mark == 0 && r.IIF == "" && r.OIF == "" && r.Type == ""
	switch r.Priority {
	case 0:
		return none && r.Table == abi.TableLocal
	case 32766:
		return none && r.Table == abi.TableMain
	case 32767:
		return none && r.Table == abi.TableDefault
	case 1000:
		return none && r.Table == abi.TableUnspec
	}
	return false
}

func (w *writer) rules() {
	w.section("Policy routing")
	for _, n := range w.p.Namespaces {
		var rest []kernel.Rule
		for _, r := range n.Rules {
			if !automaticRule(&r) {
				rest = append(rest, r)
			}
		}
		for len(rest) > 0 {
			r := rest[0]
			rest = rest[1:]
			sound := r.Type == "" && !r.Invert && r.Priority > 0 && r.Table > 0
			if !r.Src.IsValid() && !r.Dst.IsValid() {
				// The builtin makes it for both IP versions.
				twin := r
				twin.Family = unix.AF_INET6
				i := slices.Index(rest, twin)
				if sound = sound && r.Family == unix.AF_INET && i >= 0; sound {
					rest = slices.Delete(rest, i, i+1)
				}
			}
			if sound {
				w.line("%s", w.rule(n, &r))
				continue
			}
			if r.Type == "goto" || r.Type == "nop" {
				w.omit("policy rule of %s: %s", n.Name, r.String())
				continue
			}
			w.exec(n, ipRule(&r))
		}
	}
}

func (w *writer) rule(n *picture.Namespace, r *kernel.Rule) call {
	c := call{"rule", []string{w.spaces[n]}}
	prefix := func(name string, p netip.Prefix) {
		if p.IsValid() {
			c.word(name, strings.TrimSuffix(p.String(), fmt.Sprintf("/%d", p.Addr().BitLen())))
		}
	}
	prefix("src", r.Src)
	prefix("dst", r.Dst)
	c.word("iif", r.IIF)
	c.word("oif", r.OIF)
	switch {
	case r.Mark != 0 && r.Mask != ^uint32(0):
		c.word("fwmark", fmt.Sprintf("%#x/%#x", r.Mark, r.Mask))
	case r.Mark != 0:
		c.named("fwmark", fmt.Sprint(r.Mark))
	}
	c.named("table", fmt.Sprint(r.Table))
	c.named("priority", fmt.Sprint(r.Priority))
	return c
}

// ipRule says in words of `ip rule` what the builtin has none for.
func ipRule(r *kernel.Rule) []string {
	words := []string{"ip"}
	if r.Family == unix.AF_INET6 {
		words = append(words, "-6")
	}
	words = append(words, "rule", "add", "priority", fmt.Sprint(r.Priority))
	_, text, _ := strings.Cut(r.String(), ": ")
	if r.Invert {
		_, text, _ = strings.Cut(r.String(), ":")
	}
	return append(words, strings.Fields(text)...)
}
