//go:build linux

package main

import "fmt"

func (g *generator) unrule() {
	i := g.next()
	ns := g.space()
	g.line("rule%d = rule(%s, src = \"10.%d.0.0/16\", table = %d, priority = %d)", i, ns, i%250, 100+i, 2000+i)
	g.line("rule(%s, iif = \"lo\", table = %d)", ns, 100+i)
	g.line("rule%d.delete()", i)
}

func (g *generator) unfirewall() {
	i := g.next()
	ns := g.space()
	g.line("drop%d = firewall.drop(%s, udp = %d)", i, ns, 1000+i)
	g.line("firewall.allow(%s, tcp = %d, src = [\"10.0.0.1\", \"10.0.0.2\"])", ns, 1000+i)
	g.line("drop%d.delete()", i)
}

func (g *generator) flush() {
	if ns := g.space(); ns != "host" {
		g.line("firewall.flush(%s, table = %q)", ns, []string{"filter", "nat"}[g.IntN(2)])
	}
}

func (g *generator) ecmp6() {
	i := g.next()
	g.some(func(l genLink) {
		if l.down {
			return
		}
		g.line("%s.link(%q).add_addr(\"fdcc:%x::1/64\")", l.ns, l.name, i)
		g.line("route(%s, \"%s%x::/64\", via = [\"fdcc:%x::8\", \"fdcc:%x::9\"], metric = %d)", l.ns, farV6, i, i, i, i)
	})
}

// gateway leads to a network by a router that is itself reached by a route, and takes
// the address on the way there away again perhaps.
func (g *generator) gateway() {
	i := g.next()
	g.some(func(l genLink) {
		if l.down {
			return
		}
		g.line("%s.link(%q).add_addr(\"10.%d.%d.1/24\")", l.ns, l.name, 230+i/250, i%250)
		g.line("route(%s, \"10.%d.%d.0/24\", dev = %q)", l.ns, 240+i/250, i%250, l.name)
		g.line("route(%s, \"%s%d.0/24\", via = \"10.%d.%d.7\", src = \"10.%d.%d.1\")", l.ns, farV4, i, 240+i/250, i%250, 230+i/250, i%250)
		if g.IntN(2) == 0 {
			g.line("%s.link(%q).del_addr(\"10.%d.%d.1/24\")", l.ns, l.name, 230+i/250, i%250)
		}
	})
}

// detach plugs a namespace in, and its cable out again perhaps.
func (g *generator) detach() {
	i := g.next()
	if len(g.bridges) == 0 {
		return
	}
	b := g.bridges[g.IntN(len(g.bridges))]
	l := genLink{ns: g.space(), name: fmt.Sprintf("a%d", i), peerNS: b.ns, peer: fmt.Sprintf("b%d", i)}
	g.line("%s.attach(%s, name = %q, peer = %q, mtu = %d)", b.name, l.ns, l.name, l.peer, 1280+g.IntN(3000))
	if g.IntN(2) == 0 {
		g.line("%s.detach(%s.link(%q))", b.name, b.ns, l.peer)
	}
	g.links = append(g.links, l)
}

// smallMTU makes an interface too small for IPv6 for a while.
func (g *generator) smallMTU() {
	g.some(func(l genLink) {
		g.line("%s.link(%q).set(mtu = %d)", l.ns, l.name, 600+g.IntN(600))
		g.line("%s.link(%q).set(mtu = 1500)", l.ns, l.name)
	})
}

// disableIPv6 switches IPv6 off for a while.
func (g *generator) disableIPv6() {
	ns, conf := g.space(), "all"
	if ns == "host" {
		return
	}
	g.some(func(l genLink) {
		if g.IntN(2) == 0 {
			ns, conf = l.ns, l.name
		}
	})
	g.line("%s.sysctl(\"net.ipv6.conf.%s.disable_ipv6\", 1)", ns, conf)
	g.line("%s.sysctl(\"net.ipv6.conf.%s.disable_ipv6\", 0)", ns, conf)
}

func (g *generator) forwarding() {
	g.some(func(l genLink) {
		g.line("%s.sysctl(\"net.ipv4.conf.%s.forwarding\", %d)", l.ns, l.name, g.IntN(2))
		if g.IntN(2) == 0 {
			g.line("%s.sysctl(\"net.ipv6.conf.all.forwarding\", %d)", l.ns, g.IntN(2))
		}
	})
}

func (g *generator) loopback() {
	i := g.next()
	if ns := g.space(); ns != "host" {
		g.line("%s.link(\"lo\").add_addr([\"192.168.%d.1/32\", \"127.%d.0.1/8\", \"fdab:%x::1/128\"])", ns, i%250, 1+i%250, i)
	}
}

// oneAddress takes the only address of a cable's end away, and with it what leads by it.
func (g *generator) oneAddress() {
	i := g.next()
	g.cable()
	l := g.links[len(g.links)-1]
	g.line("%s.link(%q).add_addr(\"10.%d.%d.1/24\")", l.ns, l.name, 190+i/250, i%250)
	g.line("route(%s, \"%s%d.0/24\", dev = %q)", l.ns, farV4, i, l.name)
	g.line("%s.link(%q).del_addr(\"10.%d.%d.1/24\")", l.ns, l.name, 190+i/250, i%250)
}

func (g *generator) neighbor() {
	i := g.next()
	g.some(func(l genLink) {
		if !l.down {
			g.line("neighbor(%s, \"10.249.%d.1\", \"02:00:00:00:01:%02x\", dev = %q)", l.ns, i%250, i%250, l.name)
		}
	})
}

func (g *generator) resolver() {
	if ns := g.space(); ns != "host" {
		g.line("resolver(%s, \"10.0.0.%d\", search = \"example\")", ns, 1+g.IntN(200))
	}
}

func (g *generator) shape() {
	g.some(func(l genLink) {
		g.line("%s.link(%q).shape(rate = \"%dmbit\")", l.ns, l.name, 1+g.IntN(100))
		if g.IntN(2) == 0 {
			g.line("%s.link(%q).unshape()", l.ns, l.name)
		}
	})
}

func (g *generator) offload() {
	g.some(func(l genLink) { g.line("%s.link(%q).offload(tso = False)", l.ns, l.name) })
}

// isolate makes a port that is told from others.
func (g *generator) isolate() {
	i := g.next()
	if len(g.bridges) > 0 {
		b := g.bridges[g.IntN(len(g.bridges))]
		g.line("%s.attach(%s, name = \"i%d\", isolated = True).peer.set(hairpin = True)", b.name, g.space(), i)
	}
}

func (g *generator) process() {
	i := g.next()
	ns := g.space()
	g.line("job%d = spawn(%s, \"sleep 30\")", i, ns)
	g.line("exec(%s, \"true\")", ns)
	g.line("job%d.stop()", i)
}

// macvlan stands on a new cable: it can stand on no port, nor can what it stands on
// become one.
func (g *generator) macvlan() {
	if lacks("macvlan") {
		return
	}
	i := g.next()
	g.cable()
	l := &g.links[len(g.links)-1]
	g.line("macvlan(%s.link(%q), %s, name = \"m%d\", addr = \"10.251.%d.1/24\")", l.ns, l.name, g.space(), i, i%250)
	l.diverted = true
}

func (g *generator) vxlan() {
	i := g.next()
	if !lacks("vxlan") {
		g.line("vxlan(%s, \"v%d\", %d, remote = \"192.0.2.1\", port = %d, addr = \"10.252.%d.1/24\")", g.space(), i, i, 5000+i, i%250)
	}
}
