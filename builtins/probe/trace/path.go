//go:build linux

package trace

import (
	"net/netip"
	"slices"

	"nsscript/builtins/kernel"
)

// load reads what is needed of a namespace once the probe's time is over.
func (s *space) load() error {
	if s.links != nil {
		return nil
	}
	list, err := s.NS.Links()
	if err != nil {
		return err
	}
	s.links = map[int]kernel.Link{}
	for _, l := range list {
		s.links[l.Index] = l
	}
	s.addrs, err = s.NS.Addrs(0)
	return err
}

// grew reports whether one of the namespace's counters has grown. Counters that cannot be
// read any more tell nothing.
func (s *space) grew(name string) bool {
	if s.now == nil {
		s.before = s.counts.Counters()
		s.now, _ = s.NS.Counters(s.v6)
	}
	return s.now[name] > s.before[name]
}

// name is the name of an interface.
func (s *space) name(index int) string { return s.links[index].Name }

// port reports whether an interface is the port of a bridge in its namespace.
func (s *space) port(index int) (bridge kernel.Link, ok bool) {
	l := s.links[index]
	bridge, ok = s.links[l.Master]
	return bridge, ok && l.Master != 0 && bridge.Kind == "bridge"
}

// vrf is the index of the VRF that an interface belongs to, 0 for none.
func (s *space) vrf(index int) int {
	if m := s.links[index].Master; s.links[m].Kind == "vrf" {
		return m
	}
	return 0
}

// peer finds the other end of a cable.
func (t *tracing) peer(s *space, index int) (*space, int) {
	l, ok := s.links[index]
	if !ok || l.Kind != "veth" || l.Peer == 0 {
		return nil, 0
	}
	o := t.neighbourSpace(s, &l)
	if o == nil || o.load() != nil {
		return nil, 0
	}
	if p, ok := o.links[l.Peer]; ok && p.Kind == "veth" && p.Peer == l.Index {
		return o, l.Peer
	}
	return nil, 0
}

// netnsID is the number by which one namespace knows another.
type netnsID struct {
	of *space
	id int
}

// neighbourSpace finds the namespace that an interface's other end lives in.
func (t *tracing) neighbourSpace(s *space, l *kernel.Link) *space {
	if l.PeerNetNS < 0 {
		return s
	}
	key := netnsID{s, l.PeerNetNS}
	if o, ok := t.known[key]; ok {
		return o
	}
	for _, o := range t.spaces {
		if s.NS.PeerIn(l, o.NS) {
			t.known[key] = o
			return o
		}
	}
	return nil
}

// chosen are the sightings of one kind of packet, each of the first such packet
// only: one that is sent again does not count.
func chosen(all []*sighting, c class, second bool) []*sighting {
	type place struct {
		space *space
		index int
		out   bool
		ttl   uint8
		vlan  int
		part  int
	}
	seen := map[place]bool{}
	var list []*sighting
	for _, s := range all {
		at := place{s.space, s.index, s.out, s.ttl, s.vlan, s.offset}
		if s.class != c || s.second != second || seen[at] || s.shownAgain(list) {
			continue
		}
		seen[at] = true
		list = append(list, s)
	}
	return list
}

// shownAgain reports whether a VRF shows what one of its interfaces has taken in: as
// sent, and only while somebody listens on it alone.
func (s *sighting) shownAgain(before []*sighting) bool {
	return s.out && s.space.links[s.index].Kind == "vrf" && slices.ContainsFunc(before, func(b *sighting) bool {
		return b.space == s.space && !b.out && b.ttl == s.ttl && b.space.links[b.index].Master == s.index
	})
}

// path is the way of one packet: from its sender to where it was seen last. Side
// ways, such as the copies of a frame that a bridge floods, are left out.
func (t *tracing) path(list []*sighting) []*sighting {
	if len(list) == 0 {
		return nil
	}
	// What comes up to an interface in another namespace keeps its time stamp.
	for i := range list {
		for j := i + 1; j < len(list) && list[j].at.Equal(list[i].at); j++ {
			if !list[i].out && !list[j].out && t.above(list[i], list[j]) {
				list[i], list[j] = list[j], list[i]
			}
		}
	}
	parents := make([]int, len(list))
	children := make([]int, len(list))
	for i, s := range list {
		parents[i] = t.parent(list[:i], s)
		if parents[i] >= 0 {
			children[parents[i]]++
		}
	}
	end, best := -1, -1
	for i, s := range list {
		if children[i] > 0 {
			continue
		}
		if r := rank(s); r >= best {
			end, best = i, r
		}
	}
	var way []*sighting
	for i := end; i >= 0; i = parents[i] {
		way = append(way, list[i])
	}
	slices.Reverse(way)
	return way
}

// rank says how much a packet that was seen nowhere after is the one that is
// followed: a copy that reached a host for which it was not meant is none.
func rank(s *sighting) int {
	_, port := s.space.port(s.index)
	switch {
	case !s.out && !port && s.others:
		return 0
	case s.out || port:
		return 1
	}
	return 2
}

// parent finds where a packet was seen before it was seen there.
func (t *tracing) parent(before []*sighting, s *sighting) int {
	l := s.space.links[s.index]
	for i := len(before) - 1; i >= 0; i-- {
		b := before[i]
		switch {
		case s.out && b.out && b.space != s.space && b.ttl == s.ttl && t.above(b, s), !s.out && !b.out && b.space != s.space && b.ttl == s.ttl && t.above(s, b):
			return i
		case s.out && b.space == s.space:
			if b.ttl == s.ttl || !b.out && b.ttl == s.ttl+1 {
				return i
			}
		case !s.out && b.out:
			if b.ttl == s.ttl && (t.joined(b, s) || b.space != s.space && t.above(b, s)) {
				return i
			}
		case !s.out && b.space == s.space && b.ttl == s.ttl && b.index != s.index:
			// From an interface to the one above: a bridge, a VLAN, a bond.
			low := b.space.links[b.index]
			if low.Master == s.index || l.PeerNetNS < 0 && l.Peer == b.index {
				return i
			}
		}
	}
	if s.out {
		// Somebody changed the hop limit on the way.
		for i := len(before) - 1; i >= 0; i-- {
			if b := before[i]; b.space == s.space && !b.out && b.ttl < s.ttl {
				return i
			}
		}
	}
	return -1
}

// above reports whether one interface is above the other, which is in another
// namespace: a macvlan, ipvlan or VLAN that was moved.
func (t *tracing) above(high, low *sighting) bool {
	h := high.space.links[high.index]
	return h.Kind != "veth" && h.Peer == low.index && h.PeerNetNS >= 0 && t.neighbourSpace(high.space, &h) == low.space
}

// joined reports whether what leaves by one interface comes in by the other.
func (t *tracing) joined(out, in *sighting) bool {
	a, b := out.space.links[out.index], in.space.links[in.index]
	switch a.Kind {
	case "loopback":
		return out.space == in.space && out.index == in.index
	case "veth":
		if a.Peer != b.Index || b.Peer != a.Index || b.Kind != "veth" {
			return false
		}
		s, i := t.peer(out.space, out.index)
		return s == in.space && i == in.index
	case "bridge":
		return out.space == in.space && out.index == in.index
	}
	return a.Kind == b.Kind && out.space != in.space // a tunnel
}

// visit is a packet's stay in one namespace.
type visit struct {
	space *space
	seen  []*sighting
	way   []*sighting // the whole path that it is a part of
	// beneath tells that it only passed an interface on which another namespace's
	// stands, and not the namespace's IP.
	beneath bool
}

// visits cuts a path where it passes from one namespace to the next, or comes
// back into the same by a cable.
func visits(path []*sighting) []visit {
	var list []visit
	for i, s := range path {
		if i == 0 || s.space != path[i-1].space || path[i-1].out && !s.out {
			v := visit{space: s.space, way: path}
			if i > 0 && path[i-1].out == s.out {
				if s.out {
					v.beneath = true
				} else {
					list[len(list)-1].beneath = true
				}
			}
			list = append(list, v)
		}
		v := &list[len(list)-1]
		v.seen = append(v.seen, s)
	}
	return list
}

func (v *visit) first() *sighting { return v.seen[0] }
func (v *visit) last() *sighting  { return v.seen[len(v.seen)-1] }

// arrival is the interface by which the namespace's own IP took the packet in; nil
// where it only went through a bridge, or was sent from here.
func (v *visit) arrival() *sighting {
	if v.beneath {
		return nil
	}
	for i := len(v.seen) - 1; i >= 0; i-- {
		s := v.seen[i]
		if s.out {
			continue
		}
		if _, port := s.space.port(s.index); port {
			return nil
		}
		return s
	}
	return nil
}

// departure is the interface by which the namespace's own IP sent the packet; nil
// where it did not, or only bridged it.
func (v *visit) departure() *sighting {
	if len(v.seen) == 0 || v.beneath || !v.first().out && v.arrival() == nil {
		return nil
	}
	for _, s := range v.seen {
		if s.out {
			return s
		}
	}
	return nil
}

// take returns the ways through the packet filter that belong to the stay, in
// their order.
func (t *tracing) take(v *visit) []*run {
	first := v.first()
	stays := 0
	for _, o := range visits(v.way) {
		if o.space == v.space {
			stays++
		}
	}
	alone := stays == 1 // the hop limit, which may be changed, is not needed
	var list []*run
	for _, r := range v.space.runs {
		if r.used || r.pkt == nil || r.class != first.class || r.second != first.second {
			continue
		}
		ttl := r.pkt.ttl
		if !alone && ttl != first.ttl && (first.out || ttl != first.ttl-1) {
			continue
		}
		if r.hook == hookOutput != first.out && r.hook != hookPostrouting {
			continue
		}
		if r.hook == hookPrerouting && !v.cameBy(r.in) {
			continue
		}
		r.used = true
		list = append(list, r)
	}
	return list
}

// cameBy reports whether the packet came in by an interface, or by a port of it.
func (v *visit) cameBy(index int) bool {
	return slices.ContainsFunc(v.seen, func(s *sighting) bool {
		return !s.out && (s.index == index || v.space.links[s.index].Master == index)
	})
}

// sent are the ways through the packet filter of a packet that a namespace sent and
// that was seen nowhere.
func (s *space) sent(c class, second bool) []*run {
	var list []*run
	for _, r := range s.runs {
		if !r.used && r.pkt != nil && r.class == c && r.second == second && (r.hook == hookOutput || r.hook == hookPostrouting) {
			r.used = true
			list = append(list, r)
		}
	}
	return list
}

// hasAddr reports whether an address is the namespace's own.
func (s *space) hasAddr(ip netip.Addr) bool {
	return ip.IsLoopback() || slices.ContainsFunc(s.addrs, func(a kernel.Addr) bool { return a.Prefix.Addr() == ip.WithZone("") })
}
