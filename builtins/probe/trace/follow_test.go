//go:build linux

package trace

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"nsscript/builtins/kernel"
	"nsscript/builtins/probe"
	"nsscript/builtins/probe/internal/nettest"
)

// member is a namespace of a test's lab.
type member struct {
	*nettest.NS
	space Space
}

func newMember(t testing.TB, name string) member {
	t.Helper()
	n := nettest.New(t, name)
	k, err := kernel.OpenNetNS(fmt.Sprintf("/proc/self/fd/%d", n.FD))
	n.Must(err)
	t.Cleanup(k.Close)
	return member{n, Space{Name: name, NS: k}}
}

// star is a bridge with so many namespaces, 10.0.x.y/16 each, the bridge's own first.
func star(t testing.TB, n int) []Space {
	t.Helper()
	hub := newMember(t, "hub")
	list := []Space{hub.space}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "br0"
	hub.Must(hub.NL.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}))
	br := hub.Link("br0")
	for i := range n {
		m := newMember(t, fmt.Sprintf("n%d", i))
		list = append(list, m.space)
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "eth0"
		port := fmt.Sprintf("p%d", i)
		m.Must(m.NL.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: port, PeerNamespace: netlink.NsFd(hub.FD)}))
		hub.Up(port)
		hub.Must(hub.NL.LinkSetMaster(hub.Link(port), br))
		addr, err := netlink.ParseAddr(fmt.Sprintf("%s/16", addrOf(i)))
		m.Must(err)
		m.Up("eth0")
		m.Must(m.NL.AddrAdd(m.Link("eth0"), addr))
	}
	hub.Up("br0")
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
