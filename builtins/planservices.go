package builtins

import (
	"net/netip"

	"nsscript/builtins/picture"
	"nsscript/builtins/probe/dhcp"
	"nsscript/builtins/probe/dns"
)

// plannedServices are the servers of names and addresses that a planned script has
// made: what they would say is worked out from what they were given.
type plannedServices struct {
	names  []*dns.Zones
	dhcp   []plannedDHCP
	relays map[string]bool // the namespaces that have one
}

// plannedDHCP is a server in a namespace.
type plannedDHCP struct {
	ns     string
	server *dhcp.Planner
}

// anywhere is what a plan takes for an address of which it can know nothing (RFC 5737).
var anywhere = netip.MustParsePrefix("192.0.2.1/24")

// plannedAnswer is what a name server would say, whichever of the script's knows the name.
func (s *Session) plannedAnswer(cfg dns.Config, q dns.Question) dns.Answer {
	var nothing *dns.Answer
	for _, z := range s.services.names {
		a := z.Ask(cfg, q)
		if len(a.Answers) > 0 {
			return a
		}
		if a.Authority {
			nothing = &a
		}
	}
	if nothing != nil {
		return *nothing
	}
	a := dns.Answer{Name: q.Name, Server: cfg.Servers[0], Rcode: "NOERROR"}
	if q.Type == "A" {
		a.Answers = []string{anywhere.Addr().String()}
	}
	return a
}

// plannedLease is what the server on the same link, or behind a relay there, would give; or, where
// the script has made none, some address.
func (s *Session) plannedLease(ns *Namespace, req dhcp.Request) *dhcp.Lease {
	owner := req.MAC.String()
	if owner == "" {
		owner = ns.name + "/" + req.Dev
	}
	for _, l := range onLink(s.lab.Picture().Namespace(ns.name).Link(req.Dev)) {
		for _, server := range s.services.dhcp {
			if server.ns != l.NS.Name && !s.services.relays[l.NS.Name] {
				continue
			}
			if lease, ok := server.server.Lease(owner, l.Global(), server.ns != l.NS.Name); ok {
				lease.Dev, lease.MAC = req.Dev, req.MAC
				if server.ns != l.NS.Name {
					if ips, err := s.lab.Nearest(l.NS.Name, server.ns); err == nil && len(ips) > 0 {
						lease.Server = ips[0]
					}
				}
				return lease
			}
		}
	}
	return &dhcp.Lease{Dev: req.Dev, MAC: req.MAC, Addr: anywhere, Server: anywhere.Addr().Next()}
}

// onLink are the interfaces on the same link as another, through cables and bridges.
func onLink(from *picture.Link) []*picture.Link {
	seen := map[*picture.Link]bool{from: true}
	queue := []*picture.Link{from}
	for i := 0; i < len(queue); i++ {
		l := queue[i]
		next := append(l.Ports(), l.Peer, l.Master)
		for _, n := range next {
			if n != nil && !seen[n] {
				seen[n] = true
				queue = append(queue, n)
			}
		}
	}
	return queue[1:]
}
