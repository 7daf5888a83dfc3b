package dns

import (
	"context"
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"nsscript/builtins/probe"
)

// exchange sends a question and reads the answer. There is none where the result tells
// of an error.
func exchange(ctx context.Context, ns probe.Namespace, server netip.AddrPort, proto string, q *dns.Msg, timeout time.Duration) (probe.ConnectResult, *dns.Msg, error) {
	wire, err := q.Pack()
	if err != nil {
		return probe.ConnectResult{}, nil, err
	}
	if proto == "tcp" {
		wire = append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...) // RFC 1035, 4.2.2
	}
	r, err := probe.Connect(ctx, ns, probe.ConnectRequest{Target: server, Proto: proto, Send: wire, HasSend: true, Timeout: timeout})
	if err != nil || !r.OK {
		return r, nil, err
	}
	b := r.Reply
	if proto == "tcp" && len(b) > 2 {
		b = b[2:min(len(b), 2+int(binary.BigEndian.Uint16(b)))]
	}
	m := new(dns.Msg)
	if m.Unpack(b) != nil || m.Id != q.Id || !m.Response {
		r.Error = probe.Malformed
		return r, nil, nil
	}
	return r, m, nil
}

func askOne(ctx context.Context, ns probe.Namespace, server netip.AddrPort, name string, kind uint16, tcp bool, timeout time.Duration) (Answer, error) {
	q := new(dns.Msg).SetQuestion(name, kind)
	q.SetEdns0(1232, false)
	a := Answer{Name: name, Server: server}
	protos := []string{"udp", "tcp"}
	if tcp {
		protos = protos[1:]
	}
	for _, proto := range protos {
		r, m, err := exchange(ctx, ns, server, proto, q, timeout)
		if err != nil {
			return a, err
		}
		a.RTT, a.Error = r.RTT, r.Error
		if m == nil {
			return a, nil
		}
		if !m.Truncated {
			a.fill(m, kind)
			break
		}
	}
	return a, nil
}

// askAll asks the servers in their order, and once more, until one has an answer.
func askAll(ctx context.Context, ns probe.Namespace, servers []netip.AddrPort, q Question, name string, kind uint16, deadline time.Time) (a Answer, err error) {
	tries := rounds * len(servers)
	for i := range tries {
		left := time.Until(deadline) / time.Duration(tries-i)
		a, err = askOne(ctx, ns, servers[i%len(servers)], name, kind, q.TCP, left)
		if err != nil || a.Error == "" && a.Rcode != "SERVFAIL" && a.Rcode != "REFUSED" {
			return a, err
		}
		if len(servers) == 1 && a.Error != probe.Timeout {
			break
		}
	}
	return a, nil
}

// Ask asks from a namespace. An error of Go is one that is none of the network's.
func Ask(ctx context.Context, ns probe.Namespace, cfg Config, q Question) (Answer, error) {
	kind, err := typeOf(q.Type)
	if err != nil {
		return Answer{}, err
	}
	deadline := time.Now().Add(q.Timeout)
	var a Answer
	for i, name := range cfg.names(q.Name) {
		next, err := askAll(ctx, ns, cfg.Servers, q, name, kind, deadline)
		if err != nil {
			return next, err
		}
		if i == 0 || len(next.Answers) > 0 {
			a = next
		}
		if len(next.Answers) > 0 || next.Error != "" {
			break
		}
	}
	return a, nil
}
