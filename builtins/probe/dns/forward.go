package dns

import (
	"context"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// forwarder asks other servers for what belongs to no zone.
type forwarder []forwarding

type forwarding struct {
	domain  string // canonical
	servers []netip.AddrPort
	slots   chan struct{} // one for each question under way
}

const (
	// forwardTime is how long a server may take to answer.
	forwardTime = 2 * time.Second
	// maxForwards bounds the questions under way: servers that forward to each other in a ring would
	// never be done with one.
	maxForwards = 200
)

func newForwarder(list []Forward) forwarder {
	var f forwarder
	for _, x := range list {
		f = append(f, forwarding{dns.CanonicalName(x.Domain), x.Servers, make(chan struct{}, maxForwards)})
	}
	return f
}

// to finds who is to be asked for a name: those of the longest domain that it is in.
func (f forwarder) to(name string) (best forwarding, ok bool) {
	for _, x := range f {
		if dns.IsSubDomain(x.domain, name) && (!ok || len(x.domain) > len(best.domain)) {
			best, ok = x, true
		}
	}
	return best, ok
}

// complete adds to an answer what other servers say of a name, where the client wants
// that and somebody may be asked.
func (f forwarder) complete(ctx context.Context, m, q *dns.Msg, name string) {
	to, ok := f.to(name)
	if !ok || !q.RecursionDesired {
		if len(m.Answer) == 0 {
			m.Rcode = dns.RcodeRefused
		}
		return
	}
	ask := q.Copy()
	ask.Id = dns.Id()
	ask.Question[0].Name = name
	r, err := to.exchange(ctx, ask)
	if err != nil {
		m.Rcode = dns.RcodeServerFailure
		return
	}
	m.Rcode = r.Rcode
	m.Answer = append(m.Answer, r.Answer...)
	m.Ns = append(m.Ns, r.Ns...)
	for _, rr := range r.Extra {
		if rr.Header().Rrtype != dns.TypeOPT {
			m.Extra = append(m.Extra, rr)
		}
	}
}

// exchange asks the servers in their order until one answers.
func (f forwarding) exchange(ctx context.Context, q *dns.Msg) (r *dns.Msg, err error) {
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	default:
		return nil, context.DeadlineExceeded
	}
	for _, server := range f.servers {
		for _, proto := range []string{"udp", "tcp"} {
			client := &dns.Client{Net: proto, Timeout: forwardTime}
			r, _, err = client.ExchangeContext(ctx, q, server.String())
			if err != nil || !r.Truncated {
				break
			}
		}
		if err == nil && r.Rcode != dns.RcodeServerFailure {
			return r, nil
		}
	}
	return r, err
}
