//go:build linux

package trace

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// taken is what happens to a packet that is for the namespace itself.
func (a *analysis) taken(v *visit, in *sighting, l *routeLook, c class) (*Death, error) {
	s := v.space
	switch c {
	case answer:
		return a.answerTaken(s, in, l)
	case refusal, errorMsg:
		return nil, nil
	}
	d := Death{Dev: s.name(in.index), In: s.name(in.index), flow: l.flow}
	if owner := a.meant(); owner != nil && owner != s && s.hasAddr(l.flow.dst) && l.flow.dst == a.req.Target && l.flow.dport == a.portOfTarget() {
		d.Reason = WrongHost
		d.PeerSpace = owner.Name
		d.Text = fmt.Sprintf("it came to %s, which has the address %s too, and not to %s", s.Name, l.flow.dst, owner.Name)
		return a.death(s, c, d), nil
	}
	if a.seenFrom(s, answer) || a.sender.answered {
		return nil, nil
	}
	return a.unanswered(s, l, c, d)
}

// unanswered finds out why a host does not answer what it has taken in; nil where
// it does, or need not.
func (a *analysis) unanswered(s *space, l *routeLook, c class, d Death) (*Death, error) {
	received := "IpInReceives"
	if a.id.v6 {
		received = "Ip6InReceives"
	}
	if l.query.In != 0 && !s.grew(received) {
		d.Reason, d.Text = Unknown, fmt.Sprintf("%s of %s got it, and the IP of %s did not: a filter of tc(8) or XDP may be between them", d.In, s.Name, s.Name)
		return a.death(s, c, d), nil
	}
	for _, name := range []string{"IpExtInCsumErrors", "IcmpInCsumErrors", "Icmp6InCsumErrors", "TcpInCsumErrors", "UdpInCsumErrors", "Udp6InCsumErrors"} {
		if s.grew(name) {
			d.Reason, d.Text = Unknown, fmt.Sprintf("%s threw it away, for its checksum is wrong: it counted %s", s.Name, name)
			return a.death(s, c, d), nil
		}
	}
	switch {
	case a.id.proto == unix.IPPROTO_TCP:
		listens, err := s.NS.Listens("tcp", int(l.flow.dport))
		if err != nil {
			return nil, err
		}
		if !listens && !a.second {
			d.Reason, d.Text = NoListener, fmt.Sprintf("nothing listens in %s on tcp port %d", s.Name, l.flow.dport)
			return a.death(s, c, d), nil
		}
		if a.seenFrom(s, refusal) && !a.second {
			d.Reason, d.Elsewhere = NoListener, true
			d.Text = fmt.Sprintf("nothing listens in %s on %s: what listens on that port has another address", s.Name, l.flow.to())
			return a.death(s, c, d), nil
		}
		if s.grew("TcpExtListenOverflows") {
			d.Reason, d.Text = Unknown, fmt.Sprintf("the queue of what listens in %s on tcp port %d is full", s.Name, l.flow.dport)
			return a.death(s, c, d), nil
		}
	case a.id.proto == unix.IPPROTO_UDP:
		if a.seenFrom(s, errorMsg) || s.grew("UdpNoPorts") || s.grew("Udp6NoPorts") {
			d.Reason, d.Text = NoListener, fmt.Sprintf("nothing listens in %s on udp port %d", s.Name, l.flow.dport)
			return a.death(s, c, d), nil
		}
	default:
		key := "net/ipv4/icmp_echo_ignore_all"
		if a.id.v6 {
			key = "net/ipv6/icmp/echo_ignore_all"
		}
		if text, err := s.NS.ReadSysctl(key); err == nil && text != "0" {
			d.Reason, d.Text = NoListener, fmt.Sprintf("%s ignores echo requests (%s is %s)", s.Name, strings.ReplaceAll(key, "/", "."), text)
			return a.death(s, c, d), nil
		}
	}
	return nil, nil
}

// meant is the namespace that the probe is for, if it is known.
func (a *analysis) meant() *space {
	for _, s := range a.spaces {
		if a.req.Meant && s.Name == a.req.To {
			return s
		}
	}
	return nil
}

func (a *analysis) portOfTarget() uint16 {
	if a.req.Proto == ICMP {
		return 0
	}
	return a.req.Port
}

// seenFrom reports whether a namespace was seen to send packets of a class.
func (a *analysis) seenFrom(s *space, c class) bool {
	way := a.path(chosen(a.seen, c, a.second))
	if len(way) > 0 && way[0].space == s {
		return true
	}
	for _, r := range s.runs {
		if r.class == c && r.second == a.second && r.hook == hookOutput {
			return true
		}
	}
	return false
}

// back tells the way of the answer of a probe that was delivered.
func (a *analysis) back(end *space, forwardWay []*sighting) error {
	way := a.path(chosen(a.seen, answer, a.second))
	if last := forwardWay[len(forwardWay)-1]; true {
		f := last.flow()
		if to, ok := a.nat[natKey{end, f}]; ok {
			f = to
		}
		a.answerFlow = f.reversed()
	}
	if len(way) > 0 {
		a.w.RTT = way[len(way)-1].at.Sub(a.start)
	}
	closed := a.second && (a.sender.err == unix.ECONNRESET || a.sender.err == unix.EPIPE)
	if closed {
		a.w.Notes = append(a.w.Notes, fmt.Sprintf("what listens in %s has closed the connection without reading all", end.Name))
	}
	if a.sender.answered || closed {
		if len(way) > 0 {
			if _, _, err := a.trail(way, answer, true); err != nil {
				return err
			}
		}
		a.w.Replied, a.w.Death = true, nil
		return nil
	}
	if len(way) == 0 && !a.mustAnswer(end) {
		// Where there is no way back, an answer that was sent is not seen.
		l := &routeLook{flow: a.answerFlow, query: kernel.RouteQuery{Dst: a.answerFlow.dst, Src: a.answerFlow.src, Proto: a.id.proto, SrcPort: a.answerFlow.sport, DstPort: a.answerFlow.dport}}
		if l.ask(end); l.asked {
			if d := a.refused(end, l, answer); d != nil {
				a.step(Step{Space: end.Name, Stage: "routing", Text: l.text(end), Back: true})
				a.w.Death = d
			}
		}
		return nil
	}
	var d *Death
	var err error
	if len(way) == 0 {
		d, err = a.unsent(end, answer)
	} else {
		d, _, err = a.trail(way, answer, true)
		a.w.Replied = d == nil && err == nil && way[len(way)-1].space == a.source
		if d != nil && d.Cause == Unknown {
			rest, err := a.incomplete(way, restAnswer)
			if err != nil {
				return err
			}
			if rest != nil {
				d = rest
			}
		}
	}
	a.w.Death = d
	return err
}

// mustAnswer reports whether the host that a probe was delivered to has to answer,
// or tried to: UDP promises nothing.
func (a *analysis) mustAnswer(s *space) bool {
	return a.id.proto != unix.IPPROTO_UDP || a.seenFrom(s, answer)
}

// answerTaken is what happens to an answer that a namespace takes for itself.
func (a *analysis) answerTaken(s *space, in *sighting, l *routeLook) (*Death, error) {
	if a.sender.answered {
		return nil, nil
	}
	d := Death{Dev: s.name(in.index), In: s.name(in.index), flow: l.flow, Reason: WrongHost}
	want := a.forwardWay[0].flow().reversed()
	switch {
	case s != a.source:
		d.Text = fmt.Sprintf("the answer went to %s, not to %s", s.Name, a.source.Name)
	case l.flow != want:
		d.Text = fmt.Sprintf("%s asked %s and knows nothing of an answer from %s", s.Name, want.from(), l.flow.from())
		if l.flow.src == want.src {
			d.Text = fmt.Sprintf("%s asked from %s and knows nothing of an answer to %s", s.Name, want.to(), l.flow.to())
		}
	case a.second:
		return nil, nil // the connection was reset at the same time, by who closed it unread
	default:
		return a.unknown(s, answer, l.flow), nil
	}
	return a.death(s, answer, d), nil
}

// messages tells what came back of a probe that died: an ICMP error message or a
// reset.
func (a *analysis) messages(d *Death) error {
	for _, c := range []class{refusal, errorMsg} {
		way := a.path(chosen(a.seen, c, a.second))
		if len(way) == 0 {
			if err := a.unsaid(d, c); err != nil {
				return err
			}
			continue
		}
		lost, _, err := a.trail(way, c, true)
		if err != nil {
			return err
		}
		if lost != nil {
			a.w.Notes = append(a.w.Notes, fmt.Sprintf("the %s that should tell %s so was lost: %s", way[0].what(), a.source.Name, lost.Text))
			a.blackHole(d)
		}
	}
	return nil
}

// unsaid finds a message that was dropped before it left who wanted to send it.
func (a *analysis) unsaid(d *Death, c class) error {
	for _, s := range a.spaces {
		for _, r := range s.sent(c, a.second) {
			x, err := s.decide(r, a.req.Rules)
			if err != nil {
				return fmt.Errorf("namespace %q: %w", s.Name, err)
			}
			if !x.drops() {
				continue
			}
			a.ruling(&visit{space: s}, r, &x, true)
			a.w.Notes = append(a.w.Notes, fmt.Sprintf("the %s that should tell %s so was %s", r.pkt.what(), a.source.Name, a.filtered(s, r, &x, c).Text))
			a.blackHole(d)
		}
	}
	return nil
}

// blackHole adds what a lost message about the size of packets leads to.
func (a *analysis) blackHole(d *Death) {
	if d.Reason == FragNeeded {
		a.w.Notes = append(a.w.Notes, fmt.Sprintf("so %s never learns to send less: a black hole for big packets", a.source.Name))
	}
}
