package dhcp

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// arrival is where a message came in.
type arrival struct {
	subnet *Subnet
	self   netip.Addr          // the server's identifier for this client
	taken  map[netip.Addr]bool // addresses that no client can have
}

// subnetOf finds the subnet of a client: by the relay's address, by the client's own where it
// writes to this server alone (to renew a lease, past all relays), else by the addresses of
// the interface. self is the server's address there, if it has one.
func (c *Config) subnetOf(relay, client netip.Addr, local []netip.Prefix) (s *Subnet, self netip.Addr) {
	for i := range c.Subnets {
		s := &c.Subnets[i]
		switch {
		case relay.IsValid():
			if s.Network.Contains(relay) {
				return s, self
			}
		case client.IsValid():
			if s.Network.Contains(client) {
				return s, self
			}
		default:
			for _, p := range local {
				if s.Network.Contains(p.Addr()) {
					return s, p.Addr()
				}
			}
		}
	}
	return nil, self
}

// keyOf identifies a client (RFC 2131, 4.2).
func keyOf(m *dhcpv4.DHCPv4) string {
	if id := m.GetOneOption(dhcpv4.OptionClientIdentifier); len(id) > 0 {
		return hex.EncodeToString(id)
	}
	return fmt.Sprintf("%02x%s", uint8(m.HWType), hex.EncodeToString(m.ClientHWAddr))
}

// respond answers a client's message; nil for no answer. The note is for the log.
func (s *Server) respond(m *dhcpv4.DHCPv4, at arrival, now time.Time) (answer *dhcpv4.DHCPv4, note string) {
	switch m.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		a, ok := s.choose(m, at, addrOf(m.RequestedIPAddress()), now)
		if !ok {
			return nil, "no address is free"
		}
		s.leases.give(a, keyOf(m), now.Add(offerTime), false)
		return s.lease(m, at, dhcpv4.MessageTypeOffer, a), ""
	case dhcpv4.MessageTypeRequest:
		return s.request(m, at, now)
	case dhcpv4.MessageTypeDecline:
		// Somebody else has it, says the client.
		if a := addrOf(m.RequestedIPAddress()); at.subnet.Network.Contains(a) && s.meant(m, at) && s.leases.free(a, keyOf(m), now) {
			s.leases.give(a, "", now.Add(at.subnet.leaseTime()), true)
		}
	case dhcpv4.MessageTypeRelease:
		if x := s.leases.byKey[keyOf(m)]; x != nil && x.addr == addrOf(m.ClientIPAddr) {
			s.leases.drop(x)
		}
	case dhcpv4.MessageTypeInform:
		answer := s.lease(m, at, dhcpv4.MessageTypeAck, netip.Addr{})
		answer.Options.Del(dhcpv4.OptionIPAddressLeaseTime)
		return answer, ""
	}
	return nil, ""
}

// meant reports whether a message names this server, or none.
func (s *Server) meant(m *dhcpv4.DHCPv4, at arrival) bool {
	id := addrOf(m.ServerIdentifier())
	return !id.IsValid() || id == at.self
}

// choose finds an address for a client.
func (s *Server) choose(m *dhcpv4.DHCPv4, at arrival, wish netip.Addr, now time.Time) (netip.Addr, bool) {
	if a, ok := s.config.Reservations[m.ClientHWAddr.String()]; ok && at.subnet.Network.Contains(a) {
		return a, true
	}
	return s.leases.pick(at.subnet, keyOf(m), wish, at.taken, now)
}

// request answers a client that has chosen an address, still has one or wants to keep one.
func (s *Server) request(m *dhcpv4.DHCPv4, at arrival, now time.Time) (*dhcpv4.DHCPv4, string) {
	if !s.meant(m, at) {
		// It has chosen another server's offer.
		if x := s.leases.byKey[keyOf(m)]; x != nil && !x.bound {
			s.leases.drop(x)
		}
		return nil, "for another server"
	}
	wish := addrOf(m.RequestedIPAddress())
	if !wish.IsValid() {
		wish = addrOf(m.ClientIPAddr)
	}
	a, ok := s.choose(m, at, wish, now)
	if !ok || a != wish {
		return s.refuse(m, at), ""
	}
	s.leases.give(a, keyOf(m), now.Add(at.subnet.leaseTime()), true)
	return s.lease(m, at, dhcpv4.MessageTypeAck, a), ""
}

// reply begins an answer.
func reply(m *dhcpv4.DHCPv4, at arrival, kind dhcpv4.MessageType) *dhcpv4.DHCPv4 {
	r := &dhcpv4.DHCPv4{
		OpCode: dhcpv4.OpcodeBootReply, HWType: m.HWType, TransactionID: m.TransactionID, Flags: m.Flags,
		ClientHWAddr: m.ClientHWAddr, GatewayIPAddr: m.GatewayIPAddr, Options: dhcpv4.Options{},
		ClientIPAddr: net.IPv4zero, YourIPAddr: net.IPv4zero, ServerIPAddr: net.IPv4zero,
	}
	r.UpdateOption(dhcpv4.OptMessageType(kind))
	r.UpdateOption(dhcpv4.OptServerIdentifier(at.self.AsSlice()))
	// What a relay has added goes back to it (RFC 3046, 2.2).
	if agent := m.GetOneOption(dhcpv4.OptionRelayAgentInformation); agent != nil {
		r.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionRelayAgentInformation, agent))
	}
	return r
}

// refuse is a DHCPNAK. It is broadcast, as the client's address is not right.
func (s *Server) refuse(m *dhcpv4.DHCPv4, at arrival) *dhcpv4.DHCPv4 {
	r := reply(m, at, dhcpv4.MessageTypeNak)
	r.SetBroadcast()
	return r
}

// lease is an offer or an acknowledgement.
func (s *Server) lease(m *dhcpv4.DHCPv4, at arrival, kind dhcpv4.MessageType, a netip.Addr) *dhcpv4.DHCPv4 {
	r := reply(m, at, kind)
	if a.IsValid() {
		r.YourIPAddr = a.AsSlice()
	}
	r.ClientIPAddr = m.ClientIPAddr
	mask := make([]byte, 4)
	for i := range at.subnet.Network.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	r.UpdateOption(dhcpv4.OptSubnetMask(mask))
	r.UpdateOption(dhcpv4.OptIPAddressLeaseTime(at.subnet.leaseTime()))
	if len(at.subnet.Routers) > 0 {
		r.UpdateOption(dhcpv4.OptRouter(ipsOf(at.subnet.Routers)...))
	}
	if len(at.subnet.DNS) > 0 {
		r.UpdateOption(dhcpv4.OptDNS(ipsOf(at.subnet.DNS)...))
	}
	if at.subnet.Domain != "" {
		r.UpdateOption(dhcpv4.OptDomainName(at.subnet.Domain))
	}
	return r
}
