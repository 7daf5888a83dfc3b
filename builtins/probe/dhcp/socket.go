package dhcp

import (
	"net"
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/net/ipv4"
)

// socket is the port of a server or a relay, and the way to clients that have no address yet.
type socket struct {
	conn   *ipv4.PacketConn
	frames int // a packet socket that only sends
}

// incoming is a message with where it came from.
type incoming struct {
	msg   *dhcpv4.DHCPv4
	index int        // the interface that it came in by
	dst   netip.Addr // to whom it was sent
}

func (s *socket) close() { _ = s.conn.Close() }

// receive returns the next message; what is none is passed over.
func (s *socket) receive() (in incoming, err error) {
	buf := make([]byte, 1<<16)
	for {
		n, cm, _, err := s.conn.ReadFrom(buf)
		if err != nil {
			return in, err
		}
		m, err := dhcpv4.FromBytes(buf[:n])
		if err != nil || cm == nil {
			continue
		}
		return incoming{m, cm.IfIndex, addrOf(cm.Dst)}, nil
	}
}

// unicast sends a message to an address.
func (s *socket) unicast(m *dhcpv4.DHCPv4, from netip.Addr, to netip.AddrPort) error {
	_, err := s.conn.WriteTo(m.ToBytes(), source(from, 0), net.UDPAddrFromAddrPort(to))
	return err
}

// source has a message sent from an address and, if index is not 0, over an interface.
func source(from netip.Addr, index int) *ipv4.ControlMessage {
	cm := &ipv4.ControlMessage{IfIndex: index}
	if from.IsValid() {
		cm.Src = from.AsSlice()
	}
	return cm
}

// localAddrs are the IPv4 addresses of an interface.
func localAddrs(index int) (name string, list []netip.Prefix) {
	dev, err := net.InterfaceByIndex(index)
	if err != nil {
		return "", nil // it has gone
	}
	addrs, err := dev.Addrs()
	if err != nil {
		return dev.Name, nil
	}
	return dev.Name, prefixes(addrs)
}

func prefixes(addrs []net.Addr) []netip.Prefix {
	var list []netip.Prefix
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			list = append(list, p)
		}
	}
	return list
}
