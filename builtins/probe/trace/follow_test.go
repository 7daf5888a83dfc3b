package trace

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/probe"
)

// newSpace makes a network namespace that is gone with the test, with lo up.
func newSpace(t testing.TB, name string) Space {
	t.Helper()
	made := make(chan error)
	var n *kernel.NetNS
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			n, err = kernel.OpenNetNS("/proc/thread-self/ns/net")
		}
		made <- err
	}()
	if err := <-made; err != nil {
		t.Fatalf("these tests need the right to make network namespaces: %v", err)
	}
	t.Cleanup(n.Close)
	s := Space{Name: name, NS: n}
	up(t, s, "lo")
	return s
}

func handle(t testing.TB, s Space) *netlink.Handle {
	t.Helper()
	h, err := s.NS.Netlink()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func up(t testing.TB, s Space, name string) netlink.Link {
	t.Helper()
	h := handle(t, s)
	l, err := h.LinkByName(name)
	if err == nil {
		err = h.LinkSetUp(l)
	}
	if err != nil {
		t.Fatalf("%s of %s: %v", name, s.Name, err)
	}
	return l
}

// star is a bridge with so many namespaces, 10.0.x.y/16 each, the bridge's own first.
func star(t testing.TB, n int) []Space {
	t.Helper()
	hub := newSpace(t, "hub")
	list := []Space{hub}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "br0"
	if err := handle(t, hub).LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil {
		t.Fatal(err)
	}
	br, err := handle(t, hub).LinkByName("br0")
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		s := newSpace(t, fmt.Sprintf("n%d", i))
		list = append(list, s)
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "eth0"
		port := fmt.Sprintf("p%d", i)
		if err := handle(t, s).LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: port, PeerNamespace: netlink.NsFd(hub.NS.Fd())}); err != nil {
			t.Fatal(err)
		}
		if err := handle(t, hub).LinkSetMaster(up(t, hub, port), br); err != nil {
			t.Fatal(err)
		}
		addr, err := netlink.ParseAddr(fmt.Sprintf("%s/16", addrOf(i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := handle(t, s).AddrAdd(up(t, s, "eth0"), addr); err != nil {
			t.Fatal(err)
		}
	}
	up(t, hub, "br0")
	return list
}

func addrOf(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 0, byte(i / 250), byte(i%250 + 1)})
}

// pinged waits until the last of a star answers the first.
func pinged(t testing.TB, list []Space) {
	t.Helper()
	for range 50 {
		r, err := probe.Ping(context.Background(), list[1].NS, probe.PingRequest{Target: addrOf(len(list) - 2), Count: 1, Size: 56, Timeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if r.Received == 1 {
			return
		}
	}
	t.Fatal("the star's ends do not reach each other")
}

func follow(t testing.TB, list []Space) *Walk {
	t.Helper()
	w, err := Follow(context.Background(), Request{Spaces: list, From: "n0", Target: addrOf(len(list) - 2), Size: 56, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestFollow follows a packet over a bridge: each step comes after the one before it.
func TestFollow(t *testing.T) {
	t.Parallel()
	list := star(t, 3)
	pinged(t, list)
	for range 20 {
		w := follow(t, list)
		if w.Death != nil || !w.Replied || w.At != "n2" {
			t.Fatalf("it does not arrive:\n%s", w)
		}
		const want = "n0 out, hub in, hub out, n2 in, n2 out, hub in, hub out, n0 in"
		got, last := "", time.Duration(0)
		for i, s := range w.Steps {
			if i > 0 {
				got += ", "
			}
			got += s.Space + " " + s.Dir
			if s.Time < last {
				t.Errorf("a step comes before the one before it:\n%s", w)
			}
			last = s.Time
		}
		if got != want {
			t.Errorf("got the steps %s\nwant %s", got, want)
		}
	}
}

// BenchmarkFollow compares a trace with a ping in the same lab.
func BenchmarkFollow(b *testing.B) {
	for _, n := range []int{10, 500} {
		b.Run(fmt.Sprintf("%d namespaces", n), func(b *testing.B) {
			list := star(b, n)
			pinged(b, list)
			var pings time.Duration
			for b.Loop() {
				follow(b, list)
				b.StopTimer()
				began := time.Now()
				pinged(b, list)
				pings += time.Since(began)
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed())/float64(pings), "×ping")
		})
	}
}
