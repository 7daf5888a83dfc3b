package dhcp

import (
	"context"
	"fmt"
	"io"
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// ListenRelay opens a relay's port in the namespace of the calling thread.
func ListenRelay(servers []netip.Addr, devices []string, log io.Writer) (*Relay, error) {
	s, err := listen()
	if err != nil {
		return nil, err
	}
	return &Relay{servers, devices, s, log}, nil
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
