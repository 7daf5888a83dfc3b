package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// ConnectRequest says whereto to connect and what to say there.
type ConnectRequest struct {
	Target  netip.AddrPort // link-local addresses with the interface as their zone
	Proto   string         // "tcp" or "udp"
	Send    []byte         // what to send, if HasSend; UDP: at most 65507 bytes
	HasSend bool
	Timeout time.Duration // for all of it
}

// ConnectResult says how that went.
type ConnectResult struct {
	OK        bool          // TCP: connected, and answered if something was sent; UDP: answered
	Error     string        // "" if OK, else Refused, Timeout, Unreachable or Reset
	ErrorFrom netip.Addr    // whose ICMP message said so; invalid if none did
	RTT       time.Duration // TCP: of the handshake; UDP: until the reply; 0 if there was neither
	Reply     []byte        // what came back, at most MaxReply bytes; also if not OK
	Local     netip.AddrPort
	Remote    netip.AddrPort
}

// MaxReply bounds ConnectResult.Reply, in bytes. What comes after it is read and
// forgotten.
const MaxReply = 1 << 20

func (r *ConnectRequest) check() error {
	switch {
	case r.Proto != "tcp" && r.Proto != "udp":
		return fmt.Errorf("protocol %q: tcp and udp are possible", r.Proto)
	case r.Target.Port() == 0:
		return errors.New("port 0: 1 to 65535 are possible")
	case r.Proto == "udp" && len(r.Send) > maxSize:
		return fmt.Errorf("a datagram of %d bytes: at most %d are possible", len(r.Send), maxSize)
	}
	return CheckTarget(r.Target.Addr(), "")
}

// call is one Connect under way.
type call struct {
	req      *ConnectRequest
	sock     *socket
	begun    time.Time
	deadline time.Time
	res      ConnectResult
}

// send writes b, waiting for room.
func (c *call) send(ctx context.Context, b []byte) error {
	for len(b) > 0 {
		n, err := c.write(ctx, b)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// write is one send(2) when there is room.
func (c *call) write(ctx context.Context, b []byte) (n int, err error) {
	werr := c.sock.awaitWrite(ctx, c.deadline, func(fd int) bool {
		n, err = unix.SendmsgN(fd, b, nil, nil, unix.MSG_NOSIGNAL)
		return !again(err)
	})
	if werr != nil {
		return 0, werr
	}
	return max(n, 0), err
}

// read is one recv(2) when there is something.
func (c *call) read(ctx context.Context, b []byte, until time.Time) (n int, err error) {
	rerr := c.sock.awaitRead(ctx, until, func(fd int) bool {
		n, _, err = unix.Recvfrom(fd, b, 0)
		return !again(err)
	})
	if rerr != nil {
		return 0, rerr
	}
	return max(n, 0), err
}
