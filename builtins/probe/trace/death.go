package trace

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// The reasons for which a probe, or its answer, is lost.
const (
	NoRoute          = "no-route"
	UnreachableRoute = "unreachable-route"
	LinkDown         = "link-down"
	NoCarrier        = "no-carrier"
	ARPFailed        = "arp-failed"
	ForwardingOff    = "forwarding-off"
	RPFilter         = "rp-filter"
	FirewallDrop     = "firewall-drop"
	FirewallReject   = "firewall-reject"
	FragNeeded       = "frag-needed"
	TTLExceeded      = "ttl-exceeded"
	NoListener       = "no-listener"
	Martian          = "martian"
	WrongHost        = "wrong-host"
	AsymmetricReturn = "asymmetric-return"
	Unknown          = "unknown"
)

// Death is where and why a packet was lost.
type Death struct {
	Space  string
	Reason string
	Cause  string // of AsymmetricReturn: the reason for which the answer was lost
	Text   string // a sentence that names the place and the cause

	// What there is to know for a remedy.
	Dev                string // the interface that it came in on, or should leave by
	PeerSpace, PeerDev string // the other end of that cable
	Table, Chain       string // of the packet filter
	Legacy             bool   // of the legacy one
	Rule               int    // the rule's place from 1, 0 for the policy
	RuleText           string
	Proto              uint8 // IP protocol
	Src, Dst           netip.Addr
	SrcPort, DstPort   uint16
	Via                netip.Addr // the next hop
	Size, MTU          int        // bytes
	Back               bool       // it was the answer
	In                 string     // the interface that it came in on
	Match              netip.Prefix
	MatchType          string
	RouteTable         int

	flow flow
}

// death completes a death: of an answer it is the answer that was lost.
func (a *analysis) death(s *space, c class, d Death) *Death {
	d.Space, d.Proto = s.Name, a.id.proto
	d.Src, d.Dst, d.SrcPort, d.DstPort = d.flow.src, d.flow.dst, d.flow.sport, d.flow.dport
	if c == answer {
		d.Back, d.Cause, d.Reason = true, d.Reason, AsymmetricReturn
	}
	return &d
}

// filtered is a death by the packet filter.
func (a *analysis) filtered(s *space, r *run, d *decision, c class) *Death {
	reason, verb := FirewallDrop, "dropped"
	if d.target == "REJECT" {
		reason, verb = FirewallReject, "rejected"
	}
	by := "by its policy"
	switch {
	case d.number > 0 && d.rule != "":
		by = fmt.Sprintf("by rule %d: %s", d.number, d.rule)
	case d.number > 0:
		by = fmt.Sprintf("by rule %d", d.number)
	}
	return a.death(s, c, Death{Reason: reason, Legacy: r.legacy, Table: d.table, Chain: d.chain, Rule: d.number, RuleText: d.rule,
		In: s.name(r.in), Dev: s.name(r.out), flow: r.pkt.flow(),
		Text: fmt.Sprintf("%s in %s, %s, %s", verb, s.Name, d.place(), by)})
}

// destination matches where a rule of DNAT sends packets.
var destination = regexp.MustCompile(`--to-(?:destination|ports) (\[?[0-9a-fA-F.:]+\]?(?::[0-9]+)?)`)

// destinationOf reads the first address, and the port, of --to-destination, or the
// port of --to-ports.
func destinationOf(rule string) (netip.Addr, uint16, bool) {
	m := destination.FindStringSubmatch(rule)
	if m == nil {
		return netip.Addr{}, 0, false
	}
	if port, err := strconv.ParseUint(m[1], 10, 16); err == nil {
		return netip.Addr{}, uint16(port), true
	}
	if ap, err := netip.ParseAddrPort(m[1]); err == nil {
		return ap.Addr(), ap.Port(), true
	}
	a, err := netip.ParseAddr(strings.Trim(m[1], "[]"))
	return a, 0, err == nil
}

// unsent finds out why a packet never left the namespace that sends it.
func (a *analysis) unsent(s *space, c class) (*Death, error) {
	back := c == answer
	f := flow{dst: a.req.Target.WithZone("")}
	if a.id.proto != unix.IPPROTO_ICMP && a.id.proto != unix.IPPROTO_ICMPV6 {
		f.dport = a.req.Port
	}
	if back {
		f = a.answerFlow
	}
	runs := s.sent(c, a.second)
	for _, r := range runs {
		d, err := s.decide(r, a.req.Rules)
		if err != nil {
			return nil, fmt.Errorf("namespace %q: %w", s.Name, err)
		}
		f = r.pkt.flow()
		a.ruling(&visit{space: s, seen: nil}, r, &d, back)
		if d.drops() {
			return a.filtered(s, r, &d, c), nil
		}
		if to, port, ok := destinationOf(d.rule); ok && d.target == "DNAT" && !back {
			f.src, f.dst = netip.Addr{}, to
			if port != 0 {
				f.dport = port
			}
		}
	}
	l := &routeLook{flow: f, query: kernel.RouteQuery{Dst: f.dst, Src: f.src, Proto: a.id.proto, SrcPort: f.sport, DstPort: f.dport}}
	if zone := a.req.Target.Zone(); zone != "" && !back {
		for _, k := range s.links {
			if k.Name == zone {
				return a.leaving(s, l, k.Index, f.dst, c)
			}
		}
	}
	l.ask(s)
	if !l.asked {
		return a.unknown(s, c, f), nil
	}
	a.step(Step{Space: s.Name, Stage: "routing", Text: l.text(s), Back: back})
	if d := a.refused(s, l, c); d != nil {
		return d, nil
	}
	hop := l.answer.Via
	if !hop.IsValid() {
		hop = f.dst
	}
	return a.leaving(s, l, l.answer.Out, hop, c)
}

// refused is a death by routing: nil where there is a route.
func (a *analysis) refused(s *space, l *routeLook, c class) *Death {
	d := Death{flow: l.flow, Via: l.answer.Via}
	dst := l.query.Dst
	switch l.answer.Err {
	case 0:
		return nil
	case unix.ENETUNREACH:
		if down, ok := s.downFor(dst); ok {
			d.Reason, d.Dev = LinkDown, down
			d.Text = fmt.Sprintf("no way out of %s to %s: its interface %s is down", s.Name, dst, down)
			break
		}
		d.Reason, d.Text = NoRoute, fmt.Sprintf("no route in %s to %s", s.Name, dst)
	default:
		kind := map[unix.Errno]string{unix.EHOSTUNREACH: "unreachable", unix.EACCES: "prohibit", unix.EINVAL: "blackhole"}[l.answer.Err]
		if kind == "" {
			return nil
		}
		d.Reason = UnreachableRoute
		d.Text = fmt.Sprintf("a route of %s leads nowhere: %s %s", s.Name, kind, dst)
		d.MatchType = kind
		if m, kind, table, ok := s.rejecting(dst); ok {
			d.Match, d.MatchType, d.RouteTable = m, kind, table
			d.Text = fmt.Sprintf("a route of %s leads nowhere: %s", s.Name, rejection(m, kind, table))
		}
	}
	return a.death(s, c, d)
}

// downFor finds the interface that would lead to an address if it were up: one that
// has an address in its subnet, or the only one with an address.
func (s *space) downFor(dst netip.Addr) (name string, ok bool) {
	var down []kernel.Link
	up := 0
	for _, a := range s.addrs {
		l := s.links[a.Link]
		if l.Kind == "loopback" || a.Prefix.Addr().Is6() != dst.Is6() || a.Scope == "link" {
			continue
		}
		if l.Up() {
			up++
			continue
		}
		if a.Prefix.Contains(dst) {
			return l.Name, true
		}
		down = append(down, l)
	}
	if up == 0 && len(down) > 0 {
		return down[0].Name, true
	}
	if len(s.addrs) == 0 || dst.Is6() { // IPv6 addresses go with the interface
		for _, l := range s.links {
			if l.Kind != "loopback" && !l.Up() && l.Master == 0 {
				down = append(down, l)
			} else if l.Kind != "loopback" {
				up++
			}
		}
		if up == 0 && len(down) > 0 {
			return down[0].Name, true
		}
	}
	return "", false
}

// rejecting finds the route to an address that leads nowhere: the most specific one.
func (s *space) rejecting(dst netip.Addr) (m netip.Prefix, kind string, table int, ok bool) {
	routes, err := s.NS.AllRoutes()
	if err != nil {
		return m, "", 0, false
	}
	for _, r := range routes {
		if r.Type != "unreachable" && r.Type != "prohibit" && r.Type != "blackhole" || (r.Family == unix.AF_INET6) != dst.Is6() {
			continue
		}
		p := r.Dst
		if !p.IsValid() {
			p = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
			if dst.Is6() {
				p = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
			}
		}
		if p.Contains(dst) && (!ok || p.Bits() > m.Bits()) {
			m, kind, table, ok = p, r.Type, r.Table, true
		}
	}
	return m, kind, table, ok
}

// rejection prints such a route.
func rejection(m netip.Prefix, kind string, table int) string {
	text := kind + " " + m.String()
	if m.Bits() == 0 {
		text = kind + " default"
	}
	if table != unix.RT_TABLE_MAIN {
		text += ", table " + kernel.TableName(table)
	}
	return text
}

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
	asked, state := a.neighbour(s, out, hop)
	if asked > 0 || state == "FAILED" || state == "INCOMPLETE" {
		d.Reason, d.Via = ARPFailed, hop
		word := "ARP"
		if hop.Is6() {
			word = "neighbour discovery"
		}
		a.step(Step{Space: s.Name, Dev: k.Name, Stage: "neighbor", Text: fmt.Sprintf("%s: who has %s? asked %s", word, hop, times(max(asked, 1))), Back: c == answer})
		d.Text = fmt.Sprintf("nobody answers %s's %s for %s on %s", s.Name, word, hop, k.Name)
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

func times(n int) string {
	if n == 1 {
		return "once"
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

// neighbour says how often the next hop was asked for without an answer, and what
// the neighbour table says.
func (a *analysis) neighbour(s *space, out int, hop netip.Addr) (asked int, state string) {
	for _, x := range a.seen {
		if x.space != s || x.index != out || x.class != resolving {
			continue
		}
		switch {
		case x.out && x.arp != nil && !x.arp.reply && x.arp.target == hop, x.out && x.arp == nil && x.nd == hop && !x.ndMAC:
			asked++
		case !x.out && x.arp != nil && x.arp.reply && x.arp.sender == hop, !x.out && x.arp == nil && x.nd == hop && x.ndMAC:
			return 0, "REACHABLE"
		}
	}
	list, err := s.NS.Neighbors()
	if err != nil {
		return asked, ""
	}
	for _, n := range list {
		if n.IP == hop.WithZone("") && n.Dev == s.name(out) {
			return asked, n.State
		}
	}
	return asked, ""
}

func (a *analysis) unknown(s *space, c class, f flow) *Death {
	d := Death{Reason: Unknown, flow: f, Text: "lost in " + s.Name + ", for no reason that can be seen"}
	if why := s.counted(); why != "" {
		d.Text = "lost in " + s.Name + ": it counted " + why
	}
	return a.death(s, c, d)
}

// losses are the counters of packets that were thrown away (nstat(8)).
var losses = []string{
	"IpInHdrErrors", "IpInAddrErrors", "IpInUnknownProtos", "IpInDiscards", "IpOutDiscards", "IpOutNoRoutes",
	"IpReasmFails", "IpFragFails", "IpExtInNoRoutes", "IpExtInTruncatedPkts", "IpExtInCsumErrors",
	"TcpExtIPReversePathFilter", "TcpExtListenOverflows", "TcpExtListenDrops", "TcpExtTCPBacklogDrop", "TcpInCsumErrors",
	"UdpInErrors", "UdpRcvbufErrors", "UdpNoPorts", "IcmpInErrors", "IcmpOutErrors",
	"Ip6InHdrErrors", "Ip6InTooBigErrors", "Ip6InNoRoutes", "Ip6InAddrErrors", "Ip6InDiscards", "Ip6OutDiscards", "Ip6OutNoRoutes", "Ip6ReasmFails",
	"Udp6InErrors", "Udp6RcvbufErrors", "Udp6NoPorts", "Icmp6InErrors",
}

// counted lists the losses that the namespace counted meanwhile.
func (s *space) counted() string {
	var list []string
	for _, name := range losses {
		if s.grew(name) {
			list = append(list, name)
		}
	}
	return strings.Join(list, ", ")
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
	l := &routeLook{query: kernel.RouteQuery{Dst: k.Remote}, flow: d.flow}
	l.ask(s)
	if !l.asked {
		return a.unknown(s, c, d.flow), nil
	}
	a.step(Step{Space: s.Name, Stage: "routing", Text: "outside of the tunnel " + k.Name + ": " + l.text(s), Back: c == answer})
	if dead := a.refused(s, l, c); dead != nil {
		return dead, nil
	}
	hop := l.answer.Via
	if !hop.IsValid() {
		hop = k.Remote
	}
	dead, err := a.leaving(s, l, l.answer.Out, hop, c)
	if dead != nil && (dead.Reason == Unknown || dead.Cause == Unknown) {
		dead.Text = fmt.Sprintf("it left %s by the tunnel %s to %s, and did not come out of it", s.Name, k.Name, k.Remote)
	}
	return dead, err
}

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

// portTo finds the port whose cable ends in the namespace that has an address.
func (a *analysis) portTo(s *space, bridge kernel.Link, hop netip.Addr) int {
	for _, l := range s.links {
		if l.Master != bridge.Index {
			continue
		}
		if o, index := a.peer(s, l.Index); o != nil {
			for _, addr := range o.addrs {
				if addr.Prefix.Addr() == hop && (addr.Link == index || o.links[index].Master == addr.Link) {
					return l.Index
				}
			}
			// The address of an IPv6 interface is gone with it.
			if end := o.links[index]; !end.Up() && hop.Is6() && o.Name == a.req.To {
				return l.Index
			}
		}
	}
	return 0
}

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
			d.Text = fmt.Sprintf("it came to %s, which is not %s: %s has a permanent neighbour entry for %s with the MAC address of %s", s.Name, hop, by.Name, hop, s.Name)
			return a.death(s, c, d), nil
		}
		d.Reason = ForwardingOff
		d.Text = fmt.Sprintf("%s does not forward, and %s is none of its addresses", s.Name, l.flow.dst)
		return a.death(s, c, d), nil
	}
	if l.answer.Err == unix.EINVAL || l.answer.Err == unix.EXDEV || l.answer.Err == unix.EHOSTUNREACH {
		// Of a packet that came in the kernel does not say more: the same without
		// an interface tells a route that leads nowhere.
		own := *l
		own.query.In, own.query.Src = 0, netip.Addr{}
		own.ask(s)
		if own.asked && own.answer.Err == 0 {
			d.Reason = Martian
			d.Text = fmt.Sprintf("%s does not accept a packet from %s to %s on %s", s.Name, l.flow.src, l.flow.dst, dev)
			return a.death(s, c, d), nil
		}
		own.query.In = l.query.In
		l = &own
	}
	if dead := a.refused(s, l, c); dead != nil {
		return dead, nil
	}
	if in.ttl <= 1 {
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
// neighbour entry that somebody has written.
func (a *analysis) misled(v *visit, s *space) (hop netip.Addr, by *space) {
	hop, by, dev := a.hopTo(v)
	if by == nil || s.hasAddr(flow{dst: hop}) {
		return hop, nil
	}
	list, err := by.NS.Neighbors()
	if err != nil {
		return hop, nil
	}
	for _, n := range list {
		if n.IP == hop && n.Dev == dev && n.State == "PERMANENT" {
			return hop, by
		}
	}
	return hop, nil
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
	back, err := s.NS.LookupRoute(kernel.RouteQuery{Dst: src, Src: dst, Mark: l.query.Mark})
	if !l.local() {
		back, err = s.NS.LookupRoute(kernel.RouteQuery{Dst: src})
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
