package dhcp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// Request says for which interface a lease is wanted.
type Request struct {
	Dev       string
	Index     int
	MAC       net.HardwareAddr
	Hostname  string
	Requested netip.Addr // the address that the client would like; may be invalid
	Timeout   time.Duration
}

// NoAnswerError is that no server answered in time.
type NoAnswerError struct {
	Offered netip.Addr // an address that was offered and then not confirmed, by Server
	Server  netip.Addr
}

// Error says it for a person.
func (e *NoAnswerError) Error() string {
	if e.Offered.IsValid() {
		return fmt.Sprintf("the server %s offered %s, and did not confirm it", e.Server, e.Offered)
	}
	return "no server made an offer"
}

// ErrRefused is that a server refused the address that was asked for (DHCPNAK).
var ErrRefused = errors.New("the server refused the address (DHCPNAK)")

const (
	// firstWait is the time until a message is sent again; it doubles each time. It is
	// short, as the ways in a lab are.
	firstWait = 300 * time.Millisecond
	maxWait   = 4 * time.Second
	// patience is how often a request is sent before all begins anew.
	patience = 4
)

// client is one that wants a lease.
type client struct {
	wire     *wire
	req      Request
	deadline time.Time
}

// message is a new message of the client.
func (c *client) message(kind dhcpv4.MessageType) (*dhcpv4.DHCPv4, error) {
	m, err := dhcpv4.New(dhcpv4.WithMessageType(kind), dhcpv4.WithHwAddr(c.req.MAC),
		dhcpv4.WithOption(dhcpv4.OptClientIdentifier(append([]byte{1}, c.req.MAC...))),
		dhcpv4.WithRequestedOptions(dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer,
			dhcpv4.OptionDomainName, dhcpv4.OptionIPAddressLeaseTime, dhcpv4.OptionServerIdentifier))
	if err == nil && c.req.Hostname != "" {
		m.UpdateOption(dhcpv4.OptHostName(c.req.Hostname))
	}
	return m, err
}

// await waits for an answer to a message.
func (c *client) await(ctx context.Context, m *dhcpv4.DHCPv4, until time.Time, kinds []dhcpv4.MessageType) (*dhcpv4.DHCPv4, error) {
	for {
		b, err := c.wire.receive(ctx, until)
		if err != nil {
			return nil, err
		}
		if answer := answerTo(m, b, kinds); answer != nil {
			return answer, nil
		}
	}
}

// answerTo reads an answer to a message; nil for what is none.
func answerTo(m *dhcpv4.DHCPv4, b []byte, kinds []dhcpv4.MessageType) *dhcpv4.DHCPv4 {
	a, err := dhcpv4.FromBytes(b)
	if err != nil || a.OpCode != dhcpv4.OpcodeBootReply || a.TransactionID != m.TransactionID || !bytes.Equal(a.ClientHWAddr, m.ClientHWAddr) {
		return nil
	}
	for _, k := range kinds {
		// An offer or a lease of no address, or by nobody, is none.
		whole := k == dhcpv4.MessageTypeNak || !a.YourIPAddr.IsUnspecified() && addrOf(a.ServerIdentifier()).IsValid()
		if a.MessageType() == k && whole {
			return a
		}
	}
	return nil
}
