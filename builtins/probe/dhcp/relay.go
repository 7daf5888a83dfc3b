package dhcp

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
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
