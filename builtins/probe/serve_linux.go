package probe

import (
	"context"
	"errors"
	"sync"
)

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
