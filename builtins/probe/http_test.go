//go:build linux

package probe

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

// request is HTTP with usual values for what opts do not change.
func request(n *testNS, target string, opts ...func(*HTTPRequest)) HTTPResult {
	n.T.Helper()
	req := HTTPRequest{
		URL: &url.URL{Scheme: "http", Host: "b", Path: "/x"}, Target: netip.MustParseAddrPort(target),
		Method: "GET", Header: http.Header{}, Timeout: time.Second,
	}
	for _, o := range opts {
		o(&req)
	}
	res, err := HTTP(context.Background(), n, req)
	if err != nil {
		n.T.Fatalf("request to %s: %v", target, err)
	}
	return res
}

// mirror tells in its body what it was asked.
func mirror(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Kind", "mirror")
	if r.Method == http.MethodPut {
		w.WriteHeader(http.StatusTeapot)
	}
	_, _ = io.WriteString(w, strings.Join([]string{r.Method, r.Host, r.URL.Path, r.Header.Get("X-Ask"), string(body)}, " "))
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	var ln net.Listener
	b.Must(b.Do(func() (err error) {
		ln, err = ListenTCP(80)
		return err
	}))
	s := &http.Server{Handler: http.HandlerFunc(mirror), ReadHeaderTimeout: time.Second}
	go func() { _ = s.Serve(ln) }()
	t.Cleanup(func() { _ = s.Close() })

	ask := func(r *HTTPRequest) {
		r.Method, r.Body = "POST", []byte("hello")
		r.Header.Set("X-Ask", "asked")
	}
	put := func(r *HTTPRequest) { r.Method = "PUT" }
	host := func(r *HTTPRequest) { r.Header.Set("Host", "other.example") }
	for _, c := range []struct {
		target string
		opts   []func(*HTTPRequest)
		status int
		body   string
	}{
		{"10.0.0.2:80", nil, 200, "GET b /x  "},
		{"[fd00::2]:80", nil, 200, "GET b /x  "},
		{"10.0.0.2:80", []func(*HTTPRequest){ask}, 200, "POST b /x asked hello"},
		{"10.0.0.2:80", []func(*HTTPRequest){put}, 418, "PUT b /x  "},
		{"10.0.0.2:80", []func(*HTTPRequest){host}, 200, "GET other.example /x  "},
	} {
		r := request(a, c.target, c.opts...)
		if r.Status != c.status || string(r.Body) != c.body || r.Error != "" || r.Header.Get("X-Kind") != "mirror" {
			t.Errorf("%s: %d %q %q %v: want %d %q", c.target, r.Status, r.Body, r.Error, r.Header, c.status, c.body)
		}
	}
}

func TestHTTPFailures(t *testing.T) {
	t.Parallel()
	soon := func(r *HTTPRequest) { r.Timeout = 200 * time.Millisecond }
	for _, c := range []struct {
		name, target string
		answer       func(*net.TCPConn)
		want         string
	}{
		{"nobody listens", "10.0.0.2:81", nil, Refused},
		{"no route", "10.99.0.1:80", nil, Unreachable},
		{"it says nothing", "10.0.0.2:80", func(*net.TCPConn) { time.Sleep(400 * time.Millisecond) }, Timeout},
		{"it is no HTTP", "10.0.0.2:80", func(c *net.TCPConn) { _, _ = io.WriteString(c, "SSH-2.0-x\r\n") }, Malformed},
		{"it hangs up", "10.0.0.2:80", func(*net.TCPConn) {}, ""},
		{"it ends too early", "10.0.0.2:80", func(c *net.TCPConn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
		}, Malformed},
		{"it resets", "10.0.0.2:80", func(c *net.TCPConn) {
			_, _ = c.Read(make([]byte, 4096))
			_ = c.SetLinger(0)
		}, Reset},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a, b := pair(t)
			if c.answer != nil {
				listener(b, c.answer)
			}
			r := request(a, c.target, soon)
			// Who hangs up unread is reset or ends too early, as the segments meet.
			if c.want == "" && (r.Error == Reset || r.Error == Malformed) {
				return
			}
			if r.Error != c.want {
				t.Errorf("status %d, error %q: want %q", r.Status, r.Error, c.want)
			}
		})
	}
}

func TestHTTPScheme(t *testing.T) {
	t.Parallel()
	u := &url.URL{Scheme: "https", Host: "b"}
	if _, err := HTTP(context.Background(), newNS(t, "n"), HTTPRequest{URL: u, Target: netip.MustParseAddrPort("127.0.0.1:443")}); err == nil {
		t.Error("https: no error")
	}
}
