package dhcp

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// Listen opens a server's port in the namespace of the calling thread. What it does
// is written to log.
func Listen(config Config, log io.Writer) (*Server, error) {
	for i := range config.Subnets {
		if err := config.Subnets[i].Check(); err != nil {
			return nil, err
		}
	}
	s, err := listen()
	if err != nil {
		return nil, err
	}
	return &Server{config, newLeases(), s, log}, nil
}

// send sends an answer to where the client can receive it (RFC 2131, 4.1).
func (s *Server) send(m *dhcpv4.DHCPv4, self, relay netip.Addr, index int) error {
	client := addrOf(m.ClientIPAddr)
	switch {
	case relay.IsValid():
		return s.socket.unicast(m, self, netip.AddrPortFrom(relay, serverPort))
	case client.IsValid() && !client.IsUnspecified() && m.MessageType() != dhcpv4.MessageTypeNak:
		return s.socket.unicast(m, self, netip.AddrPortFrom(client, clientPort))
	}
	return s.socket.toClient(m, self, index)
}

// handle answers one message.
func (s *Server) handle(in incoming) {
	m := in.msg
	name, local := localAddrs(in.index)
	relay := addrOf(m.GatewayIPAddr)
	if relay.IsUnspecified() {
		relay = netip.Addr{}
	}
	if !relay.IsValid() && len(s.config.Devices) > 0 && !slices.Contains(s.config.Devices, name) {
		return
	}
	by := name
	if relay.IsValid() {
		by = "relay " + relay.String()
	}
	from := fmt.Sprintf("%s %s by %s", word(m), m.ClientHWAddr, by)
	client := addrOf(m.ClientIPAddr)
	if client.IsUnspecified() || in.dst == everybody {
		client = netip.Addr{}
	}
	subnet, self := s.config.subnetOf(relay, client, local)
	if subnet == nil {
		s.say("%s: no subnet of this server", from)
		return
	}
	if !self.IsValid() {
		self = in.dst
	}
	answer, note := s.respond(m, arrival{subnet, self, s.taken(subnet, local)}, time.Now())
	if answer == nil {
		s.say("%s", strings.TrimSuffix(from+": "+note, ": "))
		return
	}
	err := s.send(answer, self, relay, in.index)
	switch {
	case err != nil:
		s.say("%s: %s cannot be sent: %v", from, word(answer), err)
	case answer.YourIPAddr.IsUnspecified():
		s.say("%s: %s", from, word(answer))
	default:
		s.say("%s: %s %s", from, word(answer), answer.YourIPAddr)
	}
}

// Serve answers until ctx is done.
func (s *Server) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.socket.close)
	defer stop()
	for {
		in, err := s.socket.receive()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if in.msg.OpCode == dhcpv4.OpcodeBootRequest {
			s.handle(in)
		}
	}
}
