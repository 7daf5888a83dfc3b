package probe

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// handshake waits until the connection stands and measures its round trip.
func (c *call) handshake(ctx context.Context) error {
	var failed error
	err := c.sock.awaitWrite(ctx, c.deadline, func(fd int) bool {
		code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = unix.Errno(code)
		}
		if err != nil {
			failed = err
			return true
		}
		if _, err := unix.Getpeername(fd); err != nil {
			return false // woken too early
		}
		c.res.RTT = time.Since(c.begun)
		// The kernel's own measure has no scheduling of ours in it (tcp(7)).
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil && info.Rtt != 0 && info.Total_retrans == 0 {
			c.res.RTT = min(c.res.RTT, time.Duration(info.Rtt)*time.Microsecond)
		}
		return true
	})
	if err != nil {
		return err
	}
	return failed
}

// tcp waits for the handshake, then speaks and listens.
func (c *call) tcp(ctx context.Context) error {
	if err := c.handshake(ctx); err != nil {
		return err
	}
	if err := c.names(); err != nil {
		return err
	}
	if c.res.Local == c.res.Remote {
		// A port that nobody listens on was also the one that the kernel
		// chose for our end: the socket talks to itself (RFC 9293 §3.5).
		c.res.RTT = 0
		return unix.ECONNREFUSED
	}
	if !c.req.HasSend {
		return c.greeting(ctx)
	}
	written := make(chan error, 1)
	go func() {
		err := c.send(ctx, c.req.Send)
		if err == nil {
			err = c.closeWrite()
		}
		written <- err
	}()
	return c.reply(ctx, written)
}

// reply reads what is answered while another goroutine writes, and sees to it
// that both are done: an echo server stops reading when nobody takes its echo.
func (c *call) reply(ctx context.Context, written <-chan error) error {
	err := c.readReply(ctx, written)
	if werr := <-written; err == nil || connectWord(werr) == Reset {
		err = werr // a broken connection is told to only one of the two
	}
	return err
}
