package dhcp

import (
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// Server gives out addresses.
type Server struct {
	config Config
	leases *leases
	socket *socket
	log    io.Writer
}

// everybody is where clients send to that know no server.
var everybody = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// word is the name of a message as people write it.
func word(m *dhcpv4.DHCPv4) string { return "DHCP" + strings.ToUpper(m.MessageType().String()) }

// taken are the addresses that clients cannot have: the server's own, those that are
// told of, and reserved ones.
func (s *Server) taken(subnet *Subnet, local []netip.Prefix) map[netip.Addr]bool {
	taken := map[netip.Addr]bool{}
	for _, p := range local {
		taken[p.Addr()] = true
	}
	for _, list := range [][]netip.Addr{subnet.Routers, subnet.DNS} {
		for _, a := range list {
			taken[a] = true
		}
	}
	for _, a := range s.config.Reservations {
		taken[a] = true
	}
	return taken
}

// say writes a line to the log.
func (s *Server) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.log, format+"\n", args...) // a log that cannot be written is no reason not to serve
}
