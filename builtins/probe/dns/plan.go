package dns

import (
	"context"
	"io"
	"strings"

	"github.com/miekg/dns"
)

// Zones is what a server that is only planned would know.
type Zones struct{ server *Server }

// NewZones reads records as [Listen] does.
func NewZones(records []string) (*Zones, error) {
	list, err := parseAll(records)
	return &Zones{&Server{opts: ServerOptions{Log: io.Discard}, base: list}}, err
}

// Ask is what [Ask] would have as an answer from that server.
func (z *Zones) Ask(cfg Config, q Question) Answer {
	a := Answer{Name: q.Name}
	kind, err := typeOf(q.Type)
	if err != nil || len(cfg.Servers) == 0 {
		return a
	}
	for _, name := range cfg.names(q.Name) {
		m := z.server.Answer(context.Background(), cfg.Servers[0].Addr(), new(dns.Msg).SetQuestion(name, kind))
		a = Answer{Name: strings.TrimSuffix(name, "."), Server: cfg.Servers[0]}
		if a.fill(m, kind); len(a.Answers) > 0 {
			break
		}
	}
	return a
}
