package probe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

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
