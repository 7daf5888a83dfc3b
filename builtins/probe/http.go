package probe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// HTTPRequest is one request of HTTP/1.1 (RFC 9112), without TLS.
type HTTPRequest struct {
	URL     *url.URL       // names the host as the server shall see it
	Target  netip.AddrPort // where that host is
	Method  string
	Header  http.Header
	Body    []byte
	Timeout time.Duration // for all of it
}

// HTTPResult is the answer, or why there was none.
type HTTPResult struct {
	Status int    // 0 where there was no answer
	Reason string // its words: "OK"
	Header http.Header
	Body   []byte // at most MaxBody bytes
	// Error is "" where the whole answer came, else Refused, Timeout, Unreachable,
	// Reset or Malformed.
	Error string
}

// MaxBody bounds HTTPResult.Body, in bytes. What comes after it is not read.
const MaxBody = 16 << 20

// HTTP sends one request from a namespace and reads the answer. A redirection is an
// answer like any other: it is not followed.
func HTTP(ctx context.Context, ns Namespace, req HTTPRequest) (HTTPResult, error) {
	if req.URL.Scheme != "http" {
		return HTTPResult{}, fmt.Errorf("%q is no scheme that is spoken here: http is", req.URL.Scheme)
	}
	if err := CheckTarget(req.Target.Addr(), ""); err != nil {
		return HTTPResult{}, err
	}
	deadline := time.Now().Add(req.Timeout)
	limited, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	r, err := http.NewRequestWithContext(limited, req.Method, req.URL.String(), bytes.NewReader(req.Body))
	if err != nil {
		return HTTPResult{}, err
	}
	for name, values := range req.Header {
		r.Header[name] = values
	}
	if host := req.Header.Get("Host"); host != "" {
		r.Host = host
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return dialTCP(ctx, ns, req.Target, deadline)
		},
	}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return failedHTTP(ctx, HTTPResult{}, err)
	}
	defer answer.Body.Close()
	res := HTTPResult{Status: answer.StatusCode, Reason: http.StatusText(answer.StatusCode), Header: answer.Header}
	if res.Body, err = io.ReadAll(io.LimitReader(answer.Body, MaxBody)); err != nil {
		return failedHTTP(ctx, res, err)
	}
	return res, nil
}

// failedHTTP turns what the network did into a result; an interruption stays an error.
func failedHTTP(ctx context.Context, res HTTPResult, err error) (HTTPResult, error) {
	if ctx.Err() != nil {
		return res, ctx.Err()
	}
	if res.Error = dialWord(err); res.Error == "" {
		res.Error = Malformed // what came is no HTTP, or it ended too early
	}
	return res, nil
}
