package probe

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// drainTime bounds how long a client that got its reply is listened to.
const drainTime = 5 * time.Second

// serveTCP answers the connections of one listener, each in its goroutine. It
// returns when all are closed.
func (s *Server) serveTCP(ctx context.Context, l net.Listener) error {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		c, err := s.accept(ctx, l)
		if err != nil {
			return err
		}
		all.Go(func() {
			stop := context.AfterFunc(ctx, func() { _ = c.Close() })
			defer stop()
			defer func() { _ = c.Close() }()
			// A client that goes away is no error of the server's.
			tcp := c.(*slotConn).Conn.(*net.TCPConn)
			if s.opts.HasReply {
				replyTCP(tcp, s.opts.Reply)
			} else {
				_, _ = io.Copy(tcp, tcp)
			}
		})
	}
}

// replyTCP says its reply and then listens until the client is done: if a socket is
// closed while there is something unread, the kernel sends a reset, and the
// client may lose the reply (RFC 1122 §4.2.2.13).
func replyTCP(c *net.TCPConn, reply []byte) {
	if _, err := c.Write(reply); err != nil {
		return
	}
	if err := c.CloseWrite(); err != nil {
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(drainTime))
	_, _ = io.Copy(io.Discard, c)
}
