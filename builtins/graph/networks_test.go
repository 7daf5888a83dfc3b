package graph

import (
	"fmt"
	"net/netip"
	"nsscript/builtins/kernel/abi"
	"strings"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// network builds a picture for a test.
type network struct{ *picture.Picture }

func newNetwork() network {
	return network{&picture.Picture{Lab: "test", Namespaces: []*picture.Namespace{
		{Name: picture.Host, Links: []*picture.Link{{Name: "lo", Kind: "loopback", MTU: 65536, Up: true}}},
	}}}
}

// ns is the namespace of that name, made where there is none.
func (n network) ns(name string) *picture.Namespace {
	for _, s := range n.Namespaces {
		if s.Name == name {
			return s
		}
	}
	s := &picture.Namespace{Name: name, Owned: true, Sysctls: map[string]string{}}
	n.Namespaces = append(n.Namespaces, s)
	n.link(s, "lo", "loopback").MTU = 65536
	return s
}

func (n network) link(s *picture.Namespace, name, kind string, addrs ...string) *picture.Link {
	l := &picture.Link{NS: s, Name: name, Kind: kind, Index: len(s.Links) + 1, MTU: 1500, Up: true}
	for _, a := range addrs {
		l.Addrs = append(l.Addrs, kernel.Addr{Prefix: netip.MustParsePrefix(a), Scope: "global"})
	}
	s.Links = append(s.Links, l)
	return l
}

// iface makes an end of a cable in a namespace, under the next free name.
func (n network) iface(name string, addrs ...string) *picture.Link {
	s := n.ns(name)
	k := 0
	for s.Link(fmt.Sprintf("eth%d", k)) != nil {
		k++
	}
	return n.link(s, fmt.Sprintf("eth%d", k), "veth", addrs...)
}

// cable joins two ends.
func (n network) cable(a, b *picture.Link) { a.Peer, b.Peer = b, a }

// join makes a cable between two namespaces.
func (n network) join(a, addrA, b, addrB string) {
	n.cable(n.iface(a, strings.Fields(addrA)...), n.iface(b, strings.Fields(addrB)...))
}

// plug makes a cable from a namespace to a bridge.
func (n network) plug(a, addr string, bridge *picture.Link) {
	end := n.iface(a, strings.Fields(addr)...)
	port := n.link(bridge.NS, a+"-"+end.Name, "veth")
	port.Master = bridge
	n.cable(end, port)
}

func (n network) forward(name string) { n.ns(name).Sysctls["net.ipv4.ip_forward"] = "1" }

func (n network) route(name, via string) {
	s := n.ns(name)
	s.Routes = append(s.Routes, kernel.Route{
		Family: unix.AF_INET, Type: "unicast", Table: abi.TableMain, Protocol: "boot", Scope: "global",
		Hops: []kernel.NextHop{{Via: netip.MustParseAddr(via), Dev: "eth0", Weight: 1}},
	})
}

func (n network) rules(name, table string, chains ...*picture.Chain) {
	s := n.ns(name)
	s.Tables = append(s.Tables, &picture.Table{Name: table, Chains: chains})
}

func star(count int) network {
	n := newNetwork()
	br := n.link(n.ns(picture.Host), "br0", "bridge")
	for i := range count {
		n.plug(fmt.Sprintf("h%d", i+1), fmt.Sprintf("10.0.%d.%d/16", (i+1)/250, (i+1)%250), br)
	}
	return n
}

func line(count int) network {
	n := newNetwork()
	for i := range count - 1 {
		n.join(fmt.Sprintf("r%d", i+1), fmt.Sprintf("10.0.%d.1/24", i), fmt.Sprintf("r%d", i+2), fmt.Sprintf("10.0.%d.2/24", i))
		n.forward(fmt.Sprintf("r%d", i+1))
	}
	return n
}

func ring(count int) network {
	n := newNetwork()
	for i := range count {
		n.join(fmt.Sprintf("r%d", i+1), fmt.Sprintf("10.0.%d.1/24", i), fmt.Sprintf("r%d", (i+1)%count+1), fmt.Sprintf("10.0.%d.2/24", i))
	}
	return n
}

func mesh(count int) network {
	n := newNetwork()
	for i := range count {
		for j := range i {
			n.join(fmt.Sprintf("m%d", j+1), fmt.Sprintf("10.%d.%d.1/30", i, j), fmt.Sprintf("m%d", i+1), fmt.Sprintf("10.%d.%d.2/30", i, j))
		}
	}
	return n
}

func tree(fan, depth int) network {
	n := newNetwork()
	var grow func(name string, depth int)
	grow = func(name string, depth int) {
		if depth == 0 {
			return
		}
		n.forward(name)
		for i := range fan {
			child := fmt.Sprintf("%s%c", name, 'a'+i)
			n.join(name, fmt.Sprintf("10.%d.%d.1/24", depth, i), child, fmt.Sprintf("10.%d.%d.2/24", depth, i))
			grow(child, depth-1)
		}
	}
	grow("n", depth)
	return n
}

func spineLeaf(spines, leaves, hosts int) network {
	n := newNetwork()
	for l := range leaves {
		leaf := fmt.Sprintf("leaf%d", l+1)
		for s := range spines {
			n.join(fmt.Sprintf("spine%d", s+1), fmt.Sprintf("10.%d.%d.0/31", s+1, l), leaf, fmt.Sprintf("10.%d.%d.1/31", s+1, l))
			n.forward(fmt.Sprintf("spine%d", s+1))
		}
		n.forward(leaf)
		for h := range hosts {
			n.join(leaf, fmt.Sprintf("192.168.%d.%d/30", l, 4*h+1), fmt.Sprintf("h%d", l*hosts+h+1), fmt.Sprintf("192.168.%d.%d/30", l, 4*h+2))
		}
	}
	return n
}

func threeTier() network {
	n := newNetwork()
	n.join("internet", "203.0.113.1/24", "fw", "203.0.113.2/24")
	n.join("fw", "10.0.1.1/24", "web", "10.0.1.10/24")
	n.join("fw", "10.0.2.1/24", "app", "10.0.2.10/24 fd00:2::10/64")
	n.join("fw", "10.0.3.1/24", "db", "10.0.3.10/24")
	n.forward("fw")
	for _, r := range [][2]string{{"web", "10.0.1.1"}, {"app", "10.0.2.1"}, {"db", "10.0.3.1"}} {
		n.route(r[0], r[1])
	}
	n.rules("fw", "nat", &picture.Chain{Name: "POSTROUTING", Policy: "ACCEPT", Rules: [][]string{{"-o", "eth0", "-j", "MASQUERADE"}}})
	n.rules("fw", "filter",
		&picture.Chain{Name: "INPUT", Policy: "ACCEPT"},
		&picture.Chain{Name: "FORWARD", Policy: "DROP", Rules: [][]string{
			{"-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"},
			{"-d", "10.0.1.10/32", "-p", "tcp", "-m", "tcp", "--dport", "80", "-j", "ACCEPT"},
			{"-s", "10.0.1.10/32", "-d", "10.0.2.10/32", "-p", "tcp", "-m", "tcp", "--dport", "8080", "-m", "comment", "--comment", "the web <asks> the \"app\"", "-j", "ACCEPT"},
		}})
	n.ns("web").Services = []string{"tcp 80"}
	n.ns("app").Services = []string{`nsscript serve --tcp 8080 --udp 53 --reply $'hello\n' --name app`, "nsscript serve dns --forward '. 9.9.9.9'"}
	n.ns("db").Services = []string{"postgres -D /var/lib/postgresql/data --port 5432"}
	return n
}

func docker() network {
	n := newNetwork()
	h := n.ns(picture.Host)
	h.Sysctls = map[string]string{"net.ipv4.ip_forward": "1"}
	out := n.link(h, "eth0", "veth", "192.0.2.10/24")
	n.cable(out, n.iface("internet", "192.0.2.1/24"))
	br := n.link(h, "docker0", "bridge", "172.17.0.1/16")
	for i, name := range []string{"nginx", "redis", "app"} {
		n.plug(name, fmt.Sprintf("172.17.0.%d/16", i+2), br)
		n.route(name, "172.17.0.1")
	}
	n.rules(picture.Host, "nat", &picture.Chain{Name: "POSTROUTING", Policy: "ACCEPT", Rules: [][]string{{"-s", "172.17.0.0/16", "!", "-o", "docker0", "-j", "MASQUERADE"}}})
	return n
}

func twoBridges() network {
	n := newNetwork()
	h := n.ns(picture.Host)
	a, b := n.link(h, "br0", "bridge"), n.link(h, "br1", "bridge")
	for i := range 3 {
		n.plug(fmt.Sprintf("a%d", i+1), fmt.Sprintf("10.0.0.%d/24", i+1), a)
		n.plug(fmt.Sprintf("b%d", i+1), fmt.Sprintf("10.0.1.%d/24", i+1), b)
	}
	n.plug("router", "10.0.0.254/24", a)
	n.plug("router", "10.0.1.254/24", b)
	n.forward("router")
	return n
}

// kinds has what is not a cable or a bridge, and what is not as usual.
func kinds() network {
	n := newNetwork()
	n.join("left", "10.0.0.1/24", "right", "10.0.0.2/24")
	l, r := n.ns("left"), n.ns("right")
	v := n.link(l, "eth0.10", "vlan", "10.10.0.1/24")
	v.Peer, v.Options = l.Link("eth0"), [][2]string{{"id", "10"}}
	n.link(l, "d0", "dummy", "192.0.2.1/32").MTU = 9000
	t := n.link(r, "vx0", "vxlan", "10.20.0.2/24")
	t.MTU, t.Options = 1450, [][2]string{{"id", "42"}, {"remote", "10.0.0.1"}, {"dstport", "4789"}}
	n.link(l, "lo2", "loopback", "10.255.0.1/32")
	m := n.link(n.ns("guest"), "mv0", "macvlan", "10.0.0.3/24")
	m.Peer, m.Options = r.Link("eth0"), [][2]string{{"mode", "bridge"}}
	n.join("left", "", "spare", "")
	n.ns("left").Link("eth1").Up = false
	sw := n.ns("sw")
	br := n.link(sw, "br0", "bridge", "10.1.0.1/24")
	br.Options = [][2]string{{"vlan_filtering", "1"}}
	n.plug("pc1", "10.1.0.2/24", br)
	n.plug("pc2", "10.1.0.3/24", br)
	n.cable(n.link(sw, "up0", "veth", "10.2.0.1/24"), n.iface("right", "10.2.0.2/24"))
	n.join("left", "10.9.0.1/24", "right", "10.9.0.2/24")
	n.ns("lonely")
	p := n.ns("loop")
	n.cable(n.link(p, "a", "veth", "10.5.0.1/24"), n.link(p, "b", "veth", "10.5.0.2/24"))
	return n
}

// tunnel is two routers with a VXLAN between them over a third, a bond and a VRF.
func tunnel() network {
	n := newNetwork()
	n.join("east", "192.0.2.1/30", "core", "192.0.2.2/30")
	n.join("core", "198.51.100.2/30", "west", "198.51.100.1/30")
	for i, s := range []string{"east", "west"} {
		n.forward(s)
		v := n.link(n.ns(s), "vx42", "vxlan", fmt.Sprintf("10.42.0.%d/24", i+1))
		v.MTU = 1450
		v.Options = [][2]string{{"id", "42"}, {"remote", []string{"198.51.100.1", "192.0.2.1"}[i]}, {"dstport", "4789"}}
		n.join(s, fmt.Sprintf("10.%d.0.1/24", i+1), "pc-"+s, fmt.Sprintf("10.%d.0.2/24", i+1))
	}
	n.forward("core")
	b := n.link(n.ns("server"), "bond0", "bond", "10.3.0.2/24")
	b.Options = [][2]string{{"mode", "active-backup"}}
	for range 2 {
		n.join("east", "", "server", "")
	}
	n.ns("server").Link("eth0").Master, n.ns("server").Link("eth1").Master = b, b
	f := n.link(n.ns("west"), "blue", "vrf")
	f.Options = [][2]string{{"table", "10"}}
	n.ns("west").Link("eth1").Master = f
	return n
}
