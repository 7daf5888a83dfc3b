package op

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"nsscript/builtins/kernel/abi"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// RouteSpec says which route (ip-route(8)).
type RouteSpec struct {
	NS     string   `json:"ns"`
	Dst    string   `json:"dst"` // "default" or a prefix
	V6     bool     `json:"v6,omitempty"`
	Via    []string `json:"via,omitempty"`    // gateways; several for ECMP
	Weight []int    `json:"weight,omitempty"` // of each gateway, 1 to 256; nil for all alike
	Dev    string   `json:"dev,omitempty"`
	Src    string   `json:"src,omitempty"`
	Metric int      `json:"metric,omitempty"`
	Table  int      `json:"table,omitempty"` // 0 for main
	Type   string   `json:"type,omitempty"`  // "" for unicast
	MTU    int      `json:"mtu,omitempty"`   // bytes
	OnLink bool     `json:"onlink,omitempty"`
}

// weight is that of the i-th gateway.
func (r *RouteSpec) weight(i int) int {
	if len(r.Weight) == 0 {
		return 1
	}
	return r.Weight[i]
}

func (r *RouteSpec) family() int {
	if r.V6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

// Words are those of `ip route add` after the verb.
func (r *RouteSpec) Words() []string {
	var w []string
	if r.Type != "" && r.Type != "unicast" {
		w = append(w, r.Type)
	}
	w = append(w, r.Dst)
	hop := func(via string) []string {
		var h []string
		if via != "" {
			h = append(h, "via")
			if ip, err := netip.ParseAddr(via); err == nil && ip.Is6() && !r.V6 {
				h = append(h, "inet6")
			}
			h = append(h, via)
		}
		if r.Dev != "" {
			h = append(h, "dev", r.Dev)
		}
		if r.OnLink {
			h = append(h, "onlink")
		}
		return h
	}
	if len(r.Via) <= 1 {
		w = append(w, hop(strings.Join(r.Via, ""))...)
	}
	if r.Table != 0 {
		w = append(w, "table", kernel.TableName(r.Table))
	}
	if r.Src != "" {
		w = append(w, "src", r.Src)
	}
	if r.Metric != 0 {
		w = append(w, "metric", fmt.Sprint(r.Metric))
	}
	if r.MTU != 0 {
		w = append(w, "mtu", fmt.Sprint(r.MTU))
	}
	if len(r.Via) > 1 {
		for i, v := range r.Via {
			w = append(w, "nexthop")
			w = append(w, hop(v)...)
			if len(r.Weight) > 0 {
				w = append(w, "weight", fmt.Sprint(r.Weight[i]))
			}
		}
	}
	return w
}

func (r *RouteSpec) command(verb string) string {
	words := append([]string{"route", verb}, r.Words()...)
	if r.V6 && r.Dst == "default" {
		return strings.Replace(ip(r.NS, words...), "ip ", "ip -6 ", 1)
	}
	return ip(r.NS, words...)
}

// pictured is the route in the kernel's terms.
func (r *RouteSpec) pictured() (kernel.Route, error) {
	k := kernel.Route{Family: r.family(), Type: r.Type, Metric: r.Metric, Table: r.Table, MTU: r.MTU, Scope: "global", Protocol: "boot"}
	if k.Type == "" {
		k.Type = "unicast"
	}
	if k.Table == 0 {
		k.Table = abi.TableMain
	}
	if r.Dst != "default" {
		p, err := netip.ParsePrefix(r.Dst)
		if err != nil {
			return k, &Error{Msg: fmt.Sprintf("%q is no network", r.Dst)}
		}
		if p.Bits() > 0 { // 0.0.0.0/0 and ::/0 are the default route
			k.Dst = p
		}
	}
	if r.Src != "" {
		k.Src, _ = netip.ParseAddr(r.Src)
	}
	flags := 0
	if r.OnLink {
		flags = abi.HopOnLink
	}
	for i, v := range r.Via {
		via, err := netip.ParseAddr(v)
		if err != nil {
			return k, &Error{Msg: fmt.Sprintf("%q is no address", v)}
		}
		k.Hops = append(k.Hops, kernel.NextHop{Via: via, Dev: r.Dev, Weight: r.weight(i), Flags: flags})
	}
	if len(r.Via) == 0 && k.Type == "unicast" {
		k.Hops = []kernel.NextHop{{Dev: r.Dev, Weight: 1, Flags: flags}}
		if !r.V6 {
			k.Scope = "link"
		}
	}
	return k, nil
}

// Find returns the namespace's routes that have the same destination, table
// and metric.
func (r *RouteSpec) Find(n kernel.Space) ([]kernel.Route, error) {
	all, err := n.AllRoutes()
	if err != nil {
		return nil, failed(err, "the routes of %s", quoteNS(r.NS))
	}
	table := r.Table
	if table == 0 {
		table = abi.TableMain
	}
	metric := r.Metric
	if metric == 0 && r.V6 {
		metric = 1024 // the kernel's default, IP6_RT_PRIO_USER
	}
	dst, _ := netip.ParsePrefix(r.Dst)
	if dst.Bits() == 0 {
		dst = netip.Prefix{} // 0.0.0.0/0 and ::/0 are the default route
	}
	return slices.DeleteFunc(all, func(k kernel.Route) bool {
		return k.Family != r.family() || k.Table != table || k.Metric != metric || k.Dst != dst
	}), nil
}

// AddRoute adds a route.
type AddRoute struct {
	RouteSpec
}

// Prepare sees to it that Undo can only remove what Do added.
func (o *AddRoute) Prepare(s *System) error {
	if s.Owned(o.NS) {
		return nil
	}
	n, err := s.Look(o.NS)
	if err != nil {
		return err
	}
	same, err := o.Find(n)
	if err != nil {
		return err
	}
	if len(same) > 0 {
		return o.exists(same)
	}
	return nil
}

func (o *AddRoute) exists(same []kernel.Route) error {
	e := &Error{Msg: fmt.Sprintf("%s already has a route to %s", quoteNS(o.NS), o.Dst), Err: unix.EEXIST, Mute: true, Untouched: true}
	if len(same) > 0 {
		e.Msg += ": " + same[0].String()
		e.Tip = "give this one another `metric` or `table`, or delete that one first"
	}
	return e
}

func (o *AddRoute) explain(n kernel.Space, err error) error {
	if errors.Is(err, unix.EEXIST) {
		same, _ := o.Find(n)
		return o.exists(same)
	}
	if len(o.Via) > 0 && o.Dev == "" && (o.OnLink || netip.MustParseAddr(o.Via[0]).IsLinkLocalUnicast() || strings.Contains(Reason(err), "Egress device not specified")) {
		return &Error{Msg: fmt.Sprintf("route to %s in %s: by which interface the gateway %s is reached cannot be told from its address", o.Dst, quoteNS(o.NS), o.Via[0]), Err: err, Mute: true,
			Tip: "give it with dev"}
	}
	if len(o.Via) > 0 && (errors.Is(err, unix.ENETUNREACH) || errors.Is(err, unix.EHOSTUNREACH) || errors.Is(err, unix.EINVAL)) {
		if via, where, down := o.strayGateway(n); down {
			return &Error{
				Msg: fmt.Sprintf("the interface by which %s reaches the gateway %s is down", quoteNS(o.NS), via), Err: err, Mute: true,
				Tip: where + "; bring it up with link.up()",
			}
		} else if via != "" {
			return &Error{
				Msg: fmt.Sprintf("the gateway %s is in no network that %s is connected to", via, quoteNS(o.NS)), Err: err,
				Tip: where,
			}
		}
	}
	if strings.Contains(Reason(err), "Invalid prefsrc address") {
		return &Error{Msg: fmt.Sprintf("route to %s in %s: %s is no address of this namespace", o.Dst, quoteNS(o.NS), o.Src), Err: err, Mute: true,
			Tip: "src is the address that packets leave with: one of its own"}
	}
	if errors.Is(err, unix.ENETDOWN) {
		return &Error{Msg: fmt.Sprintf("route to %s in %s: the interface is down", o.Dst, quoteNS(o.NS)), Err: err, Mute: true,
			Tip: "bring it up first: link.up()"}
	}
	return failed(err, "route to %s in %s", o.Dst, quoteNS(o.NS))
}

// strayGateway finds a gateway that is in none of the namespace's subnets, and
// says which subnets there are.
func (o *AddRoute) strayGateway(n kernel.Space) (via, where string, down bool) {
	links, err := n.Links()
	if err != nil {
		return "", "", false
	}
	addrs, err := n.Addrs(0)
	if err != nil {
		return "", "", false
	}
	var subnets []string
	for _, v := range o.Via {
		ip, err := netip.ParseAddr(v)
		if err != nil {
			return "", "", false
		}
		inside := false
		for _, a := range addrs {
			if a.Prefix.Addr().Is4() != ip.Is4() || a.Prefix.Addr().IsLoopback() {
				continue
			}
			// The kernel adds link-local ones when it comes to it; they lead to no other.
			if a.Prefix.Addr().IsLinkLocalUnicast() && !ip.IsLinkLocalUnicast() {
				continue
			}
			l := links[slices.IndexFunc(links, func(l kernel.Link) bool { return l.Index == a.Link })]
			state := ""
			if !l.Up() {
				state = ", which is down"
			} else {
				inside = inside || a.Prefix.Contains(ip) && a.Prefix.Addr() != ip
			}
			down = down || state != "" && a.Prefix.Contains(ip)
			if text := fmt.Sprintf("%s (%s%s)", a.Prefix.Masked(), l.Name, state); !slices.Contains(subnets, text) {
				subnets = append(subnets, text)
			}
		}
		if !inside {
			via = v
			break
		}
	}
	if via == "" {
		return "", "", false
	}
	if len(subnets) == 0 {
		return via, fmt.Sprintf("it has no IPv%d address yet: give an interface one with `addr` or link.add_addr()", ipVersion(via)), false
	}
	return via, "it is connected to " + strings.Join(subnets, ", "), down
}

// Commands is `ip route add`.
func (o *AddRoute) Commands() []string { return []string{o.command("add")} }

// Inside is the namespace.
func (o *AddRoute) Inside() []string { return []string{o.NS} }

// Model adds the route.
func (o *AddRoute) Model(p *picture.Picture) error {
	n, err := pictured(p, o.NS)
	if err != nil {
		return err
	}
	view := picture.View{Namespace: n}
	if o.Dev != "" && n.Link(o.Dev) == nil {
		return noLink(view, o.NS, o.Dev)
	}
	r, err := o.pictured()
	if err != nil {
		return err
	}
	if err := n.AddRoute(r); err != nil {
		return o.explain(view, err)
	}
	return nil
}

// DelRoute deletes a route.
type DelRoute struct {
	RouteSpec
}

// Undo does nothing: only the lab's own routes are deleted.
func (o *DelRoute) Undo(context.Context, *System) error { return nil }

// Commands is `ip route del`.
func (o *DelRoute) Commands() []string { return []string{o.command("del")} }

// Inside is the namespace.
func (o *DelRoute) Inside() []string { return []string{o.NS} }

func (o *DelRoute) missing(err error) error {
	return &Error{Msg: fmt.Sprintf("%s has no route to %s (any more)", quoteNS(o.NS), o.Dst), Err: err, Mute: true}
}

// Model removes the route.
func (o *DelRoute) Model(p *picture.Picture) error {
	n, err := pictured(p, o.NS)
	if err != nil {
		return err
	}
	r, err := o.pictured()
	if err != nil {
		return err
	}
	if err := n.DelRoute(r); err != nil {
		return o.missing(err)
	}
	return nil
}

// ipVersion is the number of the IP version of an address.
func ipVersion(addr string) int {
	if ip, err := netip.ParseAddr(addr); err == nil && ip.Is6() {
		return 6
	}
	return 4
}
