//go:build linux

package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// serve runs a server in n until the test is over.
func serve(n *testNS, opts ServeOptions) {
	n.T.Helper()
	stop := serveUntil(n, opts)
	n.T.Cleanup(func() {
		if err := stop(); err != nil {
			n.T.Errorf("server: %v", err)
		}
	})
}

// serveUntil runs a server until the function that it returns is called.
func serveUntil(n *testNS, opts ServeOptions) (stop func() error) {
	n.T.Helper()
	var s *Server
	n.Must(n.Do(func() (err error) {
		s, err = Listen(opts)
		return err
	}))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	return func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(time.Second):
			return errors.New("does not end with its context")
		}
	}
}

func TestServeEchoes(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		a, b := pair(t)
		serve(b, ServeOptions{TCP: []int{80, 81}, UDP: []int{80, 82}})
		ip := netip.MustParseAddr(pick(v6, "10.0.0.2", "fd00::2"))
		for _, port := range []uint16{80, 81} {
			wantConnected(t, connect(a, netip.AddrPortFrom(ip, port).String(), say("hello")), "hello")
		}
		for _, port := range []uint16{80, 82} {
			wantConnected(t, connect(a, netip.AddrPortFrom(ip, port).String(), udp, say("hello")), "hello")
		}
	})
}

func TestServeReplies(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		a, b := pair(t)
		serve(b, ServeOptions{TCP: []int{80}, UDP: []int{80}, HTTP: []int{8080}, Reply: []byte("I am b"), HasReply: true})
		wantConnected(t, connect(a, host(v6)), "I am b")
		wantConnected(t, connect(a, host(v6), say("who?")), "I am b")
		wantConnected(t, connect(a, host(v6), udp), "I am b")
		// The client's 4 MB are still coming when the reply is out.
		wantConnected(t, connect(a, host(v6), say(strings.Repeat("x", 4<<20))), "I am b")
		if got := get(t, a, pick(v6, "10.0.0.2:8080", "[fd00::2]:8080")); got != "I am b" {
			t.Errorf("HTTP: %q", got)
		}
	})
}

func TestServeSaysHelloOverHTTP(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		a, b := pair(t)
		serve(b, ServeOptions{HTTP: []int{80}, Name: "web"})
		if got := get(t, a, host(v6)); got != "hello from web\n" {
			t.Errorf("%q, want the greeting", got)
		}
	})
}

// get fetches a page with Go's client, from a namespace.
func get(t *testing.T, n *testNS, addr string) string {
	t.Helper()
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, addr string) (c net.Conn, err error) {
			err = n.Do(func() (err error) {
				c, err = new(net.Dialer).DialContext(ctx, "tcp", addr)
				return err
			})
			return c, err
		},
	}}
	res, err := client.Get("http://" + addr + "/any/page")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("status %d, %v", res.StatusCode, err)
	}
	return string(b)
}

// A connected socket takes a datagram only from the address that it asked.
func TestServeAnswersFromTheAddressThatWasAsked(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	b.addrs("a", "10.0.0.20/24 10.0.0.21/24 fd00::20/64 fd00::21/64 fe80::20/64 fe80::21/64")
	b.addrs("lo", "10.9.9.9/32 fd09::9/128")
	a.route("10.9.9.9/32", "10.0.0.2")
	a.route("fd09::9/128", "fd00::2")
	serve(b, ServeOptions{UDP: []int{80}})
	for _, ip := range []string{"10.0.0.2", "10.0.0.20", "10.0.0.21", "10.9.9.9",
		"[fd00::2]", "[fd00::20]", "[fd00::21]", "[fd09::9]", "[fe80::20%b]", "[fe80::21%b]"} {
		t.Run(ip, func(t *testing.T) {
			wantConnected(t, connect(a, ip+":80", udp, say("hello"), limit(500*time.Millisecond)), "hello")
		})
	}
}

func TestServeWithIPv6SwitchedOff(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	b.Sysctl("net/ipv6/conf/all/disable_ipv6=1")
	serve(b, ServeOptions{TCP: []int{80}, UDP: []int{80}})
	wantConnected(t, connect(a, host(false), say("hello")), "hello")
	wantConnected(t, connect(a, host(false), udp, say("hello")), "hello")
}

// Where the kernel has no IPv6 at all, the sockets are IPv4 ones.
func TestServeUDPOverAnIPv4Socket(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	b.addrs("a", "10.0.0.20/24")
	var u *udpServer
	b.Must(b.Do(func() error {
		fd, err := bindTo(unix.SOCK_DGRAM, &unix.SockaddrInet4{Port: 80})
		if err == nil {
			u, err = newUDPServer(fd)
		}
		return err
	}))
	go func() { _ = u.serve(&ServeOptions{}) }()
	defer func() { _ = u.file.Close() }()
	wantConnected(t, connect(a, "10.0.0.2:80", udp, say("hello")), "hello")
	wantConnected(t, connect(a, "10.0.0.20:80", udp, say("hello")), "hello")
}

func TestServeManyClientsAtOnce(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	serve(b, ServeOptions{TCP: []int{80}, UDP: []int{80}, HTTP: []int{81}, Name: "b"})
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			v6, text := i%2 == 1, strings.Repeat(fmt.Sprint(i, " "), 1000)
			for _, o := range []func(*ConnectRequest){udp, limit(5 * time.Second)} {
				req := ConnectRequest{Target: netip.MustParseAddrPort(host(v6)), Proto: "tcp", Timeout: 5 * time.Second, Send: []byte(text), HasSend: true}
				o(&req)
				r, err := Connect(context.Background(), a, req)
				if err != nil || !r.OK || string(r.Reply) != text {
					t.Errorf("client %d, %s: ok %v, error %q, %v, %d bytes: want %d", i, req.Proto, r.OK, r.Error, err, len(r.Reply), len(text))
				}
			}
		})
	}
	all.Wait()
}

func TestServeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	stop := serveUntil(b, ServeOptions{TCP: []int{80}, UDP: []int{80}, HTTP: []int{81}})
	// A connection that is open and silent must not hold it up.
	var c net.Conn
	a.Must(a.Do(func() (err error) {
		c, err = net.Dial("tcp", "10.0.0.2:80")
		return err
	}))
	defer func() { _ = c.Close() }()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if d := time.Since(begun); d > 100*time.Millisecond {
		t.Errorf("took %v to end", d)
	}
	wantNotConnected(t, connect(a, host(false)), Refused, "")
	// The ports are free again at once.
	serve(b, ServeOptions{TCP: []int{80}, UDP: []int{80}, HTTP: []int{81}})
}

func TestListenSaysWhyNot(t *testing.T) {
	t.Parallel()
	_, b := pair(t)
	serve(b, ServeOptions{TCP: []int{80}, UDP: []int{53}, HTTP: []int{8080}})
	for _, c := range []struct {
		in    Namespace
		opts  ServeOptions
		want  string
		errno error
	}{
		{b, ServeOptions{TCP: []int{80}}, "tcp port 80 is taken", unix.EADDRINUSE},
		{b, ServeOptions{HTTP: []int{80}}, "tcp port 80 is taken", unix.EADDRINUSE},
		{b, ServeOptions{TCP: []int{90}, HTTP: []int{90}}, "tcp port 90 is taken", unix.EADDRINUSE},
		{b, ServeOptions{UDP: []int{53}}, "udp port 53 is taken", unix.EADDRINUSE},
		{b, ServeOptions{UDP: []int{0}}, "no udp port 0", nil},
		{b, ServeOptions{TCP: []int{65536}}, "no tcp port 65536", nil},
		{b, ServeOptions{HTTP: []int{-1}}, "no tcp port -1", nil},
		{powerless{b}, ServeOptions{TCP: []int{81}}, "CAP_NET_BIND_SERVICE", unix.EACCES},
	} {
		err := c.in.Do(func() error {
			s, err := Listen(c.opts)
			if err == nil {
				s.Close()
			}
			return err
		})
		var port *PortError
		if !errors.As(err, &port) || !strings.Contains(err.Error(), c.want) || c.errno != nil && !errors.Is(err, c.errno) {
			t.Errorf("%+v: error %v, want %q", c.opts, err, c.want)
		}
	}
	// A server that could not have all its ports holds none of them.
	serve(b, ServeOptions{TCP: []int{90}})
}
