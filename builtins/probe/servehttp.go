package probe

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// serveHTTP answers every request on one listener with 200.
func (s *Server) serveHTTP(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           http.HandlerFunc(s.hello),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       60 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // of clients that go away
	}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	return srv.Serve(slotListener{Listener: l, server: s, ctx: ctx})
}

func (s *Server) hello(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if s.opts.HasReply {
		_, _ = w.Write(s.opts.Reply)
		return
	}
	_, _ = fmt.Fprintf(w, "hello from %s\n", s.opts.Name)
}

// slotListener accepts as the server does.
type slotListener struct {
	net.Listener
	server *Server
	ctx    context.Context // net/http calls Accept without one
}

// Accept waits for the next connection.
func (l slotListener) Accept() (net.Conn, error) { return l.server.accept(l.ctx, l.Listener) }
