//go:build linux

package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// both runs a test once for IPv4 and once for IPv6.
func both(t *testing.T, test func(t *testing.T, v6 bool)) {
	t.Parallel()
	for _, v6 := range []bool{false, true} {
		name := "IPv4"
		if v6 {
			name = "IPv6"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, v6)
		})
	}
}

func pick(v6 bool, four, six string) string {
	if v6 {
		return six
	}
	return four
}

func TestPingReplies(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		a, _ := pair(t)
		for _, n := range []int{0, 1, 7, 8, 15, 16, 17, 56, 57, 1400, 9000, 65506, 65507} {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				wantReplies(t, ping(a, pick(v6, "10.0.0.2", "fd00::2"), size(n), count(3)), 3)
			})
		}
	})
}

func TestPingOwnAddress(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		a, _ := pair(t)
		wantReplies(t, ping(a, pick(v6, "127.0.0.1", "::1"), count(2)), 2)
		wantReplies(t, ping(a, pick(v6, "10.0.0.1", "fd00::1"), count(2)), 2)
	})
}

func TestPingLinkLocalNeedsItsInterface(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	b.addrs("a", "fe80::2/64")
	wantReplies(t, ping(a, "fe80::2%b"), 1)
	wantReplies(t, ping(a, fmt.Sprintf("fe80::2%%%d", a.Link("b").Attrs().Index)), 1)
	wantReplies(t, ping(a, "fe80::2", dev("b")), 1)
	for target, want := range map[string]string{"fe80::2": "its interface must be named", "fe80::2%nope": `no interface "nope"`} {
		_, err := Ping(context.Background(), a, PingRequest{Target: netip.MustParseAddr(target), Count: 1})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ping %s: error %v, want %q", target, err, want)
		}
	}
}

func TestPingMulticastTakesAReplyFromAnyone(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	wantReplies(t, ping(a, "ff02::1%b"), 1)
	b.Sysctl("net/ipv4/icmp_echo_ignore_broadcasts=0")
	wantReplies(t, ping(a, "10.0.0.255"), 1)
}

func TestPingLeavesByTheDeviceNamed(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		a, b := pair(t)
		c := newNS(t, "c")
		cable(a, c, 1500, "10.0.9.1/24 fd09::1/64", "10.0.9.2/24 fd09::2/64")
		to := pick(v6, "10.0.0.2", "fd00::2")
		wantReplies(t, ping(a, to, dev("b")), 1)
		// By the other cable nobody has the address.
		wantError(t, ping(a, to, dev("c"), within(200*time.Millisecond)), pick(v6, Timeout, NetUnreachable), "", 0)
		_ = b
		_, err := Ping(context.Background(), a, PingRequest{Target: netip.MustParseAddr(to), Count: 1, Dev: "eth7"})
		if err == nil || !strings.Contains(err.Error(), `no interface "eth7"`) {
			t.Errorf("error %v, want: no interface", err)
		}
	})
}

func TestPingTimeout(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		l := newLine(t, 1500)
		// The answer has no way back.
		l.b.route(pick(v6, "10.0.1.0/24", "fd00:0:0:1::/64"), "blackhole")
		begun := time.Now()
		r := ping(l.a, pick(v6, lineB4, lineB6), count(3), within(300*time.Millisecond))
		wantError(t, r, Timeout, "", 0)
		if r.Sent != 3 {
			t.Errorf("sent %d, want 3", r.Sent)
		}
		if d := time.Since(begun); d < 320*time.Millisecond || d > 600*time.Millisecond {
			t.Errorf("took %v, want 2 intervals and the timeout: 320 ms", d)
		}
	})
}

// What the own kernel says about routes.
func TestPingLocalRefusals(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		a, _ := pair(t)
		for i, c := range []struct{ route, word string }{
			{"", NetUnreachable},
			{"unreachable", HostUnreachable},
			{"prohibit", AdminProhibited},
			{"blackhole", NetUnreachable},
		} {
			net := pick(v6, "10.5.%d.0/24", "fd05:%d::/32")
			to := fmt.Sprintf(pick(v6, "10.5.%d.1", "fd05:%d::1"), i)
			if c.route != "" {
				a.route(fmt.Sprintf(net, i), c.route)
			}
			r := ping(a, to, count(2))
			wantError(t, r, c.word, "", 0)
			if r.Sent != 2 {
				t.Errorf("route %q: sent %d, want 2", c.route, r.Sent)
			}
		}
	})
}

// What a router says about its routes. IPv6 has no word of its own for
// an unreachable route: Linux answers "no route".
func TestPingRouterRefusals(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		for i, c := range []struct{ route, word4, word6 string }{
			{"", NetUnreachable, NetUnreachable},
			{"unreachable", HostUnreachable, NetUnreachable},
			{"prohibit", AdminProhibited, AdminProhibited},
		} {
			net := pick(v6, "10.5.%d.0/24", "fd05:%d::/32")
			to := fmt.Sprintf(pick(v6, "10.5.%d.1", "fd05:%d::1"), i)
			l := newLine(t, 1500) // a router sends few of these to one host
			if c.route != "" {
				l.r1.route(fmt.Sprintf(net, i), c.route)
			}
			begun := time.Now()
			wantError(t, ping(l.a, to), pick(v6, c.word4, c.word6), pick(v6, lineR14, lineR16), 0)
			if d := time.Since(begun); d > time.Second {
				t.Errorf("route %q: took %v, want no waiting after the answer", c.route, d)
			}
		}
	})
}

func TestPingHostUnreachable(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		l := newLine(t, 1500)
		for _, c := range []struct{ what, to, from string }{
			{"local neighbour", pick(v6, "10.0.1.77", "fd00:0:0:1::77"), pick(v6, lineA4, lineA6)},
			{"router's neighbour", pick(v6, "10.0.3.77", "fd00:0:0:3::77"), pick(v6, lineR24, lineR26)},
		} {
			t.Run(c.what, func(t *testing.T) {
				t.Parallel()
				wantError(t, ping(l.a, c.to, within(5*time.Second)), HostUnreachable, c.from, 0)
			})
		}
	})
}

func TestPingTTLExceeded(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		l := newLine(t, 1500)
		to := pick(v6, lineB4, lineB6)
		wantError(t, ping(l.a, to, ttl(1)), TTLExceeded, pick(v6, lineR14, lineR16), 0)
		wantError(t, ping(l.a, to, ttl(2)), TTLExceeded, pick(v6, lineR24, lineR26), 0)
		wantReplies(t, ping(l.a, to, ttl(3)), 1)
		wantError(t, ping(l.a, to, ttl(1), size(5000)), TTLExceeded, pick(v6, lineR14, lineR16), 0)
	})
}

func TestPingPathMTU(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		l := newLine(t, 1400)
		to, header := pick(v6, lineB4, lineB6), 28
		if v6 {
			header = 48
		}
		router := pick(v6, lineR14, lineR16)
		// Twice: the kernel remembers the first answer, which must not hide the second.
		for range 2 {
			wantError(t, ping(l.a, to, df, size(1401-header)), FragNeeded, router, 1400)
		}
		wantReplies(t, ping(l.a, to, df, size(1400-header)), 1)
		wantError(t, ping(l.a, to, df, size(1500-header)), FragNeeded, router, 1400)
		// The own link.
		wantError(t, ping(l.a, to, df, size(1501-header)), FragNeeded, "", 1500)
		wantError(t, ping(l.a, to, df, size(65507)), FragNeeded, "", 1500)
	})
}

func TestPingFragmentsWithoutDF(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		for _, n := range []int{1401, 1460, 5000, 65507} {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				l := newLine(t, 1400) // each its own: nobody has learnt the MTU yet
				r := ping(l.a, pick(v6, lineB4, lineB6), size(n), count(3))
				wantReplies(t, r, 3)
				if r.Max > 50*time.Millisecond {
					t.Errorf("slowest round trip %v: measured from another copy?", r.Max)
				}
			})
		}
	})
}

func TestPingsAreNotHeldUpByReplies(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		a, _ := pair(t)
		to := pick(v6, "10.0.0.2", "fd00::2")
		begun := time.Now()
		wantReplies(t, ping(a, to, count(11), every(20*time.Millisecond)), 11)
		if d := time.Since(begun); d < 200*time.Millisecond || d > 400*time.Millisecond {
			t.Errorf("11 probes, 20 ms apart, took %v: want 200 ms", d)
		}
		// Nobody answers: the probes still leave by the clock.
		begun = time.Now()
		wantError(t, ping(a, pick(v6, "10.0.0.77", "fd00::77"), count(11), every(20*time.Millisecond), within(300*time.Millisecond)), Timeout, "", 0)
		if d := time.Since(begun); d < 500*time.Millisecond || d > 700*time.Millisecond {
			t.Errorf("11 unanswered probes took %v: want 500 ms", d)
		}
	})
}

// More probes than there are sequence numbers, all at once.
func TestPingFloodWrapsSequenceNumbers(t *testing.T) {
	t.Parallel()
	a, _ := pair(t)
	n := 1<<16 + 1000
	wantReplies(t, ping(a, "10.0.0.2", count(n), every(0), within(5*time.Second)), n)
}

func TestPingsAtOnceDoNotMix(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		l := newLine(t, 1500)
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				// Half are answered, the others end at the first router.
				if i%2 == 0 {
					r := ping(l.a, pick(v6, lineB4, lineB6), count(10), size(i))
					if r.Received != 10 || r.Error != "" {
						t.Errorf("ping %d: %+v, want 10 replies", i, r)
					}
					return
				}
				r := ping(l.a, pick(v6, lineB4, lineB6), ttl(1), within(300*time.Millisecond))
				// A router sends only so many of these (icmp_ratelimit).
				if r.Received != 0 || r.Error != TTLExceeded && r.Error != Timeout {
					t.Errorf("ping %d: %+v, want ttl-exceeded", i, r)
				}
			})
		}
		all.Wait()
	})
}

func TestPingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	a, _ := pair(t)
	for _, after := range []time.Duration{0, 50 * time.Millisecond} {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(after, cancel)
		begun := time.Now()
		_, err := Ping(ctx, a, PingRequest{Target: netip.MustParseAddr("10.0.0.77"), Count: 5, Interval: time.Minute, Timeout: time.Minute})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want %v", err, context.Canceled)
		}
		if d := time.Since(begun) - after; d > 100*time.Millisecond {
			t.Errorf("returned %v after the cancellation", d)
		}
	}
}

func TestPingRequestOutOfRange(t *testing.T) {
	t.Parallel()
	ok := PingRequest{Target: netip.MustParseAddr("10.0.0.2"), Count: 1}
	for want, change := range map[string]func(*PingRequest){
		"0 probes":                    count(0),
		"payload of 65508 bytes":      size(65508),
		"payload of -1 bytes":         size(-1),
		"ttl of 256":                  ttl(256),
		"interval of -1s is negative": every(-time.Second),
		"no address":                  func(r *PingRequest) { r.Target = netip.Addr{} },
	} {
		req := ok
		change(&req)
		if _, err := Ping(context.Background(), nil, req); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestPingWithoutTheRight(t *testing.T) {
	t.Parallel()
	a, _ := pair(t)
	_, err := Ping(context.Background(), powerless{a}, PingRequest{Target: netip.MustParseAddr("10.0.0.2"), Count: 1})
	if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_NET_RAW") {
		t.Errorf("error %v, want one that names CAP_NET_RAW", err)
	}
}

// powerless is a namespace whose threads have no capabilities.
type powerless struct{ *testNS }

func (p powerless) Do(fn func() error) error {
	return p.testNS.Do(func() error {
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&hdr, &none[0]); err != nil {
			return err
		}
		return fn()
	})
}

func BenchmarkPing(b *testing.B) {
	a, _ := pair(b)
	req := PingRequest{Target: netip.MustParseAddr("10.0.0.2"), Count: 1, Size: 56, Timeout: time.Second}
	ping(a, "10.0.0.2")
	var rtt time.Duration
	for b.Loop() {
		r, err := Ping(context.Background(), a, req)
		if err != nil || r.Received != 1 {
			b.Fatal(r, err)
		}
		rtt += r.Avg
	}
	b.ReportMetric(float64(rtt.Nanoseconds())/float64(b.N)/1000, "µs-rtt/op")
}
