//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nsscript/builtins/lab"
	"nsscript/builtins/op"
	"nsscript/builtins/picture"
)

// TestTortureTopologies builds random labs and holds the picture that their
// operations draw against what the kernel reports. NSSCRIPT_SEED repeats one.
func TestTortureTopologies(t *testing.T) {
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	t.Parallel()
	spec, err := json.Marshal(sweep{Lab: "topology"})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(inPrivateHost(t, 0, "TestInsideTopologies", string(spec))) {
		if _, said, ok := strings.Cut(line, "levels: "); ok {
			t.Log(strings.TrimSpace(said))
		}
	}
}

// TestInsideTopologies is the same in its private host.
func TestInsideTopologies(t *testing.T) {
	var s sweep
	if err := json.Unmarshal([]byte(insideOnly(t)), &s); err != nil {
		t.Fatal(err)
	}
	h := newPrivate(t, s)
	h.before = settled("")
	rounds := 12
	if torture() {
		rounds = 400
	}
	seed, err := strconv.ParseUint(os.Getenv("NSSCRIPT_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	} else {
		rounds = 1
	}
	ops := 0
	for i := range rounds {
		ops += h.topology(seed + uint64(i))
		if t.Failed() {
			return
		}
	}
	h.same("after the topologies", "")
	h.Logf("levels: %d random topologies of %d operations, the first of seed %d", rounds, ops, seed)
}

func (h *faultHost) topology(seed uint64) (ops int) {
	script := filepath.Join(h.TempDir(), "topology.star")
	text := randomLab(rand.New(rand.NewPCG(seed, seed)))
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		h.Fatal(err)
	}
	h.must("run", script)
	if h.Failed() {
		h.Fatalf("NSSCRIPT_SEED=%d\n%s", seed, text)
	}
	l, err := lab.Look("topology", lab.DefaultRegistry().Path("topology"), false)
	if err != nil {
		h.Fatal(err)
	}
	drawing := picture.New("topology", true)
	for _, e := range l.Entries() {
		if err := e.Op.Model(drawing); err != nil {
			h.Errorf("NSSCRIPT_SEED=%d: %T: %v\n%s", seed, e.Op, err, text)
		}
		ops++
	}
	report, err := lab.Describe(l)
	l.Close()
	if err != nil {
		h.Fatal(err)
	}
	if diff := cmp.Diff(drawn(drawing), reported(report)); diff != "" {
		h.Errorf("NSSCRIPT_SEED=%d: the operations say (-), the kernel says (+):\n%s\n%s", seed, diff, text)
	}
	h.must("down", "topology")
	return ops
}

// drawn and reported write a lab the same way, line by line.
func drawn(p *picture.Picture) []string {
	var lines []string
	for _, ns := range p.Namespaces {
		name := ns.Name
		lines = append(lines, "namespace "+name)
		for _, l := range ns.Links {
			if l.Kind == "loopback" {
				continue
			}
			master := ""
			if l.Master != nil {
				master = l.Master.Name
			}
			var addrs []string
			for _, a := range l.Addrs {
				addrs = append(addrs, a.Prefix.String())
			}
			lines = append(lines, linkLine(name, l.Name, l.Kind, master, l.MTU, addrs))
		}
		if name == op.Host {
			continue // a lab's routes of the host are not told from others
		}
		for _, r := range ns.Routes {
			dst := r.DstString()
			if r.Protocol == "kernel" || !strings.HasPrefix(dst, farV4) && !strings.HasPrefix(dst, farV6) {
				continue
			}
			kind, dev := "", ""
			if r.Type != "unicast" {
				kind = r.Type
			} else {
				dev = r.Hops[0].Dev
			}
			lines = append(lines, routeLine(name, dst, kind, dev))
		}
	}
	sort.Strings(lines)
	return lines
}

func reported(d *lab.Description) []string {
	var lines []string
	for _, ns := range d.Namespaces {
		lines = append(lines, "namespace "+ns.Name)
		for _, l := range ns.Links {
			addrs := slices.DeleteFunc(l.Addrs, func(a string) bool { return strings.HasPrefix(a, "fe80:") })
			lines = append(lines, linkLine(ns.Name, l.Name, l.Kind, l.Master, l.MTU, addrs))
		}
		for _, r := range ns.Routes {
			kind, dev := "", ""
			words := strings.Fields(r)
			if words[0] == "blackhole" {
				kind, words = words[0], words[1:]
			}
			if i := slices.Index(words, "dev"); i >= 0 {
				dev = words[i+1]
			}
			if strings.HasPrefix(words[0], farV4) || strings.HasPrefix(words[0], farV6) {
				lines = append(lines, routeLine(ns.Name, words[0], kind, dev))
			}
		}
	}
	sort.Strings(lines)
	return lines
}

func linkLine(ns, name, kind, master string, mtu int, addrs []string) string {
	if mtu == 0 {
		mtu = 1500
	}
	size := fmt.Sprint(mtu)
	if kind == "bridge" {
		size = "of its ports"
	}
	addrs = slices.Sorted(slices.Values(addrs))
	return fmt.Sprintf("%s %s: %s mtu %s in %q %v", ns, name, kind, size, master, addrs)
}

// The networks that routes of a random lab lead to.
const farV4, farV6 = "10.200.", "fd99:"

func routeLine(ns, dst, kind, dev string) string {
	if kind != "" {
		dev = kind
	}
	return fmt.Sprintf("%s route %s %s", ns, dst, dev)
}

// randomLab writes a lab that is valid: what it changes is there.
func randomLab(r *rand.Rand) string {
	g := &generator{Rand: r}
	g.line(`lab("topology")`)
	g.spaces = []string{"host"}
	for range 2 + g.IntN(4) {
		g.namespace()
	}
	for range 5 + g.IntN(25) {
		steps := []func(){g.namespace, g.bridge, g.cable, g.cable, g.cable, g.port, g.address, g.address, g.route, g.route, g.route, g.unroute, g.mtu, g.updown, g.sysctl, g.delete, g.move, g.deleteNamespace,
			g.rule, g.ecmp, g.secondary, g.unaddress, g.rename, g.mac, g.plainBridge, g.policy, g.firewall, g.firewall, g.nat, g.iptables,
			g.unrule, g.unfirewall, g.flush, g.ecmp6, g.gateway, g.detach, g.smallMTU, g.disableIPv6, g.forwarding, g.loopback, g.oneAddress,
			g.neighbor, g.resolver, g.shape, g.offload, g.isolate, g.process, g.macvlan, g.vxlan}
		steps[g.IntN(len(steps))]()
	}
	return g.text.String()
}

// generator keeps in mind what is there.
type generator struct {
	*rand.Rand
	text    strings.Builder
	spaces  []string
	links   []genLink // ends of cables
	bridges []genLink
	routes  []string // variables that hold them
	n       int
}

type genLink struct {
	ns, name, peerNS, peer string
	down                   bool
	diverted               bool // it can be no port
}

func (g *generator) line(format string, args ...any) { fmt.Fprintf(&g.text, format+"\n", args...) }

func (g *generator) next() int {
	g.n++
	return g.n
}

func (g *generator) space() string { return g.spaces[g.IntN(len(g.spaces))] }

func (g *generator) namespace() {
	name := fmt.Sprintf("n%d", g.next())
	g.line("%s = namespace(%q)", name, name)
	g.spaces = append(g.spaces, name)
}

func (g *generator) addr() string {
	i := g.next()
	if g.IntN(3) == 0 {
		return fmt.Sprintf("fd%02x::%x/64", i%250, i)
	}
	return fmt.Sprintf("10.%d.%d.1/24", i/250, i%250)
}

func (g *generator) bridge() {
	b := genLink{ns: g.space(), name: fmt.Sprintf("br%d", g.next())}
	g.line("%s = bridge(%q, ns = %s, addr = %q)", b.name, b.name, b.ns, g.addr())
	g.bridges = append(g.bridges, b)
}

func (g *generator) cable() {
	i := g.next()
	a := genLink{ns: g.space(), name: fmt.Sprintf("a%d", i)}
	b := genLink{ns: g.space(), name: fmt.Sprintf("b%d", i)}
	a.peerNS, a.peer, b.peerNS, b.peer = b.ns, b.name, a.ns, a.name
	g.line("veth(%s, %s, name = %q, peer = %q, addr = %q, mtu = %d)", a.ns, b.ns, a.name, b.name, g.addr(), 1280+g.IntN(8000))
	g.links = append(g.links, a, b)
}

func (g *generator) port() {
	if len(g.bridges) == 0 {
		return
	}
	b := g.bridges[g.IntN(len(g.bridges))]
	for _, l := range g.links {
		if l.ns == b.ns {
			if !l.diverted {
				g.line("%s.attach(%s.link(%q))", b.name, l.ns, l.name)
			}
			return
		}
	}
}

// some calls do with an end of a cable.
func (g *generator) some(do func(l genLink)) {
	if len(g.links) > 0 {
		do(g.links[g.IntN(len(g.links))])
	}
}

func (g *generator) address() {
	g.some(func(l genLink) { g.line("%s.link(%q).add_addr(%q)", l.ns, l.name, g.addr()) })
}

func (g *generator) mtu() {
	g.some(func(l genLink) { g.line("%s.link(%q).set(mtu = %d)", l.ns, l.name, 1280+g.IntN(8000)) })
}

func (g *generator) updown() {
	g.some(func(l genLink) {
		down := g.IntN(2) == 0
		g.line("%s.link(%q).%s()", l.ns, l.name, map[bool]string{true: "down", false: "up"}[down])
		for i := range g.links {
			if g.links[i].name == l.name {
				g.links[i].down = down
			}
		}
	})
}

func (g *generator) route() {
	i := g.next()
	dst := []string{fmt.Sprintf("%s%d.0/24", farV4, i), fmt.Sprintf("%s%x::/64", farV6, i)}[g.IntN(2)]
	if g.IntN(4) == 0 {
		g.line("route(%s, %q, type = \"blackhole\")", g.space(), dst)
		return
	}
	g.some(func(l genLink) {
		if l.down {
			return
		}
		if g.IntN(2) == 0 {
			g.line("%s.link(%q).add_addr(\"10.%d.%d.1/24\")", l.ns, l.name, 100+i/250, i%250)
			g.line("route(%s, \"%s%d.0/24\", via = \"10.%d.%d.9\")", l.ns, farV4, i, 100+i/250, i%250)
			return
		}
		g.line("route%d = route(%s, %q, dev = %q)", i, l.ns, dst, l.name)
		g.routes = append(g.routes, fmt.Sprintf("route%d", i))
	})
}

func (g *generator) unroute() {
	if len(g.routes) == 0 || !strings.Contains(g.last(), g.routes[len(g.routes)-1]+" =") {
		return // what has happened since may have taken it away
	}
	g.line("%s.delete()", g.routes[len(g.routes)-1])
	g.routes = g.routes[:len(g.routes)-1]
}

// last is the last line.
func (g *generator) last() string {
	lines := strings.Split(strings.TrimSpace(g.text.String()), "\n")
	return lines[len(lines)-1]
}

func (g *generator) sysctl() {
	g.line("%s.sysctl(\"net.ipv4.ip_forward\", %d)", g.space(), g.IntN(2))
}

func (g *generator) forget(match func(l genLink) bool) { g.links = slices.DeleteFunc(g.links, match) }

func (g *generator) delete() {
	g.some(func(l genLink) {
		g.line("%s.link(%q).delete()", l.ns, l.name)
		g.forget(func(o genLink) bool { return o.name == l.name || o.name == l.peer })
	})
}

func (g *generator) move() {
	g.some(func(l genLink) {
		to := g.space()
		if to == l.ns {
			return
		}
		g.line("%s.link(%q).move(%s)", l.ns, l.name, to)
		for i := range g.links {
			if g.links[i].name == l.name {
				g.links[i].ns = to
			}
			if g.links[i].peer == l.name {
				g.links[i].peerNS = to
			}
		}
	})
}

func (g *generator) deleteNamespace() {
	if len(g.spaces) < 3 {
		return
	}
	ns := g.spaces[1+g.IntN(len(g.spaces)-1)]
	g.line("%s.delete()", ns)
	g.spaces = slices.DeleteFunc(g.spaces, func(s string) bool { return s == ns })
	g.bridges = slices.DeleteFunc(g.bridges, func(b genLink) bool { return b.ns == ns })
	g.forget(func(l genLink) bool { return l.ns == ns || l.peerNS == ns })
}

func (g *generator) rule() {
	i := g.next()
	switch g.IntN(3) {
	case 0:
		g.line("rule(%s, src = \"10.%d.0.0/16\", table = %d)", g.space(), i%250, 100+i)
	case 1:
		g.line("rule(%s, fwmark = %d, table = %d, priority = %d)", g.space(), i, 100+i, 1000+i)
	default:
		g.line("rule(%s, dst = \"fd%02x::/32\", table = %d)", g.space(), i%250, 100+i)
	}
}

func (g *generator) ecmp() {
	i := g.next()
	g.some(func(l genLink) {
		if l.down {
			return
		}
		g.line("%s.link(%q).add_addr(\"10.%d.%d.1/24\")", l.ns, l.name, 150+i/250, i%250)
		g.line("route(%s, \"%s%d.0/24\", via = [\"10.%d.%d.8\", \"10.%d.%d.9\"], metric = %d)", l.ns, farV4, i, 150+i/250, i%250, 150+i/250, i%250, i)
	})
}

// secondary adds a second address of a subnet.
func (g *generator) secondary() {
	i := g.next()
	g.some(func(l genLink) {
		g.line("%s.link(%q).add_addr([\"10.%d.%d.1/24\", \"10.%d.%d.2/24\", \"10.%d.%d.3/32\"])", l.ns, l.name, 210+i/250, i%250, 210+i/250, i%250, 210+i/250, i%250)
	})
}

func (g *generator) unaddress() {
	i := g.next()
	g.some(func(l genLink) {
		addr := []string{fmt.Sprintf("10.220.%d.1/24", i), fmt.Sprintf("fdee:%x::1/64", i)}[g.IntN(2)]
		g.line("%s.link(%q).add_addr(%q)", l.ns, l.name, addr)
		if g.IntN(2) == 0 {
			g.line("%s.link(%q).del_addr(%q)", l.ns, l.name, addr)
		}
	})
}

func (g *generator) rename() {
	i := g.next()
	g.some(func(l genLink) {
		name := fmt.Sprintf("l%d", i)
		g.line("%s.link(%q).set(name = %q)", l.ns, l.name, name)
		for j := range g.links {
			if g.links[j].name == l.name {
				g.links[j].name = name
			}
			if g.links[j].peer == l.name {
				g.links[j].peer = name
			}
		}
	})
}

func (g *generator) mac() {
	i := g.next()
	g.some(func(l genLink) { g.line("%s.link(%q).set(mac = \"02:00:00:00:00:%02x\")", l.ns, l.name, i%250) })
}

// plainBridge makes a bridge without a port, which is down perhaps.
func (g *generator) plainBridge() {
	i := g.next()
	g.line("bridge(\"pb%d\", ns = %s, up = %s, mtu = %d)", i, g.space(), map[bool]string{true: "True", false: "False"}[g.IntN(2) == 0], 1280+g.IntN(5000))
}

func (g *generator) policy() {
	g.line("firewall.policy(%s, %s = %q)", g.space(), []string{"input", "forward", "output"}[g.IntN(3)], []string{"accept", "drop"}[g.IntN(2)])
}

func (g *generator) firewall() {
	what := []string{
		`src = "10.0.0.0/8", tcp = 80`, `tcp = [80, 443], comment = "web"`, `udp = "1000:2000", iface = "eth0"`, `icmp = True, limit = "5/minute"`,
		`established = True`, `dst = "2001:db8::/32"`, `proto = "gre", chain = "input"`, `out = "wan", chain = "output"`,
	}[g.IntN(8)]
	g.line("firewall.%s(%s, %s)", []string{"allow", "drop", "reject"}[g.IntN(3)], g.space(), what)
}

func (g *generator) nat() {
	g.line("nat."+[]string{
		`masquerade(%s, out = "wan")`, `masquerade(%s, src = "10.0.0.0/8")`, `snat(%s, "203.0.113.1", out = "wan")`,
		`dnat(%s, "10.0.1.10:8080", iface = "wan", tcp = 80)`, `redirect(%s, 8080, tcp = 80)`,
	}[g.IntN(5)], g.space())
}

func (g *generator) iptables() {
	i := g.next()
	ns := g.space()
	if ns == "host" {
		return
	}
	commands := []string{
		fmt.Sprintf("-N C%d", i), fmt.Sprintf("-A C%d -p tcp --dport 22 -j ACCEPT", i), fmt.Sprintf("-I FORWARD 1 -s 10.1.0.0/16,10.2.0.0/16 -j C%d", i),
	}
	if g.IntN(2) == 0 {
		g.line("iptables(%s, \"\"\"\n    # several\n    %s\n\"\"\")", ns, strings.Join(commands, "\n    "))
	} else {
		for _, c := range commands {
			g.line("iptables(%s, %q)", ns, c)
		}
	}
	switch g.IntN(4) {
	case 0:
		g.line("iptables(%s, \"-t mangle -A POSTROUTING -o wan -j MARK --set-mark %d\")", ns, i)
	case 1:
		g.line("iptables(%s, \"-D C%d 1\")", ns, i)
	case 2:
		g.line("iptables(%s, \"-R C%d 1 -p udp --dport 53 -j DROP\")", ns, i)
	}
}

// eachRandom calls hold with the text of random labs, so many where all is to be tried,
// until it is false. NSSCRIPT_SEED repeats one.
func eachRandom(t *testing.T, all int, hold func(text string) bool) {
	t.Helper()
	rounds := 6
	if torture() {
		rounds = all
	}
	seed, err := strconv.ParseUint(os.Getenv("NSSCRIPT_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	} else {
		rounds = 1
	}
	for i := range rounds {
		seed := seed + uint64(i)
		if !hold(randomLab(rand.New(rand.NewPCG(seed, seed)))) {
			t.Errorf("NSSCRIPT_SEED=%d", seed)
			return
		}
	}
	t.Logf("levels: %d random topologies, the first of seed %d", rounds, seed)
}

// writtenPlan writes a lab to a file of that name, and plans it; nil where the plan
// fails.
func writtenPlan(t *testing.T, name, text string) (file string, p *plan) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, name+".star")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := planOf(t.Context(), []string{file}, planOptions{}, io.Discard)
	if err != nil {
		t.Errorf("the plan fails: %v\n%s", err, text)
		return file, nil
	}
	return file, p
}
