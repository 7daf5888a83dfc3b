package dhcp

import (
	"errors"
	"net"
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"nsscript/builtins/probe"
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

// listen opens the port of servers in the namespace of the calling thread.
func listen() (*socket, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{Port: serverPort})
	if err != nil {
		var errno unix.Errno
		if errors.As(err, &errno) {
			return nil, &probe.PortError{Proto: "udp", Port: serverPort, Err: errno}
		}
		return nil, err
	}
	s := &socket{conn: ipv4.NewPacketConn(conn)}
	if err := s.conn.SetControlMessage(ipv4.FlagInterface|ipv4.FlagDst, true); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s.frames, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return s, nil
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

// toClient sends a message to a client on a link (RFC 2131, 4.1).
func (s *socket) toClient(m *dhcpv4.DHCPv4, from netip.Addr, index int) error {
	client := addrOf(m.YourIPAddr)
	if m.IsBroadcast() || len(m.ClientHWAddr) != 6 || !client.IsValid() || client.IsUnspecified() {
		_, err := s.conn.WriteTo(m.ToBytes(), source(from, index), &net.UDPAddr{IP: net.IPv4bcast, Port: clientPort})
		return err
	}
	b, err := packet(netip.AddrPortFrom(from, serverPort), netip.AddrPortFrom(client, clientPort), m.ToBytes())
	if err != nil {
		return err
	}
	return sendFrame(s.frames, index, b, m.ClientHWAddr)
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
