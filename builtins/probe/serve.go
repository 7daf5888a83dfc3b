package probe

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ServeOptions say what a server listens on and what it answers.
type ServeOptions struct {
	TCP, UDP, HTTP []int  // ports, 1 to 65535
	Reply          []byte // the answer to everything, if HasReply
	HasReply       bool
	Name           string // who says hello over HTTP
}

// Server echoes TCP and UDP and says "hello from NAME" over HTTP, or gives one
// fixed reply to all of them. It listens on every address of the namespace that
// it was made in, IPv4 and IPv6.
type Server struct {
	opts  ServeOptions
	tcp   []net.Listener
	http  []net.Listener
	udp   []*udpServer
	slots chan struct{} // one for each connection that is open
}

// maxConns bounds the connections open at one time; those beyond it wait in the
// kernel's queue.
const maxConns = 10_000

// Close stops listening. It is for a server that Serve is not called on; Serve
// closes by itself.
func (s *Server) Close() {
	for _, l := range s.tcp {
		_ = l.Close()
	}
	for _, l := range s.http {
		_ = l.Close()
	}
	for _, u := range s.udp {
		_ = u.file.Close()
	}
}

// accept waits for a free slot and the next connection, and sits out a shortage
// of descriptors or memory.
func (s *Server) accept(ctx context.Context, l net.Listener) (net.Conn, error) {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		c, err := l.Accept()
		if err == nil {
			return &slotConn{Conn: c, server: s}, nil
		}
		if !errors.Is(err, unix.EMFILE) && !errors.Is(err, unix.ENFILE) &&
			!errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.ENOMEM) {
			<-s.slots
			return nil, err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// slotConn is a connection that frees its slot when it is closed.
type slotConn struct {
	net.Conn
	server *Server
	once   sync.Once
}

// Close closes the connection.
func (c *slotConn) Close() error {
	c.once.Do(func() { <-c.server.slots })
	return c.Conn.Close()
}
