package dhcp

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"time"

	"nsscript/builtins/probe"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"
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
