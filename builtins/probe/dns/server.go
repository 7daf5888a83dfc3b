package dns

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Port is the one on which name servers listen.
const Port = 53

// ServerOptions say what a server knows. Records are lines as [Parse] returns them.
type ServerOptions struct {
	Records []string
	Views   []View
	Forward []Forward
	// Names is a file as hosts(5) has it whose names are served too; "" for none.
	// It is read anew when it has changed.
	Names string
	Port  int
	Log   io.Writer // gets a line for each question
}

// View is what clients of certain networks see: its names stand in place of those
// that all others see.
type View struct {
	Clients []netip.Prefix
	Records []string
}

// Forward says whom to ask for the names of a domain that are in no zone.
type Forward struct {
	Domain  string // "." for all
	Servers []netip.AddrPort
}

// Server answers questions over UDP and TCP.
type Server struct {
	opts    ServerOptions
	base    []dns.RR
	views   []view
	forward forwarder
	udp     *net.UDPConn
	tcp     net.Listener

	mu    sync.Mutex
	names stamp
	built []*zones // of each view, then of all others

	logging sync.Mutex
}

type view struct {
	clients []netip.Prefix
	records []dns.RR
}

// stamp tells one state of a file from another.
type stamp struct {
	at   time.Time
	size int64
}

func parseAll(lines []string) ([]dns.RR, error) {
	var list []dns.RR
	for _, l := range lines {
		rr, err := dns.NewRR(l)
		if err != nil || rr == nil {
			return nil, fmt.Errorf("%q is no record as a zone file has it", l)
		}
		list = append(list, rr)
	}
	return list, nil
}

// Serve answers until ctx is done.
func (s *Server) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) { s.handle(ctx, w, q) })
	servers := []*dns.Server{{PacketConn: s.udp, Handler: handler}, {Listener: s.tcp, Handler: handler}}
	stop := context.AfterFunc(ctx, func() {
		_ = s.udp.Close()
		_ = s.tcp.Close()
	})
	defer stop()
	ended := make(chan error, len(servers))
	for _, server := range servers {
		go func() { ended <- server.ActivateAndServe() }()
	}
	err := <-ended
	if ctx.Err() != nil {
		err = nil
	}
	cancel()
	if other := <-ended; other != nil && err == nil {
		return nil // it was ended from here
	}
	return err
}

// handle answers one question.
func (s *Server) handle(ctx context.Context, w dns.ResponseWriter, q *dns.Msg) {
	from, proto := remote(w.RemoteAddr())
	m := s.Answer(ctx, from, q)
	if proto == "udp" {
		m.Truncate(payload(q))
	}
	s.log(from, proto, q, m)
	_ = w.WriteMsg(m) // that the client has gone is its own affair
}

// payload is how large an answer over UDP may be (RFC 6891, 6.2.3).
func payload(q *dns.Msg) int {
	if opt := q.IsEdns0(); opt != nil {
		return max(dns.MinMsgSize, int(opt.UDPSize()))
	}
	return dns.MinMsgSize
}

func remote(a net.Addr) (from netip.Addr, proto string) {
	if ap, err := netip.ParseAddrPort(a.String()); err == nil {
		from = ap.Addr().Unmap()
	}
	return from, a.Network()
}

// Answer makes the answer to a question from a client.
func (s *Server) Answer(ctx context.Context, from netip.Addr, q *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(q)
	m.RecursionAvailable = len(s.forward) > 0
	defer func() {
		if q.IsEdns0() != nil && m.IsEdns0() == nil {
			m.SetEdns0(1232, false)
		}
	}()
	switch {
	case q.Opcode != dns.OpcodeQuery:
		m.Rcode = dns.RcodeNotImplemented
		return m
	case len(q.Question) != 1:
		m.Rcode = dns.RcodeFormatError
		return m
	case q.Question[0].Qclass != dns.ClassINET, q.Question[0].Qtype == dns.TypeAXFR, q.Question[0].Qtype == dns.TypeIXFR:
		m.Rcode = dns.RcodeRefused
		return m
	}
	ask := q.Question[0]
	outside := s.zonesFor(from).reply(m, dns.CanonicalName(ask.Name), ask.Qtype)
	if outside != "" {
		s.forward.complete(ctx, m, q, outside)
	}
	return m
}

// zonesFor are those that a client sees: of the view of the smallest network that it is in.
func (s *Server) zonesFor(from netip.Addr) *zones {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh()
	best, bits := len(s.views), -1
	for i, v := range s.views {
		for _, p := range v.clients {
			if p.Contains(from) && p.Bits() > bits {
				best, bits = i, p.Bits()
			}
		}
	}
	return s.built[best]
}

// refresh builds the zones when the file of names has changed.
func (s *Server) refresh() {
	var now stamp
	if s.opts.Names != "" {
		if st, err := os.Stat(s.opts.Names); err == nil {
			now = stamp{st.ModTime(), st.Size()}
		}
	}
	if s.built != nil && now == s.names {
		return
	}
	s.names, s.built = now, nil
	base := append(append([]dns.RR{}, s.base...), hosts(s.opts.Names)...)
	for _, v := range s.views {
		s.built = append(s.built, newZones(over(v.records, base)))
	}
	s.built = append(s.built, newZones(base))
}

// over returns records with those of a base whose names they do not have.
func over(top, base []dns.RR) []dns.RR {
	has := map[string]bool{}
	for _, rr := range top {
		has[dns.CanonicalName(rr.Header().Name)] = true
	}
	list := append([]dns.RR{}, top...)
	for _, rr := range base {
		if !has[dns.CanonicalName(rr.Header().Name)] {
			list = append(list, rr)
		}
	}
	return list
}

// hosts reads a file of names, what can be understood of it.
func hosts(path string) []dns.RR {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	var list []dns.RR
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 2 || strings.HasPrefix(words[0], "#") {
			continue
		}
		kind := "A"
		if strings.Contains(words[0], ":") {
			kind = "AAAA"
		}
		line, err := Parse(words[1], kind, words[0], 5)
		if err != nil {
			continue
		}
		if rr, err := dns.NewRR(line); err == nil {
			list = append(list, rr)
		}
	}
	return list
}

// log writes a line about a question and what it was answered.
func (s *Server) log(from netip.Addr, proto string, q, m *dns.Msg) {
	if len(q.Question) != 1 {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %s %s", from, proto, q.Question[0].Name, dns.Type(q.Question[0].Qtype), dns.RcodeToString[m.Rcode])
	for _, rr := range m.Answer {
		fmt.Fprintf(&b, " %s", data(rr))
	}
	if m.Truncated {
		b.WriteString(" (truncated)")
	}
	b.WriteByte('\n')
	s.logging.Lock()
	defer s.logging.Unlock()
	_, _ = io.WriteString(s.opts.Log, b.String()) // a log that cannot be written is no reason not to answer
}
