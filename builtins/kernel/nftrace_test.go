//go:build linux

package kernel

import (
	"context"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestTracePackets has the packet filter tell of one datagram, and of no other, by
// which rule it was dropped.
func TestTracePackets(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, n *NetNS, x *Iptables) {
		raise(t, n, "lo")
		if f, err := n.Filters(); err != nil || f.Any() {
			t.Fatalf("a new namespace has rules: %+v, %v", f, err)
		}
		ctx := context.Background()
		for _, port := range []string{"1", "4000"} {
			if err := x.Append(ctx, n, "filter", "INPUT", []string{"-p", "udp", "--dport", port, "-j", "DROP"}); err != nil {
				t.Fatal(err)
			}
		}
		f, err := n.Filters()
		if err != nil || f != (Filters{IP: true}) {
			t.Fatalf("it has rules for IP: %+v, %v", f, err)
		}
		before := tracesOf(t, n)
		called := make(chan struct{}, 100)
		trace, err := n.TracePackets("test-trace", f, []TraceMatch{{Proto: unix.IPPROTO_UDP, Offset: 8, Bytes: []byte("marked")}},
			func() { called <- struct{}{} })
		if err != nil {
			t.Fatal(err)
		}
		sendUDP(t, n, x.v6, "another")
		sendUDP(t, n, x.v6, "marked")
		select {
		case <-called:
		case <-time.After(10 * time.Second):
			t.Fatal("nothing was told")
		}
		trace.Finish()
		var last TraceEvent
		for _, e := range trace.Events() {
			if len(e.Packet) > 0 && !slices.Contains([]byte{4, 6}, e.Packet[0]>>4) {
				t.Errorf("no IP packet: % x", e.Packet)
			}
			if e.Chain == "INPUT" {
				last = e
			}
		}
		switch {
		case x.nft:
			chains, err := n.NFChains()
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(chains, func(c NFChain) bool { return c.Name == "INPUT" && c.Table == "filter" && c.Family == last.Family })
			if i < 0 || len(chains[i].Rules) != 2 || chains[i].Rules[1].Handle != last.Rule || last.Verdict != VerdictDrop {
				t.Errorf("got %+v, want a drop by the second rule of INPUT: %+v", last, chains)
			}
		case last.Number != 2 || !last.Legacy:
			t.Errorf("got %+v, want the second rule of INPUT", last)
		}
		if err := trace.Close(); err != nil {
			t.Fatal(err)
		}
		if after := tracesOf(t, n); !slices.Equal(before, after) {
			t.Errorf("the trace leaves something: before %q, after %q", before, after)
		}
	})
}

// tracesOf is what a trace might leave: tables, and who logs.
func tracesOf(t *testing.T, n *NetNS) []string {
	t.Helper()
	var list []string
	chains, err := n.NFChains()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chains {
		list = append(list, c.Table+" "+c.Name)
	}
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		v, err := n.ReadSysctl(logSysctl(family))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	slices.Sort(list)
	return list
}

// raise sets an interface up.
func raise(t *testing.T, n *NetNS, name string) {
	t.Helper()
	h, err := n.Netlink()
	if err != nil {
		t.Fatal(err)
	}
	l, err := h.LinkByName(name)
	if err == nil {
		err = h.LinkSetUp(l)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// sendUDP sends a datagram to port 4000 of the namespace itself.
func sendUDP(t *testing.T, n *NetNS, v6 bool, text string) {
	t.Helper()
	err := n.Do(func() error {
		family, to := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: 4000, Addr: [4]byte{127, 0, 0, 1}})
		if v6 {
			family, to = unix.AF_INET6, &unix.SockaddrInet6{Port: 4000, Addr: netip.IPv6Loopback().As16()}
		}
		fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		defer func() { _ = unix.Close(fd) }()
		return unix.Sendto(fd, []byte(text), 0, to)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLookupRoute asks the routing for what it would do.
func TestLookupRoute(t *testing.T) {
	t.Parallel()
	n := freshNetNS(t)
	raise(t, n, "lo")
	lo := 1
	ip := netip.MustParseAddr
	for _, c := range []struct {
		q    RouteQuery
		err  unix.Errno
		kind string
	}{
		{RouteQuery{Dst: ip("127.0.0.1")}, 0, "local"},
		{RouteQuery{Dst: ip("::1")}, 0, "local"},
		{RouteQuery{Dst: ip("192.0.2.1")}, unix.ENETUNREACH, ""},
		{RouteQuery{Dst: ip("2001:db8::1"), Proto: unix.IPPROTO_TCP, SrcPort: 1, DstPort: 2, Mark: 3}, unix.ENETUNREACH, ""},
	} {
		a, err := n.LookupRoute(c.q)
		if err != nil || a.Err != c.err || a.Type != c.kind || c.err == 0 && a.Out != lo {
			t.Errorf("%+v: got %+v, %v; want %v %s", c.q, a, err, c.err, c.kind)
		}
	}
	a, err := n.LookupRoute(RouteQuery{Dst: ip("127.0.0.2")})
	if err != nil || a.Match != netip.MustParsePrefix("127.0.0.0/8") || a.MatchType != "local" {
		t.Errorf("the entry for 127.0.0.2 is %+v, %v; want 127.0.0.0/8, local", a, err)
	}
}

// TestCounters reads both forms of the kernel's tables.
func TestCounters(t *testing.T) {
	t.Parallel()
	c := Counters{}
	c.read("Ip: Forwarding InReceives MaxConn\nIp: 1 17 -1\nIp6InReceives                   \t5\n")
	if len(c) != 3 || c["IpInReceives"] != 17 || c["Ip6InReceives"] != 5 {
		t.Errorf("got %v", c)
	}
	n := freshNetNS(t)
	now, err := n.Counters(true)
	for _, name := range []string{"IpInAddrErrors", "TcpExtListenDrops", "Ip6InNoRoutes"} {
		if _, ok := now[name]; !ok || err != nil {
			t.Errorf("there is no counter %s: %v", name, err)
		}
	}
	for _, v6 := range []bool{false, true} {
		if _, err := n.NeighborTableFulls(v6); err != nil {
			t.Error(err)
		}
	}
}
