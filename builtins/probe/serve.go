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

// Listen opens the ports in the namespace of the calling thread: when it
// returns, clients can connect. The error is a [*PortError] where a port is the
// cause; then none stays open.
func Listen(opts ServeOptions) (*Server, error) {
	s := &Server{opts: opts, slots: make(chan struct{}, maxConns)}
	if err := s.listen(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) listen() error {
	for _, port := range s.opts.TCP {
		l, err := ListenTCP(port)
		if err != nil {
			return err
		}
		s.tcp = append(s.tcp, l)
	}
	for _, port := range s.opts.HTTP {
		l, err := ListenTCP(port)
		if err != nil {
			return err
		}
		s.http = append(s.http, l)
	}
	for _, port := range s.opts.UDP {
		u, err := listenUDP(port)
		if err != nil {
			return err
		}
		s.udp = append(s.udp, u)
	}
	return nil
}

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

// Serve answers until ctx is done; then it closes everything, open connections
// too, and returns nil. Any other end is an error.
func (s *Server) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(ctx, s.Close)
	defer stop()
	var all sync.WaitGroup
	run := func(serve func(context.Context) error) {
		all.Go(func() {
			if err := serve(ctx); err != nil && ctx.Err() == nil {
				cancel(err)
			}
		})
	}
	for _, l := range s.tcp {
		run(func(ctx context.Context) error { return s.serveTCP(ctx, l) })
	}
	for _, l := range s.http {
		run(func(ctx context.Context) error { return s.serveHTTP(ctx, l) })
	}
	for _, u := range s.udp {
		run(func(context.Context) error { return u.serve(&s.opts) })
	}
	<-ctx.Done()
	s.Close()
	all.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
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
