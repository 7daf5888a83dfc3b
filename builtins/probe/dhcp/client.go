package dhcp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"

	"nsscript/builtins/probe"
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

// Obtain asks for a lease on an interface of a namespace (RFC 2131, 3.1).
func Obtain(ctx context.Context, ns probe.Namespace, req Request) (*Lease, error) {
	w, err := openWire(ctx, ns, req.Index)
	if err != nil {
		return nil, err
	}
	defer w.close()
	c := &client{wire: w, req: req, deadline: time.Now().Add(req.Timeout)}
	var failure error = &NoAnswerError{}
	for time.Now().Before(c.deadline) {
		l, err := c.attempt(ctx)
		var silent *NoAnswerError
		switch {
		case err == nil:
			return l, nil
		case errors.Is(err, ErrRefused), errors.As(err, &silent):
			failure = err
		default:
			return nil, err
		}
	}
	return nil, failure
}

// client is one that wants a lease.
type client struct {
	wire     *wire
	req      Request
	deadline time.Time
}

// attempt goes from the first message to the lease.
func (c *client) attempt(ctx context.Context) (*Lease, error) {
	discover, err := c.message(dhcpv4.MessageTypeDiscover)
	if err != nil {
		return nil, err
	}
	if c.req.Requested.IsValid() {
		discover.UpdateOption(dhcpv4.OptRequestedIPAddress(c.req.Requested.AsSlice()))
	}
	offer, err := c.exchange(ctx, discover, 1<<30, dhcpv4.MessageTypeOffer)
	if err != nil {
		return nil, err
	}
	request, err := c.message(dhcpv4.MessageTypeRequest)
	if err != nil {
		return nil, err
	}
	request.TransactionID = offer.TransactionID
	request.UpdateOption(dhcpv4.OptRequestedIPAddress(offer.YourIPAddr))
	request.UpdateOption(dhcpv4.OptServerIdentifier(offer.ServerIdentifier()))
	ack, err := c.exchange(ctx, request, patience, dhcpv4.MessageTypeAck, dhcpv4.MessageTypeNak)
	var silent *NoAnswerError
	switch {
	case errors.As(err, &silent):
		return nil, &NoAnswerError{Offered: addrOf(offer.YourIPAddr), Server: addrOf(offer.ServerIdentifier())}
	case err != nil:
		return nil, err
	case ack.MessageType() == dhcpv4.MessageTypeNak:
		return nil, ErrRefused
	}
	l := leaseOf(ack)
	l.Dev = c.req.Dev
	return l, nil
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

// exchange sends a message, at most tries times, until an answer of one of the kinds comes.
func (c *client) exchange(ctx context.Context, m *dhcpv4.DHCPv4, tries int, kinds ...dhcpv4.MessageType) (*dhcpv4.DHCPv4, error) {
	from, to := netip.AddrPortFrom(netip.IPv4Unspecified(), clientPort), netip.AddrPortFrom(everybody, serverPort)
	b, err := packet(from, to, m.ToBytes())
	if err != nil {
		return nil, err
	}
	for wait := firstWait; tries > 0 && time.Now().Before(c.deadline); wait, tries = min(2*wait, maxWait), tries-1 {
		if err := c.wire.send(b, broadcast); err != nil && !errors.Is(err, unix.ENOBUFS) {
			return nil, err
		}
		until := time.Now().Add(wait)
		if until.After(c.deadline) {
			until = c.deadline
		}
		answer, err := c.await(ctx, m, until, kinds)
		if answer != nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return answer, err
		}
	}
	return nil, &NoAnswerError{}
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
