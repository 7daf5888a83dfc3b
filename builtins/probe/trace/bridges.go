//go:build linux

package trace

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"nsscript/builtins/kernel"
)

// inBridge is a death between two ports of a bridge.
func (a *analysis) inBridge(v *visit, end *sighting, bridge kernel.Link, c class) (*Death, error) {
	s := v.space
	d := Death{Dev: bridge.Name, flow: end.flow(), In: s.name(end.index)}
	if dead := a.disconnected(s, bridge, c, d); dead != nil {
		return dead, nil
	}
	ports, err := s.NS.BridgePorts()
	if err != nil {
		return nil, err
	}
	in := s.name(end.index)
	why := ""
	if p := ports[end.index]; !end.out && p.State != "" && p.State != "forwarding" {
		why = fmt.Sprintf("its port %s is %s", in, p.State)
	}
	out := a.portFor(v, bridge)
	if p, ok := s.links[out]; ok && why == "" {
		size := a.onWire(end.packet)
		switch q := ports[out]; {
		case out == end.index && !q.Hairpin:
			why = fmt.Sprintf("the other host is at the port %s too, where the frame came from", in)
		case q.State != "forwarding" && q.State != "":
			d.Dev = p.Name
			if dead := a.disconnected(s, p, c, d); dead != nil {
				return dead, nil
			}
			why = fmt.Sprintf("its port %s is %s", p.Name, q.State)
		case size > p.MTU:
			d.Reason, d.Dev, d.Size, d.MTU = FragNeeded, p.Name, size, p.MTU
			if peer, index := a.peer(s, out); peer != nil {
				d.PeerSpace, d.PeerDev = peer.Name, peer.name(index)
			}
			d.Text = fmt.Sprintf("%d bytes are too many for %s, a port of the bridge %s in %s, whose MTU is %d", size, p.Name, bridge.Name, s.Name, p.MTU)
			return a.death(s, c, d), nil
		case q.Isolated && ports[end.index].Isolated:
			why = fmt.Sprintf("its ports %s and %s are isolated from each other", in, p.Name)
		}
	}
	d.Reason, d.Text = Unknown, fmt.Sprintf("lost in the bridge %s of %s", bridge.Name, s.Name)
	if why != "" {
		d.Text += ": " + why
	}
	return a.death(s, c, d), nil
}

// portFor finds the port of a bridge that leads to the next hop: behind which it
// knows the MAC address that the sender has for it, or whose cable ends in the
// namespace that has the address.
func (a *analysis) portFor(v *visit, bridge kernel.Link) int {
	s := v.space
	hop, by, dev := a.hopTo(v)
	if by == nil {
		return 0
	}
	if port := a.learned(s, bridge, hop, by, dev); port != 0 {
		return port
	}
	return a.portTo(s, bridge, hop)
}

// learned looks into the bridge's forwarding database.
func (a *analysis) learned(s *space, bridge kernel.Link, hop netip.Addr, by *space, dev string) int {
	var mac net.HardwareAddr
	neighbors, err := by.NS.Neighbors()
	if err != nil {
		return 0
	}
	for _, n := range neighbors {
		if n.IP == hop && n.Dev == dev {
			mac = n.MAC
		}
	}
	fdb, err := s.NS.FDB(bridge.Index)
	if err != nil || len(mac) == 0 {
		return 0
	}
	for _, e := range fdb {
		if e.Local || !slices.Equal(e.MAC, mac) {
			continue
		}
		for _, l := range s.links {
			if l.Name == e.Port {
				return l.Index
			}
		}
	}
	return 0
}

// portTo finds the port whose cable leads to the namespace that has an address: there
// at once, or over more bridges.
func (a *analysis) portTo(s *space, bridge kernel.Link, hop netip.Addr) int {
	return a.leadingTo(s, bridge.Index, hop, map[bridgeOf]bool{})
}

type bridgeOf struct {
	space *space
	index int
}

func (a *analysis) leadingTo(s *space, bridge int, hop netip.Addr, seen map[bridgeOf]bool) int {
	at := bridgeOf{s, bridge}
	if seen[at] {
		return 0
	}
	seen[at] = true
	for _, l := range s.links {
		if l.Master != bridge {
			continue
		}
		o, index := a.peer(s, l.Index)
		if o == nil {
			continue
		}
		end := o.links[index]
		for _, addr := range o.addrs {
			if addr.Prefix.Addr() == hop && (addr.Link == index || end.Master == addr.Link) {
				return l.Index
			}
		}
		// The address of an IPv6 interface is gone with it.
		if !end.Up() && hop.Is6() && o.Name == a.req.To {
			return l.Index
		}
		if _, port := o.port(index); port && a.leadingTo(o, end.Master, hop, seen) != 0 {
			return l.Index
		}
	}
	return 0
}
