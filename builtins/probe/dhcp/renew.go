package dhcp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"nsscript/builtins/probe"
)

// Renew asks the server that gave a lease for more time (RFC 2131, 4.4.5). The namespace
// has the address.
func Renew(ctx context.Context, ns probe.Namespace, l *Lease, timeout time.Duration) (*Lease, error) {
	c := &client{req: Request{MAC: l.MAC}}
	m, err := c.message(dhcpv4.MessageTypeRequest)
	if err != nil {
		return nil, err
	}
	m.ClientIPAddr = l.Addr.Addr().AsSlice()
	conn, err := openUDP(ctx, ns, l.Addr.Addr())
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	deadline := time.Now().Add(timeout)
	buf := make([]byte, 1<<16)
	for wait := firstWait; time.Now().Before(deadline); wait = min(2*wait, maxWait) {
		if _, err := conn.WriteToUDPAddrPort(m.ToBytes(), netip.AddrPortFrom(l.Server, serverPort)); err != nil {
			return nil, err
		}
		a, err := awaitUDP(ctx, conn, m, buf, earlier(time.Now().Add(wait), deadline))
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			continue
		case err != nil:
			return nil, err
		case a.MessageType() == dhcpv4.MessageTypeNak:
			return nil, ErrRefused
		}
		next := leaseOf(a)
		next.Dev = l.Dev
		return next, nil
	}
	return nil, &NoAnswerError{}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func awaitUDP(ctx context.Context, conn *net.UDPConn, m *dhcpv4.DHCPv4, buf []byte, until time.Time) (*dhcpv4.DHCPv4, error) {
	if err := conn.SetReadDeadline(until); err != nil {
		return nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := conn.Read(buf)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if a := answerTo(m, buf[:n], []dhcpv4.MessageType{dhcpv4.MessageTypeAck, dhcpv4.MessageTypeNak}); a != nil {
			return a, nil
		}
	}
}

// Release gives a lease back (RFC 2131, 4.4.6). There is no answer to that.
func Release(ctx context.Context, ns probe.Namespace, l *Lease) error {
	c := &client{req: Request{MAC: l.MAC}}
	m, err := c.message(dhcpv4.MessageTypeRelease)
	if err != nil {
		return err
	}
	m.ClientIPAddr = l.Addr.Addr().AsSlice()
	m.UpdateOption(dhcpv4.OptServerIdentifier(l.Server.AsSlice()))
	conn, err := openUDP(ctx, ns, l.Addr.Addr())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_, err = conn.WriteToUDPAddrPort(m.ToBytes(), netip.AddrPortFrom(l.Server, serverPort))
	return err
}

// openUDP opens a client's port on its address. The end of ctx ends waiting for it.
func openUDP(ctx context.Context, ns probe.Namespace, at netip.Addr) (conn *net.UDPConn, err error) {
	err = ns.Do(func() error {
		conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, clientPort)))
		return err
	})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return conn, nil
}
