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
