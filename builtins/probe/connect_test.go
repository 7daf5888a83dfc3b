//go:build linux

package probe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// connect is Connect with usual values for what opts do not change.
func connect(n *testNS, target string, opts ...func(*ConnectRequest)) ConnectResult {
	n.T.Helper()
	req := ConnectRequest{Target: netip.MustParseAddrPort(target), Proto: "tcp", Timeout: 2 * time.Second}
	for _, o := range opts {
		o(&req)
	}
	res, err := Connect(context.Background(), n, req)
	if err != nil {
		n.T.Fatalf("connect to %s from %s: %v", target, n.Name, err)
	}
	return res
}

func udp(r *ConnectRequest) { r.Proto = "udp" }

func say(b string) func(*ConnectRequest) {
	return func(r *ConnectRequest) { r.Send, r.HasSend = []byte(b), true }
}

func limit(d time.Duration) func(*ConnectRequest) { return func(r *ConnectRequest) { r.Timeout = d } }

func wantConnected(t testing.TB, r ConnectResult, reply string) {
	t.Helper()
	if !r.OK || r.Error != "" || !bytes.Equal(r.Reply, []byte(reply)) {
		t.Fatalf("ok %v, error %q, %d bytes of reply %.40q: want ok and %d bytes, %.40q", r.OK, r.Error, len(r.Reply), r.Reply, len(reply), reply)
	}
	if r.RTT <= 0 || r.RTT > time.Second || !r.Local.IsValid() || !r.Remote.IsValid() {
		t.Errorf("rtt %v, %v → %v: want all of them", r.RTT, r.Local, r.Remote)
	}
}

func wantNotConnected(t testing.TB, r ConnectResult, word, from string) {
	t.Helper()
	who := ""
	if r.ErrorFrom.IsValid() {
		who = r.ErrorFrom.String()
	}
	if r.OK || r.Error != word || who != from {
		t.Fatalf("ok %v, error %q from %q: want %q from %q", r.OK, r.Error, who, word, from)
	}
}

// listener answers the TCP connections to port 80 of n, one after the other.
func listener(n *testNS, answer func(*net.TCPConn)) {
	n.T.Helper()
	var l net.Listener
	n.Must(n.Do(func() (err error) {
		l, err = ListenTCP(80)
		return err
	}))
	done := make(chan bool)
	n.T.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			answer(c.(*net.TCPConn))
			_ = c.Close()
		}
	}()
}

func host(v6 bool) string { return pick(v6, "10.0.0.2:80", "[fd00::2]:80") }

func TestConnectToAServerThatSaysNothing(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		a, b := pair(t)
		release := make(chan bool)
		listener(b, func(*net.TCPConn) { <-release })
		defer close(release)
		begun := time.Now()
		r := connect(a, host(v6))
		wantConnected(t, r, "")
		if d := time.Since(begun); d > 100*time.Millisecond {
			t.Errorf("took %v, want about 20 ms", d)
		}
		if r.Remote.String() != host(v6) || r.Local.Addr().String() != pick(v6, "10.0.0.1", "fd00::1") {
			t.Errorf("%v → %v: want from a to %s", r.Local, r.Remote, host(v6))
		}
		// It takes what is sent and never answers.
		r = connect(a, host(v6), say("hello?"), limit(200*time.Millisecond))
		wantNotConnected(t, r, Timeout, "")
		if r.RTT <= 0 {
			t.Errorf("rtt %v: want that of the handshake", r.RTT)
		}
	})
}

func TestConnectTakesAGreeting(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		a, b := pair(t)
		ended := make(chan error, 1)
		listener(b, func(c *net.TCPConn) {
			_, _ = c.Write([]byte("220 b ready\r\n"))
			_, err := io.Copy(io.Discard, c)
			ended <- err
		})
		wantConnected(t, connect(a, host(v6)), "220 b ready\r\n")
		if err := <-ended; err != nil {
			t.Errorf("the server saw %v, want a clean end", err)
		}
	})
}

func TestConnectReadsTheReply(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		a, b := pair(t)
		listener(b, func(c *net.TCPConn) { _, _ = io.Copy(c, c) })
		wantConnected(t, connect(a, host(v6), say("hello")), "hello")
		wantConnected(t, connect(a, host(v6), say("")), "")
		wantConnected(t, connect(a, host(v6)), "")
		// More than both sides' buffers hold, and more than is kept.
		big := strings.Repeat("0123456789abcdef", 1<<20)
		wantConnected(t, connect(a, host(v6), say(big), limit(10*time.Second)), big[:MaxReply])
	})
}

func TestConnectEndsAReplyAfterSilence(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	release := make(chan bool)
	defer close(release)
	listener(b, func(c *net.TCPConn) {
		for _, s := range []string{"one ", "two ", "three"} {
			_, _ = c.Write([]byte(s))
			time.Sleep(30 * time.Millisecond)
		}
		<-release // and keeps it open
	})
	begun := time.Now()
	wantConnected(t, connect(a, host(false), say("count")), "one two three")
	if d := time.Since(begun); d > 500*time.Millisecond {
		t.Errorf("took %v, want about 160 ms", d)
	}
}

func TestConnectReset(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		a, b := pair(t)
		listener(b, func(c *net.TCPConn) {
			_, _ = c.Read(make([]byte, 1))
			_ = c.SetLinger(0)
		})
		wantNotConnected(t, connect(a, host(v6), say("hello")), Reset, "")
		wantNotConnected(t, connect(a, host(v6), say(strings.Repeat("x", 8<<20))), Reset, "")
	})
}

func TestConnectRefused(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		a, _ := pair(t)
		wantNotConnected(t, connect(a, host(v6)), Refused, "")
		wantNotConnected(t, connect(a, host(v6), udp), Refused, pick(v6, "10.0.0.2", "fd00::2"))
		wantNotConnected(t, connect(a, pick(v6, "127.0.0.1:80", "[::1]:80")), Refused, "")
	})
}

func TestConnectTimeout(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		l := newLine(t, 1500)
		l.b.route(pick(v6, "10.0.1.0/24", "fd00:0:0:1::/64"), "blackhole")
		for _, o := range []func(*ConnectRequest){udp, say("hello")} {
			begun := time.Now()
			wantNotConnected(t, connect(l.a, pick(v6, lineB4+":80", "["+lineB6+"]:80"), o, limit(300*time.Millisecond)), Timeout, "")
			if d := time.Since(begun); d < 300*time.Millisecond || d > 500*time.Millisecond {
				t.Errorf("took %v, want 300 ms", d)
			}
			l.b.Sysctl("net/ipv4/udp_early_demux=0")
			// UDP: nobody listens, but the "refused" has no way back.
		}
	})
}

func TestConnectUnreachable(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		for _, kind := range []string{"", "unreachable", "prohibit"} {
			for _, proto := range []string{"tcp", "udp"} {
				t.Run(proto+" "+kind, func(t *testing.T) {
					t.Parallel()
					l := newLine(t, 1500)
					net, to := pick(v6, "10.5.0.0/24", "fd05::/32"), pick(v6, "10.5.0.1:80", "[fd05::1]:80")
					proto := func(r *ConnectRequest) { r.Proto = proto }
					if kind != "" {
						l.r1.route(net, kind)
					}
					begun := time.Now()
					wantNotConnected(t, connect(l.a, to, proto), Unreachable, pick(v6, lineR14, lineR16))
					if d := time.Since(begun); d > 500*time.Millisecond {
						t.Errorf("took %v: the router's answer was not heeded", d)
					}
					// The own kernel's routes.
					if kind == "" {
						l.a.Must(l.a.NL.LinkSetDown(l.a.Link("r1")))
					} else {
						l.a.route(net, kind)
					}
					wantNotConnected(t, connect(l.a, to, proto), Unreachable, "")
				})
			}
		}
	})
}

func TestConnectHostUnreachable(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		l := newLine(t, 1500)
		for _, proto := range []string{"tcp", "udp"} {
			t.Run(proto, func(t *testing.T) {
				t.Parallel()
				r := connect(l.a, pick(v6, "10.0.3.77:80", "[fd00:0:0:3::77]:80"), limit(6*time.Second), func(r *ConnectRequest) { r.Proto = proto })
				wantNotConnected(t, r, Unreachable, pick(v6, lineR24, lineR26))
			})
		}
	})
}

func TestConnectUDP(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		a, b := pair(t)
		serve(b, ServeOptions{UDP: []int{80}})
		wantConnected(t, connect(a, host(v6), udp, say("hello")), "hello")
		wantConnected(t, connect(a, host(v6), udp, say("")), "")
		wantConnected(t, connect(a, host(v6), udp), "\n")
		big := strings.Repeat("x", 65507)
		wantConnected(t, connect(a, host(v6), udp, say(big)), big)
	})
}

func TestConnectUDPOverANarrowHop(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		for _, n := range []int{1400, 1472, 9000} {
			l := newLine(t, 1400)
			serve(l.b, ServeOptions{UDP: []int{80}})
			big := strings.Repeat("x", n)
			wantConnected(t, connect(l.a, pick(v6, lineB4+":80", "["+lineB6+"]:80"), udp, say(big)), big)
		}
	})
}

func TestConnectTCPOverANarrowHop(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		l := newLine(t, 1400)
		serve(l.b, ServeOptions{TCP: []int{80}})
		big := strings.Repeat("x", 500_000)
		wantConnected(t, connect(l.a, pick(v6, lineB4+":80", "["+lineB6+"]:80"), say(big), limit(5*time.Second)), big)
	})
}

func TestConnectLinkLocal(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	b.addrs("a", "fe80::2/64")
	serve(b, ServeOptions{TCP: []int{80}, UDP: []int{80}})
	for _, o := range []func(*ConnectRequest){udp, limit(time.Second)} {
		r := connect(a, "[fe80::2%b]:80", o, say("hello"))
		wantConnected(t, r, "hello")
		if r.Local.Addr().Zone() != "b" {
			t.Errorf("local address %v: want the zone b", r.Local)
		}
	}
}

func TestConnectEndsWithItsContext(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	release := make(chan bool)
	defer close(release)
	listener(b, func(*net.TCPConn) { <-release })
	for _, c := range []struct {
		what, to string
		o        func(*ConnectRequest)
	}{
		{"handshake", "10.0.0.77:80", say("")},
		{"reply", "10.0.0.2:80", say("hello")},
		{"large send", "10.0.0.2:80", say(strings.Repeat("x", 50<<20))},
		{"datagram", "10.0.0.77:80", udp},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(50*time.Millisecond, cancel)
		req := ConnectRequest{Target: netip.MustParseAddrPort(c.to), Proto: "tcp", Timeout: time.Minute}
		c.o(&req)
		begun := time.Now()
		if _, err := Connect(ctx, a, req); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want %v", c.what, err, context.Canceled)
		}
		if d := time.Since(begun); d > 150*time.Millisecond {
			t.Errorf("%s: returned after %v, want 50 ms", c.what, d)
		}
	}
}

func TestConnectRequestOutOfRange(t *testing.T) {
	t.Parallel()
	for want, req := range map[string]ConnectRequest{
		`protocol "sctp"`:          {Target: netip.MustParseAddrPort("10.0.0.2:80"), Proto: "sctp"},
		"port 0":                   {Target: netip.MustParseAddrPort("10.0.0.2:0"), Proto: "tcp"},
		"datagram of 65508 bytes":  {Target: netip.MustParseAddrPort("10.0.0.2:80"), Proto: "udp", Send: make([]byte, 65508), HasSend: true},
		"interface must be named":  {Target: netip.MustParseAddrPort("[fe80::1]:80"), Proto: "tcp"},
		"the target is no address": {Target: netip.AddrPortFrom(netip.Addr{}, 80), Proto: "tcp"},
	} {
		if _, err := Connect(context.Background(), nil, req); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	a, _ := pair(t)
	_, err := Connect(context.Background(), a, ConnectRequest{Target: netip.MustParseAddrPort("[fe80::1%nope]:80"), Proto: "tcp"})
	if !errors.Is(err, unix.ENODEV) {
		t.Errorf("error %v, want that there is no such interface", err)
	}
}
