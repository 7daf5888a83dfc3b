//go:build linux

package probe

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"
)

func measure(from, to *testNS, target string, d time.Duration, streams int) ThroughputResult {
	from.T.Helper()
	r, err := Throughput(context.Background(), from, ThroughputRequest{To: to, Target: netip.MustParseAddr(target), Duration: d, Streams: streams})
	if err != nil {
		from.T.Fatalf("throughput to %s: %v", target, err)
	}
	return r
}

func TestThroughput(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	for _, target := range []string{"10.0.0.2", "fd00::2"} {
		for _, streams := range []int{1, 4} {
			r := measure(a, b, target, 50*time.Millisecond, streams)
			if r.Error != "" || r.Bytes < 1<<20 || r.Elapsed < 50*time.Millisecond {
				t.Errorf("%s over %d streams: %+v: want a MiB at least", target, streams, r)
			}
		}
	}
}

func TestThroughputFailures(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	b.addrs("lo", "10.5.0.1/32")
	if r := measure(a, b, "10.5.0.1", 50*time.Millisecond, 1); r.Error != Unreachable || r.Bytes != 0 {
		t.Errorf("without a route: %+v: want unreachable", r)
	}
	if _, err := Throughput(context.Background(), a, ThroughputRequest{To: b, Target: netip.MustParseAddr("10.0.0.2")}); err == nil {
		t.Error("no streams: no error")
	}
	if _, err := Throughput(context.Background(), a, ThroughputRequest{To: b, Target: netip.MustParseAddr("10.0.0.9"), Streams: 1}); err == nil {
		t.Error("an address of nobody's: no error")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := Throughput(ctx, a, ThroughputRequest{To: b, Target: netip.MustParseAddr("10.0.0.2"), Duration: 20 * time.Second, Streams: 2})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("interrupted: %v: want the error of the context", err)
	}
}
