package graph

import (
	"slices"
	"strconv"
	"strings"

	"nsscript/builtins/picture"
)

// drawing is what is drawn.
type drawing struct {
	pic    *picture.Picture
	boxes  []*box
	cables []*cable
	track  *track // the way of a packet, nil for none
}

// box is a namespace, or a bridge of the host.
type box struct {
	ns     *picture.Namespace
	bridge *picture.Link // set for a bridge of the host that is a box of its own
	ports  []*port
	facts  []fact
	number int
}

// port is an interface.
type port struct {
	box   *box
	link  *picture.Link
	depth int    // how far below the bridge, or the device that it stands on
	cable *cable // its own, nil for none
	// cables are all that end here: its own, and those to devices in other namespaces
	// that stand on it.
	cables []*cable
}

// cable joins two ports: a pair of veth, a device and one that stands on it in another
// namespace, or the ends of a tunnel.
type cable struct {
	a, b   *port
	kind   string
	tunnel bool
	number int
}

func newDrawing(p *picture.Picture) *drawing {
	d := &drawing{pic: p}
	ports := map[*picture.Link]*port{}
	for _, n := range p.Namespaces {
		for _, b := range boxesOf(n) {
			b.number = len(d.boxes)
			d.boxes = append(d.boxes, b)
			for _, q := range b.ports {
				ports[q.link] = q
			}
		}
	}
	for _, b := range d.boxes {
		for _, q := range b.ports {
			if peer := ports[q.link.Peer]; peer != nil {
				d.join(q, peer)
			}
		}
	}
	d.tunnels()
	return d
}

// join draws what there is between a port and the one that its interface knows as its
// peer.
func (d *drawing) join(q, peer *port) {
	mutual := peer.link.Peer == q.link
	switch {
	case mutual && q.cable != nil: // it was seen from the other end
		return
	case mutual:
		q.cable = &cable{a: q, b: peer, kind: q.link.Kind}
		peer.cable = q.cable
	case peer.link.NS == q.link.NS: // it stands below that one
		return
	default:
		q.cable = &cable{a: peer, b: q, kind: q.link.Kind}
	}
	d.add(q.cable)
}

func (d *drawing) add(c *cable) {
	c.number = len(d.cables)
	c.a.cables, c.b.cables = append(c.a.cables, c), append(c.b.cables, c)
	d.cables = append(d.cables, c)
}

// tunnels joins the ends of tunnels: two of a kind, of which each has the other's
// address for the far one.
func (d *drawing) tunnels() {
	owner := map[string][]*picture.Namespace{}
	for _, n := range d.pic.Namespaces {
		for _, l := range n.Links {
			for _, p := range l.Global() {
				owner[p.Addr().String()] = append(owner[p.Addr().String()], n)
			}
		}
	}
	ends := map[string][]*port{} // by kind, and the far address
	end := func(p *port) string { return p.link.Kind + " " + p.link.Option("id") + " " + p.link.Option("remote") }
	for _, b := range d.boxes {
		for _, p := range b.ports {
			if p.link.Option("remote") != "" {
				ends[end(p)] = append(ends[end(p)], p)
			}
		}
	}
	joined := map[*port]bool{}
	for _, b := range d.boxes {
		for _, p := range b.ports {
			if q := d.farEnd(p, ends, owner); q != nil && !joined[p] && !joined[q] {
				joined[p], joined[q] = true, true
				d.add(&cable{a: p, b: q, kind: p.link.Kind, tunnel: true})
			}
		}
	}
}

// farEnd is the other end of a tunnel, nil for none.
func (d *drawing) farEnd(p *port, ends map[string][]*port, owner map[string][]*picture.Namespace) *port {
	remote := p.link.Option("remote")
	if remote == "" {
		return nil
	}
	for _, l := range p.box.ns.Links {
		for _, mine := range l.Global() {
			for _, q := range ends[p.link.Kind+" "+p.link.Option("id")+" "+mine.Addr().String()] {
				if q.box != p.box && slices.Contains(owner[remote], q.box.ns) {
					return q
				}
			}
		}
	}
	return nil
}

// boxesOf are the boxes of a namespace: one, but where the host is a place for bridges
// only, these are boxes instead of it.
func boxesOf(n *picture.Namespace) []*box {
	shown := slices.DeleteFunc(slices.Clone(n.Links), hidden)
	whole := &box{ns: n, facts: factsOf(n)}
	below(whole, shown, nil, 0)
	if n.Name != picture.Host {
		return []*box{whole}
	}
	if len(shown) == 0 && len(whole.facts) == 0 {
		return nil
	}
	addressed := 0
	for _, l := range shown {
		switch {
		case l.Kind == "bridge" && len(l.Global()) > 0:
			addressed++
		case l.Kind != "bridge" && (l.Master == nil || l.Master.Kind != "bridge"):
			return []*box{whole}
		}
	}
	if len(shown) == 0 || addressed > 1 || addressed > 0 && len(whole.facts) > 0 {
		return []*box{whole}
	}
	var list []*box
	for _, l := range shown {
		if l.Kind == "bridge" {
			b := &box{ns: n, bridge: l}
			if len(list) == 0 {
				b.facts = whole.facts
			}
			below(b, shown, l, 0)
			list = append(list, b)
		}
	}
	return list
}

// hidden reports whether an interface is not drawn: lo, where it has no address of its
// own.
func hidden(l *picture.Link) bool { return l.Kind == "loopback" && len(l.Global()) == 0 }

// below adds the interfaces that belong to on, or stand on it; nil stands for none.
func below(b *box, shown []*picture.Link, on *picture.Link, depth int) {
	for _, l := range shown {
		if lower(l) != on {
			continue
		}
		b.ports = append(b.ports, &port{box: b, link: l, depth: depth})
		if depth < 8 { // devices that stand on each other in a ring there are not
			below(b, shown, l, depth+1)
		}
	}
}

// lower is what an interface is shown below, in its namespace.
func lower(l *picture.Link) *picture.Link {
	switch {
	case l.Master != nil && l.Master.NS == l.NS:
		return l.Master
	case l.Peer != nil && l.Peer.NS == l.NS && l.Peer.Peer != l:
		return l.Peer
	}
	return nil
}

// name is what the box is called.
func (b *box) name() string {
	if b.bridge != nil {
		return plain(b.bridge.Name)
	}
	return plain(b.ns.Name)
}

// kind says what the box is, "" for a namespace.
func (b *box) kind() string {
	if b.bridge != nil {
		return "bridge"
	}
	return ""
}

// subtitle are the lines below the name of a bridge: its addresses, and what is
// unusual.
func (b *box) subtitle() []string {
	if b.bridge == nil {
		return nil
	}
	lines := addrsOf(b.bridge)
	if n := strings.TrimSpace(strings.TrimPrefix((&port{link: b.bridge}).note(), "bridge")); n != "" {
		lines = append(lines, n)
	}
	return lines
}

func (b *box) isHost() bool { return b.bridge == nil && b.ns.Name == picture.Host }

// routes reports whether the box forwards packets.
func (b *box) routes() bool {
	return slices.ContainsFunc(b.facts, func(f fact) bool { return f.kind == "router" })
}

// hover is what is shown of a box under the pointer: its routes.
func (b *box) hover() string {
	if b.bridge != nil {
		return b.name() + ", a bridge"
	}
	routes := routesOf(b.ns)
	if len(routes) == 0 {
		return b.name() + ": no routes but to its own networks"
	}
	return b.name() + ", routes:\n" + strings.Join(routes, "\n")
}

// key is a name that no other box has.
func (b *box) key() string {
	if b.bridge != nil {
		return b.ns.Name + "/" + b.bridge.Name
	}
	return b.ns.Name
}

// other is the far end of the port's own cable, nil where it has none.
func (p *port) other() *port {
	if p.cable == nil {
		return nil
	}
	return p.cable.other(p)
}

func (c *cable) other(p *port) *port {
	if c.a == p {
		return c.b
	}
	return c.a
}

func (p *port) name() string { return plain(p.link.Name) }

// String is the port by its names, to be found again.
func (p *port) String() string { return p.box.name() + ":" + p.name() }

// addrs are the addresses that are shown, each with the other end where it has one.
func (p *port) addrs() []string { return addrsOf(p.link) }

func addrsOf(l *picture.Link) []string {
	var list []string
	for _, a := range l.Addrs {
		if !a.Global() {
			continue
		}
		s := a.Prefix.String()
		if a.Peer.IsValid() && a.Peer != a.Prefix.Addr() {
			s += " peer " + a.Peer.String()
		}
		list = append(list, s)
	}
	return list
}

// note says what is unlike an ordinary interface: its kind, a size that is not the
// usual one, and that it is down.
func (p *port) note() string {
	words := []string{}
	if k := p.link.Kind; k != "veth" && k != "loopback" && (k != "device" || p.link.Name == "") {
		words = append(words, plain(k))
	}
	for _, o := range p.link.Options {
		words = append(words, strings.TrimSpace(plain(o[0])+" "+plain(o[1])))
	}
	if usual, ok := usualMTU[p.link.Kind]; ok && p.link.MTU != usual && p.link.MTU != 0 {
		words = append(words, "mtu "+strconv.Itoa(p.link.MTU))
	}
	if !p.link.Up {
		words = append(words, "down")
	}
	return strings.Join(words, " ")
}

// usualMTU are the sizes that need not be said, by the kinds of interfaces, in bytes:
// that of Ethernet, less what a tunnel adds.
var usualMTU = map[string]int{
	"veth": 1500, "bridge": 1500, "device": 1500, "dummy": 1500, "vlan": 1500, "macvlan": 1500, "ipvlan": 1500, "bond": 1500, "tun": 1500,
	"vxlan": 1450, "geneve": 1450, "gretap": 1462, "gre": 1476, "ipip": 1480, "sit": 1480, "wireguard": 1420,
}

// caption is the port in a line.
func (p *port) caption() string {
	words := append([]string{p.name()}, p.addrs()...)
	if n := p.note(); n != "" {
		words = append(words, "("+n+")")
	}
	return strings.Join(words, " ")
}

// down reports whether nothing passes for one of the ends is down.
func (c *cable) down() bool { return !c.a.link.Up || !c.b.link.Up }
