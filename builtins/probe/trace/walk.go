//go:build linux

package trace

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/pattern"
)

// analysis finds out what became of a probe from what was seen.
type analysis struct {
	*tracing
	w      *Walk
	seen   []*sighting
	second bool // the probe is the data that followed a handshake
	start  time.Time
	// nat is what a namespace has made of a flow that the probe came with.
	nat map[natKey]flow

	forwardWay []*sighting
	answerFlow flow // of the answer as it was, or would be, sent
}

type natKey struct {
	space *space
	flow  flow
}

// walk tells the probe's way once its time is over.
func (t *tracing) walk() (*Walk, error) {
	a := &analysis{tracing: t, nat: map[natKey]flow{}, w: &Walk{
		From: t.req.From, To: t.req.To, Proto: t.req.Proto, Port: t.req.Port, Size: t.req.Size, DF: t.req.DF,
		Dst: t.req.Target, Lost: t.watcher.lost,
	}}
	t.id.forget()
	a.seen = t.watcher.sightings()
	a.second = t.id.data > 0 && t.sender.phase == sent
	saw := map[*space]bool{t.source: true}
	for _, s := range a.seen {
		s.class, s.second = t.id.classify(s.packet)
		saw[s.space] = true
	}
	for _, s := range t.spaces {
		if saw[s] || s.tracer != nil {
			if err := s.load(); err != nil {
				return nil, fmt.Errorf("namespace %q: %w", s.Name, err)
			}
		}
		if err := s.readRuns(t.id, a.second); err != nil {
			return nil, fmt.Errorf("namespace %q: %w", s.Name, err)
		}
	}
	if err := a.follow(); err != nil {
		return nil, err
	}
	a.hide()
	return a.w, nil
}

// forget makes the identity one that has seen no packet.
func (id *identity) forget() {
	clear(id.forwardFlows)
	clear(id.answerFlows)
	clear(id.fragments)
}

// follow tells the probe's way, then its answer's or that of the error message.
func (a *analysis) follow() error {
	if a.second {
		// The handshake is told in one line.
		hands := chosen(a.seen, forward, false)
		if len(hands) > 0 {
			a.start = hands[0].at
			a.learn(a.path(hands))
			for _, s := range a.spaces {
				for _, r := range s.runs {
					r.used = r.used || !r.second
				}
			}
		}
	}
	way := a.path(chosen(a.seen, forward, a.second))
	if len(way) > 0 {
		if a.start.IsZero() {
			a.start = way[0].at
		}
		a.w.Src = way[0].src
		if a.second {
			a.step(Step{Space: a.source.Name, Stage: "handshake", Text: fmt.Sprintf("complete after %s", micros(way[0].at.Sub(a.start)))})
		}
	}
	a.learn(way)
	a.forwardWay = way
	death, end, err := a.trail(way, forward, false)
	if err != nil {
		return err
	}
	if death == nil || death.Reason == Unknown {
		rest, err := a.incomplete(way, restForward)
		if err != nil {
			return err
		}
		if rest != nil {
			death = rest
		}
	}
	if death == nil {
		a.w.Delivered, a.w.At = true, end.Name
		return a.back(end, way)
	}
	a.w.Death = death
	if death.Reason == NoListener || death.Reason == WrongHost {
		a.w.At = end.Name
	}
	return a.messages(death)
}

// incomplete finds the fragment that was lost of a packet whose first fragment came
// to the end of its way; nil where there is none.
func (a *analysis) incomplete(way []*sighting, c class) (*Death, error) {
	if len(way) == 0 || !way[len(way)-1].more {
		return nil, nil
	}
	end := way[len(way)-1]
	offsets := map[int]bool{}
	for _, s := range a.seen {
		if s.class == c {
			offsets[s.offset] = true
		}
	}
	for _, offset := range slices.Sorted(maps.Keys(offsets)) {
		var list []*sighting
		for _, s := range chosen(a.seen, c, false) {
			if s.offset == offset {
				list = append(list, s)
			}
		}
		rest := a.path(list)
		if last := rest[len(rest)-1]; last.space == end.space && !last.out {
			continue
		}
		d, _, err := a.trail(rest, c, c == restAnswer)
		if d != nil {
			d.Text = fmt.Sprintf("its %s was lost: %s", rest[0].what(), d.Text)
		}
		return d, err
	}
	return nil, nil
}

// learn remembers what the namespaces on a way have made of the flow.
func (a *analysis) learn(way []*sighting) {
	for _, v := range visits(way) {
		in, out := v.first(), v.last()
		if !in.out && out.out {
			a.nat[natKey{v.space, in.flow()}] = out.flow()
			a.nat[natKey{v.space, out.flow().reversed()}] = in.flow().reversed()
		}
	}
}

// trail tells the way of one packet, and how it ended: with a death, or in a
// namespace.
func (a *analysis) trail(way []*sighting, c class, back bool) (*Death, *space, error) {
	if len(way) == 0 {
		d, err := a.unsent(a.source, c)
		return d, a.source, err
	}
	stays := visits(way)
	for i := range stays {
		v := &stays[i]
		last := i == len(stays)-1
		d, err := a.stay(v, c, back, last)
		if err != nil || d != nil {
			return d, v.space, err
		}
		if last {
			return nil, v.space, nil
		}
	}
	return nil, nil, nil
}

// stay tells what happened to a packet in one namespace.
func (a *analysis) stay(v *visit, c class, back, last bool) (*Death, error) {
	runs := a.take(v)
	arrival, departure := v.arrival(), v.departure()
	look := a.lookup(v, runs, false)
	i := 0
	for ; i < len(v.seen) && !v.seen[i].out; i++ {
		a.sight(v.seen[i], back, last && i == len(v.seen)-1 && look.local())
	}
	a.silentNAT(v, runs, back, true)
	// Where it was seen to leave, it was not dropped.
	end := v.last()
	ended := last && (!end.out || v.space.links[end.index].Kind == "bridge")
	routed := false
	for _, r := range runs {
		if r.hook > hookInput && r.hook != hookOutput && !routed {
			routed = true
			a.routing(v, look, back, last && departure == nil)
		}
		d, err := v.space.decide(r, a.req.Rules)
		if err != nil {
			return nil, fmt.Errorf("namespace %q: %w", v.space.Name, err)
		}
		if d.drops() && !ended {
			// Of a copy, such as a bridge makes for another port, or of a later stay.
			r.used = false
			continue
		}
		a.ruling(v, r, &d, back)
		if d.drops() || last && departure == nil && r == runs[len(runs)-1] && a.kept(v.space, r, &d) {
			return a.filtered(v.space, r, &d, c), nil
		}
	}
	if !routed {
		a.routing(v, look, back, last && departure == nil)
	}
	a.silentNAT(v, runs, back, false)
	for ; i < len(v.seen); i++ {
		a.sight(v.seen[i], back, false)
	}
	if !last {
		return nil, nil
	}
	bridge, port := v.space.port(end.index)
	switch {
	case end.out && v.space.links[end.index].Kind == "bridge":
		return a.inBridge(v, end, v.space.links[end.index], c)
	case end.out:
		return a.onCable(v, end, c)
	case port:
		return a.inBridge(v, end, bridge, c)
	case end.vlan > 0:
		return a.death(v.space, c, Death{Reason: Unknown, Dev: v.space.name(end.index), flow: end.flow(),
			Text: fmt.Sprintf("%s got a frame of VLAN %d on %s, and has no interface for that VLAN there that is up", v.space.Name, end.vlan, v.space.name(end.index))}), nil
	case end.others:
		return a.death(v.space, c, Death{Reason: WrongHost, Dev: v.space.name(end.index), flow: end.flow(),
			Text: fmt.Sprintf("%s got a frame on %s that is for another MAC address, and let it lie", v.space.Name, v.space.name(end.index))}), nil
	}
	d, err := a.arrived(v, arrival, look, c)
	if err == nil && d != nil && (d.Reason == Unknown || d.Cause == Unknown) && look.flow != arrival.flow() {
		// What was translated before may not be any more.
		if plain := a.lookup(v, runs, true); plain.local() {
			return a.arrived(v, arrival, plain, c)
		}
	}
	return d, err
}

// kept reports whether a packet that was seen nowhere after was kept by the rule that
// decided last: for a program, or, by a legacy table that does not say so, as there is no
// transparent proxy.
func (a *analysis) kept(s *space, r *run, d *decision) bool {
	return d.queued() || r.legacy && d.target == "TPROXY" && !a.sender.answered && !a.seenFrom(s, answer)
}

func (a *analysis) step(s Step) { a.w.Steps = append(a.w.Steps, s) }

// sight tells of an interface that a packet passed.
func (a *analysis) sight(s *sighting, back, end bool) {
	if a.start.IsZero() {
		a.start = s.at
	}
	st := Step{Space: s.space.Name, Dev: s.space.name(s.index), Dir: "in", Time: s.at.Sub(a.start), Back: back}
	if s.out {
		st.Dir = "out"
	}
	if bridge, ok := s.space.port(s.index); ok {
		st.Text = "bridge " + bridge.Name
	}
	if s.vlan >= 0 {
		st.Text = join(st.Text, fmt.Sprintf("vlan %d", s.vlan))
	}
	n := len(a.w.Steps)
	begins := n == 0 || a.w.Steps[n-1].Back != back || a.w.Steps[n-1].Stage == "handshake"
	if begins || end && st.Text == "" {
		st.Text = join(s.what(), st.Text)
		if begins && !back && s.size > smallPacket {
			st.Text += fmt.Sprintf(", %d bytes", s.size)
		}
	}
	a.step(st)
}

// smallPacket is up to which size a packet's size is of no interest.
const smallPacket = 128

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

// hide marks the departures that the arrival at a cable's other end shows.
func (a *analysis) hide() {
	steps := a.w.Steps
	for i := 1; i+1 < len(steps); i++ {
		s, next := &steps[i], steps[i+1]
		if s.Dir == "out" && next.Dir == "in" && next.Back == s.Back && steps[i-1].Back == s.Back && steps[i-1].Stage != "handshake" {
			s.Hidden = true
		}
	}
}

// routeLook is a question to a namespace's routing, and its answer.
type routeLook struct {
	asked  bool
	as     bool // nothing was translated
	query  kernel.RouteQuery
	answer kernel.RouteAnswer
	flow   flow
	ttl    uint8
	pkt    *packet
}

// lookup asks the routing about the packet as it was when it was routed: after
// the destination was translated.
func (a *analysis) lookup(v *visit, runs []*run, as bool) *routeLook {
	l := &routeLook{as: as}
	in := v.arrival()
	if in == nil {
		return l
	}
	l.pkt, l.ttl = in.packet, in.ttl
	l.flow = in.flow()
	if to, ok := a.nat[natKey{v.space, l.flow}]; ok {
		l.flow.dst, l.flow.dport = to.dst, to.dport
	}
	mark := uint32(0)
	for _, r := range runs {
		if r.hook == hookInput || r.hook == hookForward {
			l.flow.dst, l.flow.dport = r.pkt.dst, r.pkt.dport
		}
		if r.hook == hookPrerouting {
			mark = r.mark
			if m, ok := a.marked(v.space, r); ok {
				mark = m
			}
			a.translated(v, r, &l.flow)
		}
	}
	if out := v.departure(); out != nil {
		l.flow.dst, l.flow.dport = out.dst, out.dport
	}
	if l.as {
		l.flow = in.flow()
	}
	l.query = kernel.RouteQuery{Dst: l.flow.dst, Src: l.flow.src, In: in.index, Mark: mark, TOS: in.tos, Proto: in.proto, SrcPort: l.flow.sport, DstPort: l.flow.dport}
	if v.space.links[in.index].Kind == "loopback" {
		l.query.In, l.query.Src = 0, netip.Addr{} // routed when it was sent
	}
	l.ask(v.space)
	return l
}

// tproxyMark matches the mark that a transparent proxy's rule gives to packets.
var tproxyMark = pattern.Of(`--tproxy-mark (0x[0-9a-f]+|[0-9]+)`)

// marked is the mark that a rule of a legacy table has set last: it is told of before
// the rule is applied.
func (a *analysis) marked(s *space, r *run) (uint32, bool) {
	if !r.legacy {
		return 0, false
	}
	d, err := s.decide(r, a.req.Rules)
	if err != nil || d.target != "TPROXY" {
		return 0, false
	}
	m := tproxyMark().FindStringSubmatch(d.rule)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseUint(m[1], 0, 32)
	return uint32(n), err == nil
}

// translated applies a rule that translates the destination, where no later
// sight shows what became of it.
func (a *analysis) translated(v *visit, r *run, f *flow) {
	if r.table != "nat" || r.last().Policy || f.dst != r.pkt.dst {
		return
	}
	d, err := v.space.decide(r, a.req.Rules)
	if err != nil || d.target != "DNAT" && d.target != "REDIRECT" {
		return
	}
	if d.target == "REDIRECT" { // to the first address of the interface that it came in on
		for _, x := range v.space.addrs {
			if x.Link == r.in && x.Prefix.Addr().Is6() == f.dst.Is6() {
				f.dst = x.Prefix.Addr()
				break
			}
		}
	}
	to, port, ok := destinationOf(d.rule)
	if !ok {
		return
	}
	if to.IsValid() {
		f.dst = to
	}
	if port != 0 {
		f.dport = port
	}
}

func (l *routeLook) ask(s *space) {
	var err error
	l.answer, err = s.NS.LookupRoute(l.query)
	l.asked = err == nil
}

// local reports whether the namespace takes such a packet for itself.
func (l *routeLook) local() bool {
	switch l.answer.Type {
	case "local", "broadcast", "anycast", "multicast":
		return l.answer.Err == 0
	}
	return false
}

// routing tells the routing decision of a namespace that passes a packet on, or
// of one in which it died.
func (a *analysis) routing(v *visit, l *routeLook, back, ended bool) {
	if !l.asked || l.local() || v.arrival() == nil {
		return
	}
	if l.answer.Err != 0 && !ended {
		return // it went on all the same: the routing has changed since
	}
	if _, _, _, leadsNowhere := v.space.rejecting(l.query.Dst); l.answer.Err != 0 && l.answer.Err != unix.ENETUNREACH && !leadsNowhere {
		return // refused before any route was looked for
	}
	a.step(Step{Space: v.space.Name, Stage: "routing", Text: l.text(v.space), Back: back})
}

func (l *routeLook) text(s *space) string {
	r := &l.answer
	text := l.query.Dst.String()
	switch {
	case r.Err == unix.ENETUNREACH:
		return text + ": no route"
	case r.Err != 0:
		if m, kind, table, ok := s.rejecting(l.query.Dst); ok {
			return text + ": " + rejection(m, kind, table)
		}
		return text + ": refused"
	case r.Via.IsValid():
		text += fmt.Sprintf(" via %s dev %s", r.Via, s.name(r.Out))
	default:
		text += " via " + s.name(r.Out)
	}
	what := r.Match.String()
	if r.Match.IsValid() && r.Match.Bits() == 0 {
		what = "default"
	}
	if !r.Match.IsValid() {
		return text
	}
	if r.Table != unix.RT_TABLE_MAIN && r.Table != 0 {
		what += ", table " + kernel.TableName(r.Table)
	}
	return text + " (" + what + ")"
}

// ruling tells what the packet filter decided, where it had anything to decide.
func (a *analysis) ruling(v *visit, r *run, d *decision, back bool) {
	if d.number == 0 && !d.drops() && (d.empty || d.table != "filter" && !d.native) {
		return
	}
	text := d.by()
	if change := a.change(v, r); change != "" && d.table == "nat" && d.number > 0 {
		text += "   " + change
	}
	a.step(Step{Space: v.space.Name, Stage: d.stage(), Verdict: d.target, Text: text, Back: back})
}

// change tells what a chain of NAT has made of a flow.
func (a *analysis) change(v *visit, r *run) string {
	before, after := r.pkt.flow(), flow{}
	if out := v.departure(); out != nil {
		after = out.flow()
	} else if r.hook == hookPrerouting {
		after = before
		for _, o := range v.space.runs {
			if o.pkt != nil && o.class == r.class && o.second == r.second && (o.hook == hookInput || o.hook == hookForward) {
				after.dst, after.dport = o.pkt.dst, o.pkt.dport
			}
		}
		a.translated(v, r, &after)
	} else {
		return ""
	}
	if r.hook == hookPostrouting || r.hook == hookInput {
		if before.src == after.src && before.sport == after.sport {
			return ""
		}
		return before.from() + " → " + after.from()
	}
	if before.dst == after.dst && before.dport == after.dport {
		return ""
	}
	return before.to() + " → " + after.to()
}

// silentNAT tells what connection tracking has translated without asking a rule: all
// but a connection's first packet. The destination is translated before the routing,
// the source after it.
func (a *analysis) silentNAT(v *visit, runs []*run, back, destination bool) {
	if !v.last().out || v.first().out ||
		slices.ContainsFunc(runs, func(r *run) bool { return r.table == "nat" && !r.last().Policy }) {
		return
	}
	in, out := v.first().flow(), v.last().flow()
	before, after := in.from(), out.from()
	if destination {
		before, after = in.to(), out.to()
	}
	if before != after {
		a.step(Step{Space: v.space.Name, Stage: "conntrack", Verdict: "NAT", Text: before + " → " + after, Back: back})
	}
}
