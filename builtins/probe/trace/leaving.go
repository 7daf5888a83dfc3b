//go:build linux

package trace

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// The flags of an interface (netdevice(7)).
const lowerUp = 0x10000 // IFF_LOWER_UP: it has a carrier

// leaving is a death between routing and the interface.
func (a *analysis) leaving(s *space, l *routeLook, out int, hop netip.Addr, c class) (*Death, error) {
	k, ok := s.links[out]
	d := Death{Dev: k.Name, flow: l.flow, Via: l.answer.Via, In: s.name(l.query.In)}
	if !ok {
		return a.unknown(s, c, l.flow), nil
	}
	if d := a.disconnected(s, k, c, d); d != nil {
		return d, nil
	}
	if size := a.sizeOf(l); size > k.MTU && k.MTU > 0 {
		d.Reason, d.Size, d.MTU = FragNeeded, size, k.MTU
		d.Text = fmt.Sprintf("%d bytes are too many for %s of %s, whose MTU is %d", size, k.Name, s.Name, k.MTU)
		return a.death(s, c, d), nil
	}
	asked, answered, state := a.neighbour(s, out, hop)
	if state == "" && asked == 0 && a.neighborsFull() {
		d.Reason, d.Via = ARPFailed, hop
		d.Text = fmt.Sprintf("%s cannot ask who has %s: the kernel's table of neighbours, one for all namespaces of the machine, is full (net.ipv4.neigh.default.gc_thresh3)", s.Name, hop)
		return a.death(s, c, d), nil
	}
	if why := s.queued(out); why != "" && asked == 0 {
		d.Reason, d.Text = Unknown, fmt.Sprintf("%s did not send it by %s: %s", s.Name, k.Name, why)
		return a.death(s, c, d), nil
	}
	if asked > 0 && !answered || state == "FAILED" || state == "INCOMPLETE" {
		d.Reason, d.Via = ARPFailed, hop
		word := "ARP"
		if hop.Is6() {
			word = "neighbour discovery"
		}
		a.step(Step{Space: s.Name, Dev: k.Name, Stage: "neighbor", Text: fmt.Sprintf("%s: who has %s? asked %s", word, hop, times(max(asked, 1))), Back: c == answer})
		d.Text = fmt.Sprintf("nobody answers %s's %s for %s on %s", s.Name, word, hop, k.Name)
		if answered {
			d.Text = fmt.Sprintf("%s does not accept the answer to its %s for %s, which came in on %s", s.Name, word, hop, k.Name)
		}
		if dead := a.askedInVain(s, out, hop, c, d); dead != nil {
			return dead, nil
		}
		return a.death(s, c, d), nil
	}
	return a.unknown(s, c, l.flow), nil
}

// askedInVain finds an interface that is down on the way of the question for a
// next hop: a bridge, or the port that leads to whom it is.
func (a *analysis) askedInVain(s *space, out int, hop netip.Addr, c class, d Death) *Death {
	o, index := a.peer(s, out)
	if s.links[out].Kind == "bridge" {
		o, index = s, 0
	}
	for range a.spaces { // from bridge to bridge
		if o == nil {
			return nil
		}
		bridge, port := o.port(index)
		if index == 0 {
			bridge, port = o.links[out], true
		}
		if !port {
			return nil
		}
		d := Death{Dev: bridge.Name, flow: d.flow}
		if !bridge.Up() {
			return a.disconnected(o, bridge, c, d)
		}
		next := a.portTo(o, bridge, hop)
		if next == 0 {
			return nil
		}
		d.Dev = o.name(next)
		if dead := a.disconnected(o, o.links[next], c, d); dead != nil {
			return dead
		}
		if o, index = a.peer(o, next); o == nil || o.links[index].Master == 0 {
			return nil
		}
	}
	return nil
}

// queued says what the queueing disciplines of an interface may have done to a packet
// that was not seen to leave by it (they come before packet sockets), "" for nothing.
func (s *space) queued(out int) string {
	list, err := s.NS.Qdiscs(out)
	if err != nil {
		return ""
	}
	for _, q := range list {
		switch {
		case q.Waiting > 0:
			return fmt.Sprintf("it waits in the queue of %s", q.Kind)
		case q.Dropped > 0:
			return fmt.Sprintf("%s has dropped %s", q.Kind, packets(q.Dropped))
		}
	}
	return ""
}

func packets(n int) string {
	if n == 1 {
		return "a packet"
	}
	return fmt.Sprintf("%d packets", n)
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

// sizeOf is the packet's size with its IP header.
func (a *analysis) sizeOf(l *routeLook) int {
	if l.pkt != nil {
		return a.onWire(l.pkt)
	}
	if a.id.proto == unix.IPPROTO_TCP || a.sender.err != unix.EMSGSIZE {
		return 0
	}
	size := a.req.Size + lenUDP
	if a.id.v6 {
		return size + lenIPv6
	}
	return size + lenIPv4
}

// onWire is a packet's size as a cable carries it: the kernel cuts what TCP has
// handed over in one piece.
func (a *analysis) onWire(p *packet) int {
	if p.proto == unix.IPPROTO_TCP && len(a.forwardWay) > 0 {
		first := a.forwardWay[0]
		return min(p.size, first.space.links[first.index].MTU)
	}
	return p.size
}

// disconnected is a death at an interface that is down or has no carrier.
func (a *analysis) disconnected(s *space, k kernel.Link, c class, d Death) *Death {
	peer, index := a.peer(s, k.Index)
	other := ""
	if peer != nil {
		d.PeerSpace, d.PeerDev = peer.Name, peer.name(index)
		if end := peer.links[index]; !end.Up() {
			other = fmt.Sprintf(": its other end, %s of %s, is down", d.PeerDev, d.PeerSpace)
		}
	}
	switch {
	case !k.Up():
		d.Reason, d.Text = LinkDown, fmt.Sprintf("the interface %s of %s is down", k.Name, s.Name)
	case k.Flags&lowerUp == 0 && k.Kind != "loopback":
		if k.Kind == "bridge" {
			other = s.portsOf(k.Index)
		}
		d.Reason, d.Text = NoCarrier, fmt.Sprintf("the interface %s of %s has no carrier%s", k.Name, s.Name, other)
	default:
		return nil
	}
	return a.death(s, c, d)
}

// portsOf says why a bridge has no carrier.
func (s *space) portsOf(bridge int) string {
	for _, l := range s.links {
		if l.Master == bridge {
			return ": none of its ports has one"
		}
	}
	return ": it has no ports"
}

// neighbour says how often the next hop was asked for, whether an answer came, and what
// the neighbour table says.
func (a *analysis) neighbour(s *space, out int, hop netip.Addr) (asked int, answered bool, state string) {
	for _, x := range a.seen {
		if x.space != s || x.index != out || x.class != resolving {
			continue
		}
		switch {
		case x.out && x.arp != nil && !x.arp.reply && x.arp.target == hop, x.out && x.arp == nil && x.nd == hop && !x.ndMAC:
			asked++
		case !x.out && x.arp != nil && x.arp.reply && x.arp.sender == hop, !x.out && x.arp == nil && x.nd == hop && x.ndMAC:
			answered = true
		}
	}
	list, err := s.NS.Neighbors()
	if err != nil {
		return asked, answered, ""
	}
	for _, n := range list {
		if n.IP == hop.WithZone("") && n.Dev == s.name(out) {
			return asked, answered, n.State
		}
	}
	return asked, answered, ""
}

// onCable is a death between the two ends of a cable.
func (a *analysis) onCable(v *visit, end *sighting, c class) (*Death, error) {
	s, k := v.space, v.space.links[end.index]
	d := Death{Dev: k.Name, flow: end.flow()}
	if d := a.disconnected(s, k, c, d); d != nil {
		return d, nil
	}
	peer, index := a.peer(s, end.index)
	if peer == nil && k.Remote.IsValid() {
		return a.inTunnel(s, k, c, d)
	}
	if peer == nil {
		d.Reason, d.Text = Unknown, fmt.Sprintf("it left %s by %s, and no namespace of the lab is at the other end", s.Name, k.Name)
		return a.death(s, c, d), nil
	}
	p := peer.links[index]
	d.PeerSpace, d.PeerDev = s.Name, k.Name
	if size := a.onWire(end.packet); size > p.MTU {
		d.Dev, d.Reason, d.Size, d.MTU = p.Name, FragNeeded, size, p.MTU
		d.Text = fmt.Sprintf("%d bytes are too many for %s of %s, whose MTU is %d: the cable's other end, %s of %s, has %d", size, p.Name, peer.Name, p.MTU, k.Name, s.Name, k.MTU)
		return a.death(peer, c, d), nil
	}
	d.Reason, d.Text = Unknown, fmt.Sprintf("lost on the cable from %s of %s to %s of %s", k.Name, s.Name, p.Name, peer.Name)
	return a.death(s, c, d), nil
}

// inTunnel is a death of the packet that carries the one that left by a tunnel.
func (a *analysis) inTunnel(s *space, k kernel.Link, c class, d Death) (*Death, error) {
	l := &routeLook{query: kernel.RouteQuery{Dst: k.Remote}, flow: flow{src: k.Local, dst: k.Remote}}
	l.ask(s)
	if !l.asked {
		return a.unknown(s, c, d.flow), nil
	}
	a.step(Step{Space: s.Name, Stage: "routing", Text: "outside of the tunnel " + k.Name + ": " + l.text(s), Back: c == answer})
	if dead := a.refused(s, l, c); dead != nil {
		return dead, nil
	}
	if l.answer.Out == k.Index {
		d.Reason, d.Text = Unknown, fmt.Sprintf("the way of %s to %s, the other end of the tunnel %s, leads into the tunnel itself", s.Name, k.Remote, k.Name)
		return a.death(s, c, d), nil
	}
	hop := l.answer.Via
	if !hop.IsValid() {
		hop = k.Remote
	}
	dead, err := a.carried(c)
	if dead == nil && err == nil {
		dead, err = a.leaving(s, l, l.answer.Out, hop, c)
	}
	if dead != nil && (dead.Reason == Unknown || dead.Cause == Unknown) {
		dead.flow, dead.Text = d.flow, fmt.Sprintf("it left %s by the tunnel %s to %s, and did not come out of it", s.Name, k.Name, k.Remote)
		return a.otherEnd(k, c, dead), err
	}
	return dead, err
}

// otherEnd looks at the tunnel's other end: whether it is there, and up.
func (a *analysis) otherEnd(k kernel.Link, c class, dead *Death) *Death {
	if !k.Local.IsValid() || k.Local.IsUnspecified() {
		return dead // its packets come from whatever address the routing chooses
	}
	for _, o := range a.spaces {
		if o.load() != nil || !o.hasAddr(k.Remote) {
			continue
		}
		for _, end := range o.links {
			if end.Kind != k.Kind || end.Remote != k.Local && end.Remote.IsValid() && !end.Remote.IsUnspecified() || end.Local.IsValid() && !end.Local.IsUnspecified() && end.Local != k.Remote {
				continue
			}
			if !end.Remote.IsValid() || end.Remote.IsUnspecified() {
				continue // the module's own
			}
			if !end.Up() {
				return a.disconnected(o, end, c, Death{Dev: end.Name, flow: dead.flow})
			}
			return dead
		}
		dead.Text += fmt.Sprintf(": %s, which has that address, has no such tunnel to %s", o.Name, k.Local)
		return dead
	}
	return dead
}

// hopTo is the next hop for which a packet was sent into the network segment by
// which it came to a stay, who sent it and by which interface.
func (a *analysis) hopTo(v *visit) (hop netip.Addr, by *space, dev string) {
	if len(v.way) == 0 {
		return hop, nil, ""
	}
	list := visits(v.way)
	for i := len(list) - 1; i >= 0; i-- {
		o := &list[i]
		if o.first() == v.first() || o.last().at.After(v.first().at) {
			continue
		}
		out := o.departure()
		if out == nil {
			continue
		}
		f := out.flow()
		r, err := o.space.NS.LookupRoute(kernel.RouteQuery{Dst: f.dst})
		if err != nil || r.Err != 0 {
			return f.dst, o.space, o.space.name(out.index)
		}
		if hop = r.Via; !hop.IsValid() {
			hop = f.dst
		}
		return hop, o.space, o.space.name(out.index)
	}
	return hop, nil, ""
}

// carried finds the packet filter that has dropped a packet of a tunnel.
func (a *analysis) carried(c class) (*Death, error) {
	for _, s := range a.spaces {
		for _, r := range s.runs {
			if r.class != carrier {
				continue
			}
			d, err := s.decide(r, a.req.Rules)
			if err != nil {
				return nil, fmt.Errorf("namespace %q: %w", s.Name, err)
			}
			a.ruling(&visit{space: s}, r, &d, c == answer)
			if d.drops() {
				dead := a.filtered(s, r, &d, c)
				dead.Text = "the packet of the tunnel was " + dead.Text
				return dead, nil
			}
		}
	}
	return nil, nil
}

// neighborsFull reports whether there was no room for a neighbour meanwhile.
func (a *analysis) neighborsFull() bool {
	now, err := a.source.NS.NeighborTableFulls(a.req.Target.Is6())
	return err == nil && now > a.fulls
}
