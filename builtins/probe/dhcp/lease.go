package dhcp

import (
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// Lease is what a server has given a client.
type Lease struct {
	Dev     string
	MAC     net.HardwareAddr
	Addr    netip.Prefix
	Routers []netip.Addr
	DNS     []netip.Addr
	Domain  string
	Server  netip.Addr // its identifier
	Relay   netip.Addr // who passed the messages on; invalid for nobody
	Time    time.Duration
}

// leaseOf reads an acknowledgement.
func leaseOf(m *dhcpv4.DHCPv4) *Lease {
	l := &Lease{MAC: m.ClientHWAddr, Server: addrOf(m.ServerIdentifier()), Domain: m.DomainName(), Time: m.IPAddressLeaseTime(0)}
	bits := 32
	if mask := m.SubnetMask(); mask != nil {
		if ones, size := mask.Size(); size == 32 {
			bits = ones
		}
	}
	l.Addr = netip.PrefixFrom(addrOf(m.YourIPAddr), bits)
	l.Routers, l.DNS = addrsOf(m.Router()), addrsOf(m.DNS())
	if relay := addrOf(m.GatewayIPAddr); relay.IsValid() && !relay.IsUnspecified() {
		l.Relay = relay
	}
	return l
}

// addrOf is an IPv4 address in the form of this program; invalid if it is none.
func addrOf(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip.To4())
	return a
}

func addrsOf(ips []net.IP) []netip.Addr {
	var list []netip.Addr
	for _, ip := range ips {
		if a := addrOf(ip); a.IsValid() {
			list = append(list, a)
		}
	}
	return list
}

func ipsOf(addrs []netip.Addr) []net.IP {
	list := make([]net.IP, len(addrs))
	for i, a := range addrs {
		list[i] = a.AsSlice()
	}
	return list
}
