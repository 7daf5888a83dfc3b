//go:build linux

package probe

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// walk is a traceroute as text: "1:10.0.1.2 2:*:timeout".
func walk(n *testNS, target string, hops int) string {
	n.T.Helper()
	list, err := Traceroute(context.Background(), n, TracerouteRequest{
		Target: netip.MustParseAddr(target), MaxHops: hops, Timeout: 500 * time.Millisecond,
	})
	if err != nil {
		n.T.Fatalf("traceroute %s from %s: %v", target, n.Name, err)
	}
	var words []string
	for _, h := range list {
		from := "*"
		if h.From.IsValid() {
			from = h.From.String()
			if h.RTT <= 0 {
				n.T.Errorf("hop %d: no time", h.TTL)
			}
		}
		word := fmt.Sprintf("%d=%s", h.TTL, from)
		if h.Error != "" {
			word += "=" + h.Error
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestTraceroute(t *testing.T) {
	t.Parallel()
	l := newLine(t, 1500)
	l.r1.route("10.9.0.0/16", "unreachable")
	l.r1.route("10.8.0.0/16", "10.0.2.2")
	l.r2.route("10.8.0.0/16", "blackhole")
	l.b.route("10.7.0.0/16", "10.0.3.1")
	l.r1.route("10.7.0.0/16", "10.0.2.2")
	l.r2.route("10.7.0.0/16", "10.0.2.1") // back to r1: a loop
	for _, c := range []struct {
		target string
		hops   int
		want   string
	}{
		{lineR14, 30, "1=10.0.1.2"},
		{lineB4, 30, "1=10.0.1.2 2=10.0.2.2 3=10.0.3.2"},
		{lineB6, 30, "1=fd00:0:0:1::2 2=fd00:0:0:2::2 3=fd00:0:0:3::2"},
		{lineB4, 2, "1=10.0.1.2 2=10.0.2.2"},
		{"10.9.0.1", 30, "1=10.0.1.2=host-unreachable"},
		{"10.8.0.1", 30, "1=10.0.1.2 2=*"},
		{"10.7.0.1", 5, "1=10.0.1.2 2=10.0.2.2 3=10.0.1.2 4=10.0.2.2 5=10.0.1.2"},
		{lineA4, 30, "1=10.0.1.1"},
	} {
		if got := walk(l.a, c.target, c.hops); got != c.want {
			t.Errorf("to %s with at most %d hops: %s\nwant %s", c.target, c.hops, got, c.want)
		}
	}
	if got, want := walk(newNS(t, "alone"), "10.1.1.1", 30), "1=*=net-unreachable"; got != want {
		t.Errorf("without a route: %s, want %s", got, want)
	}
}

func TestTracerouteRange(t *testing.T) {
	t.Parallel()
	n := newNS(t, "n")
	for _, hops := range []int{0, 256} {
		if _, err := Traceroute(context.Background(), n, TracerouteRequest{Target: netip.MustParseAddr("127.0.0.1"), MaxHops: hops}); err == nil {
			t.Errorf("%d hops: no error", hops)
		}
	}
}
