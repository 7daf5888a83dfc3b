package builtins

import (
	"fmt"
	"net/netip"
	"slices"

	"go.starlark.net/starlark"

	"nsscript/builtins/probe"
)

// Asked is what a script has asked of the network with one probe, and what came of it.
type Asked struct {
	From string `json:"from"`
	To   string `json:"to"`             // the lab's name for it, or the address
	What string `json:"what,omitempty"` // "tcp 80", "udp 53"; "" for a ping
	OK   bool   `json:"ok"`             // it got there and an answer came
	Got  string `json:"got"`            // what came of it, in words

	// Walk is the way of one more such packet, where Options.Walks asked for it.
	Walk string `json:"walk,omitempty"`

	ns     *Namespace
	target starlark.Value
	port   int
	proto  string
}

func (a *Asked) String() string {
	text := a.From + " → " + a.To
	if a.What != "" {
		text += " " + a.What
	}
	return text
}

// probed remembers a probe for the check that comes next.
func (s *Session) probed(a Asked, ip netip.Addr) {
	a.From, a.To = a.ns.name, s.calledTarget(a.target, ip)
	if a.proto != "" {
		a.What = fmt.Sprintf("%s %d", a.proto, a.port)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, a)
	if n := len(s.asked); n > mostAsked {
		s.asked = slices.Delete(s.asked, 0, n-mostAsked)
	}
}

// mostAsked is how many probes are remembered for one check.
const mostAsked = 64

// calledTarget is how a target is called: by the name of its namespace, where the lab
// has one.
func (s *Session) calledTarget(target starlark.Value, ip netip.Addr) string {
	switch v := target.(type) {
	case *Namespace:
		return v.name
	case linkValue:
		return v.link().n.name
	}
	return ip.String()
}

// askedSince returns the probes since the last check, and forgets them.
func (s *Session) askedSince() []Asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.asked
	s.asked = nil
	return list
}

// mostWalks is how many packets are followed for one check that failed.
const mostWalks = 3

// follow follows one more packet of each probe that a check which failed has made.
func (c *call) follow(list []Asked) error {
	done := map[string]bool{}
	for i := range list {
		a := &list[i]
		if done[a.String()] || len(done) == mostWalks || a.ns.alive() != nil {
			continue
		}
		done[a.String()] = true
		named := map[string]any{}
		if a.proto != "" {
			named[a.proto] = a.port
		}
		v, err := c.Call("trace", []any{a.ns, a.target}, named)
		switch {
		case c.ctx.Err() != nil:
			return c.ctx.Err()
		case err != nil:
			a.Walk = err.Error()
		default:
			a.Walk = v.String()
		}
	}
	return nil
}

// outcome is what came of a probe, in words.
func outcome(failed string, from netip.Addr) string {
	said := map[string]string{"": "got through", "timeout": "no answer"}[failed]
	if said == "" {
		said = failed
	}
	if from.IsValid() {
		said += ", says " + from.String()
	}
	return said
}

// pinged is what came of pings, in words.
func pinged(r probe.PingResult) string {
	if r.Error == "" && r.Received < r.Sent {
		return fmt.Sprintf("%d of %d were answered", r.Received, r.Sent)
	}
	return outcome(r.Error, r.ErrorFrom)
}
