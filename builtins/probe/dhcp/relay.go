package dhcp

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// maxHops is how many relays a message may pass (RFC 1542, 4.1.1).
const maxHops = 16

// Relay passes on the messages of clients to servers, and the answers back.
type Relay struct {
	servers []netip.Addr
	devices []string // where clients are; none for all interfaces
	socket  *socket
	log     io.Writer
}

// ListenRelay opens a relay's port in the namespace of the calling thread.
func ListenRelay(servers []netip.Addr, devices []string, log io.Writer) (*Relay, error) {
	s, err := listen()
	if err != nil {
		return nil, err
	}
	return &Relay{servers, devices, s, log}, nil
}

// Serve passes messages on until ctx is done.
func (r *Relay) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, r.socket.close)
	defer stop()
	for {
		in, err := r.socket.receive()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		var note string
		if in.msg.OpCode == dhcpv4.OpcodeBootRequest {
			note, err = r.up(in)
		} else {
			note, err = r.down(in.msg)
		}
		if err != nil {
			note += fmt.Sprintf(": cannot be sent: %v", err)
		}
		if note != "" {
			_, _ = fmt.Fprintf(r.log, "%s %s %s\n", word(in.msg), in.msg.ClientHWAddr, note)
		}
	}
}

// up passes a client's message on, with the address of the interface that it came in by (RFC
// 1542, 4.1.1). One that another relay has marked keeps that mark.
func (r *Relay) up(in incoming) (note string, err error) {
	name, local := localAddrs(in.index)
	m := in.msg
	if m.GatewayIPAddr.IsUnspecified() {
		if len(r.devices) > 0 && !slices.Contains(r.devices, name) {
			return "", nil
		}
		if len(local) == 0 {
			return fmt.Sprintf("by %s, which has no IPv4 address: not passed on", name), nil
		}
		m.GatewayIPAddr = local[0].Addr().AsSlice()
	} else if dev, _ := deviceOf(addrOf(m.GatewayIPAddr)); dev != nil {
		return "", nil // it has gone in a ring
	}
	if m.HopCount++; m.HopCount > maxHops {
		return "has passed too many relays", nil
	}
	for _, server := range r.servers {
		if err := r.socket.unicast(m, netip.Addr{}, netip.AddrPortFrom(server, serverPort)); err != nil {
			return "to " + server.String(), err
		}
	}
	return fmt.Sprintf("by %s: to %v", name, r.servers), nil
}

// down passes a server's answer on to the client.
func (r *Relay) down(m *dhcpv4.DHCPv4) (note string, err error) {
	relay := addrOf(m.GatewayIPAddr)
	dev, err := deviceOf(relay)
	if dev == nil || err != nil {
		return "", err // for another relay
	}
	return "to the client on " + dev.Name, r.socket.toClient(m, relay, dev.Index)
}

// deviceOf finds the interface that has an address.
func deviceOf(a netip.Addr) (*net.Interface, error) {
	devices, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	for _, dev := range devices {
		addrs, err := dev.Addrs()
		if err != nil {
			continue // it has gone
		}
		if slices.ContainsFunc(prefixes(addrs), func(p netip.Prefix) bool { return p.Addr() == a }) {
			return &dev, nil
		}
	}
	return nil, nil
}
