package program

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"nsscript/builtins/picture"
)

// builders write the calls that make interfaces of the other kinds, but for what all
// have in common.
var builders = map[string]func(w *writer, l *picture.Link) call{
	"dummy":   (*writer).plain,
	"vlan":    (*writer).vlan,
	"macvlan": (*writer).upper,
	"ipvlan":  (*writer).upper,
	"vxlan":   (*writer).vxlan,
	"bond":    (*writer).bond,
	"vrf":     (*writer).vrf,
	"gre":     (*writer).tunnel, "gretap": (*writer).tunnel, "ipip": (*writer).tunnel, "sit": (*writer).tunnel, "vti": (*writer).tunnel,
	"ip6gre": (*writer).tunnel, "ip6gretap": (*writer).tunnel, "ip6tnl": (*writer).tunnel, "vti6": (*writer).tunnel,
}

// usualMTU is what the kernel gives an interface of a kind that stands on none.
var usualMTU = map[string]int{
	"dummy": 1500, "bond": 1500, "vrf": 65575, "gre": 1476, "gretap": 1462, "ipip": 1480, "sit": 1480, "vti": 1480,
	"ip6gre": 1448, "ip6gretap": 1434, "ip6tnl": 1452,
}

// others makes the interfaces that are no switches and no cables, each after those that
// it needs.
func (w *writer) others() {
	w.section("Other interfaces")
	var rest []*picture.Link
	for _, l := range w.sortedLinks() {
		if builders[l.Kind] != nil && w.why[l] == "" && !fallback[l.Name] {
			rest = append(rest, l)
		}
	}
	for len(rest) > 0 {
		waiting := slices.DeleteFunc(slices.Clone(rest), func(l *picture.Link) bool {
			if !w.ready(l) {
				return false
			}
			w.other(l)
			return true
		})
		if len(waiting) == len(rest) {
			for _, l := range rest {
				w.why[l] = "it and others depend on one another"
			}
			return
		}
		rest = waiting
	}
}

// ready reports whether all is there that an interface needs.
func (w *writer) ready(l *picture.Link) bool {
	if l.Peer != nil && !w.made[l.Peer] {
		return false
	}
	if l.Kind != "bond" && l.Kind != "vrf" {
		return true
	}
	return !slices.ContainsFunc(l.Ports(), func(p *picture.Link) bool { return w.why[p] == "" && !w.made[p] })
}

// other makes an interface, and makes it a port where it is one.
func (w *writer) other(l *picture.Link) {
	c := builders[l.Kind](w, l)
	plain, late := addresses(l)
	c.list("addr", plain)
	if takesMAC[l.Kind] {
		c.word("mac", l.MAC)
	}
	usual := usualMTU[l.Kind]
	if l.Peer != nil {
		usual = l.Peer.MTU
	}
	if l.Kind == "vxlan" {
		usual = vxlanMTU(l)
	}
	c.number("mtu", l.MTU, usual)
	if !w.begins(l) {
		c.named("up", "False")
	}
	text := c.String()
	if w.wanted(l) {
		w.vars[l] = w.names.take(l.Name, "link")
		text = w.vars[l] + " = " + text
	}
	w.line("%s", text)
	w.made[l] = true
	w.lateAddresses(l, late)
	if port(l) {
		w.line("%s.attach(%s)", w.ref(l.Master), w.ref(l))
	}
	w.asPort(l)
}

// takesMAC are the kinds whose link-layer address can be chosen.
var takesMAC = map[string]bool{"dummy": true, "vlan": true, "macvlan": true, "vxlan": true, "bond": true, "gretap": true, "ip6gretap": true}

// vxlanMTU is what the headers leave of the size of the device below.
func vxlanMTU(l *picture.Link) int {
	switch {
	case l.Peer == nil:
		return ethernetMTU
	case strings.Contains(l.Option("remote")+l.Option("local")+l.Option("group"), ":"):
		return l.Peer.MTU - 70
	}
	return l.Peer.MTU - 50
}

// plain is an interface with nothing of its own.
func (w *writer) plain(l *picture.Link) call {
	return call{l.Kind, []string{w.spaces[l.NS], quote(l.Name)}}
}

func (w *writer) vlan(l *picture.Link) call {
	c := call{"vlan", []string{w.ref(l.Peer), l.Option("id")}}
	if l.Name != l.Peer.Name+"."+l.Option("id") {
		c.word("name", l.Name)
	}
	if l.NS != l.Peer.NS {
		c.named("ns", w.spaces[l.NS])
	}
	c.word("protocol", strings.ToLower(l.Option("protocol")))
	return c
}

// upper is a second interface on another one, mostly in another namespace.
func (w *writer) upper(l *picture.Link) call {
	c := call{l.Kind, []string{w.ref(l.Peer), w.spaces[l.NS]}}
	c.word("name", l.Name)
	usual := map[string]string{"macvlan": "bridge", "ipvlan": "l2"}
	if mode := l.Option("mode"); mode != usual[l.Kind] {
		c.word("mode", mode)
	}
	c.word("flag", l.Option("flag"))
	return c
}

func (w *writer) vxlan(l *picture.Link) call {
	c := call{"vxlan", []string{w.spaces[l.NS], quote(l.Name), l.Option("id")}}
	c.word("remote", l.Option("remote")+l.Option("group"))
	c.word("local", l.Option("local"))
	w.over(&c, l)
	if port, err := strconv.Atoi(l.Option("dstport")); err == nil {
		c.number("port", port, 4789) // RFC 7348
	}
	if ttl := l.Option("ttl"); ttl != "" {
		c.named("ttl", ttl)
	}
	if l.Option("learning") == "0" {
		c.named("learning", "False")
	}
	return c
}

// over names the interface that a tunnel's packets leave by.
func (w *writer) over(c *call, l *picture.Link) {
	if l.Peer != nil {
		c.word("dev", l.Peer.Name)
	}
}

func (w *writer) bond(l *picture.Link) call {
	c := call{"bond", []string{w.spaces[l.NS], quote(l.Name), w.members(l)}}
	if mode := l.Option("mode"); mode != "balance-rr" {
		c.word("mode", mode)
	}
	if ms := l.Option("miimon"); ms == "0" {
		c.named("miimon", "0")
	} else if ms != "" && ms != "100" {
		c.word("miimon", ms+"ms")
	}
	c.word("lacp_rate", l.Option("lacp_rate"))
	c.word("xmit_hash_policy", l.Option("xmit_hash_policy"))
	return c
}

func (w *writer) vrf(l *picture.Link) call {
	c := call{"vrf", []string{w.spaces[l.NS], quote(l.Name), l.Option("table")}}
	if members := w.members(l); members != "[]" {
		c.named("members", members)
	}
	return c
}

// members are the interfaces that belong to another one.
func (w *writer) members(l *picture.Link) string {
	var refs []string
	for _, p := range l.Ports() {
		if w.why[p] == "" {
			refs = append(refs, w.ref(p))
		}
	}
	return "[" + strings.Join(refs, ", ") + "]"
}

func (w *writer) tunnel(l *picture.Link) call {
	c := call{"tunnel", []string{w.spaces[l.NS], quote(l.Name), quote(l.Kind), quote(l.Option("local")), quote(l.Option("remote"))}}
	for _, name := range []string{"ttl", "key"} {
		if v := l.Option(name); v != "" {
			c.named(name, fmt.Sprint(v))
		}
	}
	w.over(&c, l)
	return c
}
