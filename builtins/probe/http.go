package probe

import (
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
