package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// ServeOptions say what a server listens to and answers.
type ServeOptions struct {
	TCP, UDP, HTTP []int // ports
	Reply          []byte
	HasReply       bool   // Reply is the answer; else TCP and UDP echo and HTTP greets
	Name           string // the name that HTTP greets with
}

// Server listens on TCP, UDP and HTTP ports, over IPv4 and, where there is any,
// IPv6.
type Server struct {
	opts ServeOptions
	tcp  []net.Listener
	http []net.Listener
	udp  []packetConn
}

// Listen opens the ports, in the namespace of the calling process.
func Listen(opts ServeOptions) (*Server, error) {
	s := &Server{opts: opts}
	fail := func(proto string, port int, err error) (*Server, error) {
		s.close()
		return nil, listenError(proto, port, err)
	}
	for _, p := range opts.TCP {
		l, err := net.Listen("tcp", ":"+strconv.Itoa(p))
		if err != nil {
			return fail("tcp", p, err)
		}
		s.tcp = append(s.tcp, l)
	}
	for _, p := range opts.HTTP {
		l, err := net.Listen("tcp", ":"+strconv.Itoa(p))
		if err != nil {
			return fail("tcp", p, err)
		}
		s.http = append(s.http, l)
	}
	for _, p := range opts.UDP {
		c, err := listenUDP(p)
		if err != nil {
			return fail("udp", p, err)
		}
		s.udp = append(s.udp, c...)
	}
	return s, nil
}

func listenError(proto string, port int, err error) error {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("%s port %d is in use already", proto, port)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("%s port %d may not be opened: it needs root", proto, port)
	}
	return fmt.Errorf("%s port %d: %w", proto, port, err)
}

func (s *Server) close() {
	for _, l := range append(s.tcp, s.http...) {
		_ = l.Close()
	}
	for _, c := range s.udp {
		_ = c.Close()
	}
}

// Serve answers until ctx is done.
func (s *Server) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.close)
	defer stop()
	var wg sync.WaitGroup
	errs := make(chan error, len(s.tcp)+len(s.http)+len(s.udp))
	run := func(f func() error) {
		wg.Go(func() {
			if err := f(); err != nil && ctx.Err() == nil {
				errs <- err
				s.close()
			}
		})
	}
	for _, l := range s.tcp {
		run(func() error { return s.serveTCP(ctx, l) })
	}
	for _, l := range s.http {
		run(func() error { return s.serveHTTP(l) })
	}
	for _, c := range s.udp {
		run(func() error { return s.serveUDP(c) })
	}
	wg.Wait()
	close(errs)
	return <-errs
}

// maxConns bounds the connections that are served at once.
const maxConns = 10000

func (s *Server) serveTCP(ctx context.Context, l net.Listener) error {
	slots := make(chan struct{}, maxConns)
	for {
		c, err := l.Accept()
		if err != nil {
			if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ECONNABORTED) {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			return err
		}
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			stop := context.AfterFunc(ctx, func() { _ = c.Close() })
			defer stop()
			s.converse(c.(*net.TCPConn))
		}()
	}
}

// drain is how long a client's own sending is still read after it was answered:
// closing with something unread would reset the connection and eat the answer.
const drain = 5 * time.Second

func (s *Server) converse(c *net.TCPConn) {
	defer func() { _ = c.Close() }()
	if !s.opts.HasReply {
		_, _ = io.Copy(c, c) // the client's end is the conversation's
		return
	}
	if _, err := c.Write(s.opts.Reply); err != nil {
		return
	}
	if c.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(drain)) == nil {
		_, _ = io.Copy(io.Discard, c)
	}
}

func (s *Server) serveHTTP(l net.Listener) error {
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if s.opts.HasReply {
			_, _ = w.Write(s.opts.Reply)
			return
		}
		_, _ = fmt.Fprintf(w, "hello from %s\n", s.opts.Name)
	})}
	return srv.Serve(l)
}

// packetConn is a UDP socket that tells to which of its addresses a datagram
// came, so that the answer leaves from there.
type packetConn interface {
	echo(answer func([]byte) []byte) error
	Close() error
}

func listenUDP(port int) ([]packetConn, error) {
	c4, err := net.ListenPacket("udp4", ":"+strconv.Itoa(port))
	if err != nil {
		return nil, err
	}
	p4 := ipv4.NewPacketConn(c4)
	if err := p4.SetControlMessage(ipv4.FlagDst|ipv4.FlagInterface, true); err != nil {
		return nil, errors.Join(err, c4.Close())
	}
	conns := []packetConn{udp4{p4}}
	if _, err := os.Stat("/proc/net/if_inet6"); err != nil {
		return conns, nil
	}
	c6, err := net.ListenPacket("udp6", ":"+strconv.Itoa(port))
	if err != nil {
		return nil, errors.Join(err, c4.Close())
	}
	p6 := ipv6.NewPacketConn(c6)
	if err := p6.SetControlMessage(ipv6.FlagDst|ipv6.FlagInterface, true); err != nil {
		return nil, errors.Join(err, c4.Close(), c6.Close())
	}
	return append(conns, udp6{p6}), nil
}

type udp4 struct{ *ipv4.PacketConn }

func (u udp4) echo(answer func([]byte) []byte) error {
	buf := make([]byte, 64<<10)
	for {
		n, cm, from, err := u.ReadFrom(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			continue // an ICMP error about an earlier answer
		}
		var out *ipv4.ControlMessage
		if cm != nil && !cm.Dst.IsMulticast() {
			out = &ipv4.ControlMessage{Src: cm.Dst}
		}
		if _, err := u.WriteTo(answer(buf[:n]), out, from); err != nil {
			_, _ = u.WriteTo(answer(buf[:n]), nil, from) // the address may be a broadcast one
		}
	}
}

type udp6 struct{ *ipv6.PacketConn }

func (u udp6) echo(answer func([]byte) []byte) error {
	buf := make([]byte, 64<<10)
	for {
		n, cm, from, err := u.ReadFrom(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			continue
		}
		var out *ipv6.ControlMessage
		if cm != nil && !cm.Dst.IsMulticast() {
			out = &ipv6.ControlMessage{Src: cm.Dst}
			if cm.Dst.IsLinkLocalUnicast() {
				out.IfIndex = cm.IfIndex
			}
		}
		if _, err := u.WriteTo(answer(buf[:n]), out, from); err != nil {
			_, _ = u.WriteTo(answer(buf[:n]), nil, from)
		}
	}
}

func (s *Server) serveUDP(c packetConn) error {
	return c.echo(func(in []byte) []byte {
		if s.opts.HasReply {
			return s.opts.Reply
		}
		return in
	})
}
