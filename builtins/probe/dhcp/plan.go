package dhcp

import (
	"net/netip"
	"time"
)

// Planner is what a server that is only planned would give out.
type Planner struct{ server *Server }

// NewPlanner plans a server.
func NewPlanner(config Config) *Planner {
	return &Planner{&Server{config: config, leases: newLeases()}}
}

// Lease is what a client would be given that reaches the server by an interface with these
// addresses, its own or a relay's. The owner stands for the client's MAC address.
func (p *Planner) Lease(owner string, by []netip.Prefix, relayed bool) (*Lease, bool) {
	for _, local := range by {
		subnet, self := p.server.config.subnetOf(netip.Addr{}, netip.Addr{}, []netip.Prefix{local})
		if subnet == nil {
			continue
		}
		a, ok := p.server.config.Reservations[owner]
		if !ok || !subnet.Network.Contains(a) {
			if a, ok = p.server.leases.pick(subnet, owner, netip.Addr{}, p.server.taken(subnet, by), time.Now()); !ok {
				return nil, false
			}
		}
		p.server.leases.give(a, owner, time.Now().Add(subnet.leaseTime()), true)
		l := &Lease{Addr: netip.PrefixFrom(a, subnet.Network.Bits()), Routers: subnet.Routers, DNS: subnet.DNS,
			Domain: subnet.Domain, Server: self, Time: subnet.leaseTime()}
		if relayed {
			l.Relay = self
		}
		return l, true
	}
	return nil, false
}
