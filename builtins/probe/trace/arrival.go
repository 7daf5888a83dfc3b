//go:build linux

package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// arrived is what happens to a packet that a namespace's IP has taken in: it is
// delivered (nil), or dies.
func (a *analysis) arrived(v *visit, in *sighting, l *routeLook, c class) (*Death, error) {
	s := v.space
	if !l.asked {
		return a.unknown(s, c, in.flow()), nil
	}
	dev := s.name(in.index)
	d := Death{Dev: dev, In: dev, flow: l.flow}
	if in.size > 0 && !in.v6 {
		if dead, err := a.sourceRefused(s, in, l, c, d); dead != nil || err != nil {
			return dead, err
		}
	}
	if l.local() {
		return a.taken(v, in, l, c)
	}
	on, err := s.forwards(dev, in.v6)
	if err != nil {
		return nil, err
	}
	if !on {
		if hop, by := a.misled(v, s); by != nil {
			d.Reason, d.PeerSpace, d.Via = WrongHost, by.Name, hop
			d.Text = fmt.Sprintf("it came to %s, which is not %s: %s's neighbour entry for %s has the MAC address of %s", s.Name, hop, by.Name, hop, s.Name)
			return a.death(s, c, d), nil
		}
		d.Reason = ForwardingOff
		d.Text = fmt.Sprintf("%s does not forward, and %s is none of its addresses", s.Name, l.flow.dst)
		return a.death(s, c, d), nil
	}
	if !in.v6 && (l.answer.Err == unix.EINVAL || l.answer.Err == unix.EXDEV || l.answer.Err == unix.EHOSTUNREACH) {
		// Of an IPv4 packet that came in the kernel does not say more: the same
		// without an interface tells a route that leads nowhere.
		own := *l
		own.query.In, own.query.Src, own.query.Out = 0, netip.Addr{}, s.vrf(in.index)
		own.ask(s)
		if _, _, _, leadsNowhere := s.rejecting(l.flow.dst); own.asked && own.answer.Err == 0 && leadsNowhere {
			own.answer = l.answer
		} else if own.asked && own.answer.Err == 0 {
			d.Reason = Martian
			d.Text = fmt.Sprintf("%s does not accept a packet from %s to %s on %s", s.Name, l.flow.src, l.flow.dst, dev)
			return a.death(s, c, d), nil
		}
		own.query.In, own.query.Out = l.query.In, 0
		l = &own
	}
	if dead := a.refused(s, l, c); dead != nil {
		return dead, nil
	}
	if in.ttl <= 1 || a.said(s, c, (*packet).expired) {
		d.Reason = TTLExceeded
		d.Text = fmt.Sprintf("the hop limit ran out in %s%s", s.Name, a.loop(c))
		d.Via = l.answer.Via
		return a.death(s, c, d), nil
	}
	out := s.links[l.answer.Out]
	mtu := out.MTU
	if l.answer.MTU > 0 {
		mtu = min(mtu, l.answer.MTU)
	}
	if size := a.onWire(in.packet); size > mtu && in.df && mtu > 0 {
		d.Reason, d.Dev, d.Size, d.MTU, d.Via = FragNeeded, out.Name, size, mtu, l.answer.Via
		if peer, index := a.peer(s, out.Index); peer != nil {
			d.PeerSpace, d.PeerDev = peer.Name, peer.name(index)
		}
		d.Text = fmt.Sprintf("%d bytes are too many for %s of %s, whose MTU is %d, and must not be fragmented", size, out.Name, s.Name, mtu)
		return a.death(s, c, d), nil
	}
	hop := l.answer.Via
	if !hop.IsValid() {
		hop = l.flow.dst
	}
	return a.leaving(s, l, l.answer.Out, hop, c)
}

// misled finds who has sent a packet to a host that is not the next hop, by a
// neighbour entry that somebody has written, or that is out of date.
func (a *analysis) misled(v *visit, s *space) (hop netip.Addr, by *space) {
	hop, by, dev := a.hopTo(v)
	if by == nil || s.hasAddr(hop) || s.standsIn(s.name(v.last().index), hop.Is6()) {
		return hop, nil
	}
	list, err := by.NS.Neighbors()
	if err != nil {
		return hop, nil
	}
	for _, n := range list {
		if n.IP == hop && n.Dev == dev && len(n.MAC) > 0 {
			return hop, by
		}
	}
	return hop, nil
}

// standsIn reports whether a namespace answers for the addresses of others
// (ip-sysctl.rst, proxy_arp, proxy_ndp).
func (s *space) standsIn(dev string, v6 bool) bool {
	keys := []string{"net/ipv4/conf/all/proxy_arp", "net/ipv4/conf/" + dev + "/proxy_arp"}
	if v6 {
		keys = []string{"net/ipv6/conf/all/proxy_ndp", "net/ipv6/conf/" + dev + "/proxy_ndp"}
	}
	return slices.ContainsFunc(keys, func(key string) bool {
		text, err := s.NS.ReadSysctl(key)
		return err == nil && text != "0"
	})
}

// said reports whether a namespace sent an ICMP error message of a kind about the
// probe.
func (a *analysis) said(s *space, c class, kind func(*packet) bool) bool {
	about := errorMsg
	if c == answer {
		about = errorOfAnswer
	}
	return slices.ContainsFunc(a.seen, func(x *sighting) bool {
		return x.space == s && x.out && x.class == about && kind(x.packet)
	})
}

// loop names the routers that a packet has gone through again and again.
func (a *analysis) loop(c class) string {
	count := map[string]int{}
	var names []string
	for _, x := range chosen(a.seen, c, a.second) {
		if x.out {
			continue
		}
		if count[x.space.Name]++; count[x.space.Name] == 2 {
			names = append(names, x.space.Name)
		}
	}
	if len(names) < 2 {
		return ""
	}
	return ": it went round and round through " + strings.Join(names, " and ")
}

// forwards reports whether packets that came in on an interface are passed on
// (ip-sysctl.rst of the kernel's documentation, forwarding).
func (s *space) forwards(dev string, v6 bool) (bool, error) {
	key := "net/ipv4/conf/" + dev + "/forwarding"
	if v6 {
		key = "net/ipv6/conf/all/forwarding"
	}
	text, err := s.NS.ReadSysctl(key)
	if err != nil {
		return false, err
	}
	if v6 && text == "0" {
		if one, err := s.NS.ReadSysctl("net/ipv6/conf/" + dev + "/force_forwarding"); err == nil {
			return one != "0", nil // since Linux 6.17
		}
	}
	return text != "0", nil
}

// sourceRefused is a death by IPv4's checks of where a packet comes from.
func (a *analysis) sourceRefused(s *space, in *sighting, l *routeLook, c class, d Death) (*Death, error) {
	src, dst, dev := l.flow.src, l.flow.dst, d.In
	if s.links[in.index].Kind == "loopback" {
		return nil, nil
	}
	own := slices.ContainsFunc(s.addrs, func(x kernel.Addr) bool { return x.Prefix.Addr() == src })
	if own || src.IsLoopback() || src.IsMulticast() || dst.IsLoopback() && l.answer.Err != 0 {
		why := fmt.Sprintf("%s, which it comes from, is an address of %s itself", src, s.Name)
		switch {
		case src.IsMulticast():
			why = fmt.Sprintf("it comes from %s, a multicast address", src)
		case src.IsLoopback():
			why = fmt.Sprintf("it comes from %s, which stands for a host itself", src)
		case !own:
			why = fmt.Sprintf("it is for %s, which stands for a host itself", dst)
		}
		if l.answer.Err != 0 {
			d.Reason, d.Text = Martian, fmt.Sprintf("%s takes no such packet in on %s: %s", s.Name, dev, why)
			return a.death(s, c, d), nil
		}
	}
	mode, err := s.rpFilter(dev)
	if err != nil || mode == 0 {
		return nil, err
	}
	back, err := s.NS.LookupRoute(kernel.RouteQuery{Dst: src, Src: dst, Mark: l.query.Mark, Out: s.vrf(in.index)})
	if !l.local() {
		back, err = s.NS.LookupRoute(kernel.RouteQuery{Dst: src, Out: s.vrf(in.index)})
	}
	if err != nil {
		return nil, err
	}
	fits := back.Err == 0 && (mode == 2 || back.Out == in.index)
	if !s.grew("TcpExtIPReversePathFilter") && (fits || l.answer.Err == 0) || fits && l.answer.Err == 0 {
		return nil, nil
	}
	where := "it knows no way back"
	if back.Err == 0 {
		where = "its way back is by " + s.name(back.Out)
	}
	d.Reason = RPFilter
	d.Text = fmt.Sprintf("%s expects no packets from %s on %s: %s (rp_filter is %d)", s.Name, src, dev, where, mode)
	return a.death(s, c, d), nil
}

// rpFilter is the mode of the reverse-path filter: the stricter of the interface's
// and that of all (ip-sysctl.rst).
func (s *space) rpFilter(dev string) (int, error) {
	mode := 0
	for _, of := range []string{"all", dev} {
		text, err := s.NS.ReadSysctl("net/ipv4/conf/" + of + "/rp_filter")
		if err != nil {
			return 0, err
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Errorf("rp_filter of %s: %w", of, err)
		}
		mode = max(mode, n)
	}
	return mode, nil
}
