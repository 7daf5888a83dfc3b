//go:build linux

package probe

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// star is namespaces on one bridge: the first has the address 10.0.0.1/22 and fd00::1/64.
func star(t testing.TB, size int) []*kernel.NetNS {
	t.Helper()
	hub := newNS(t, "hub")
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "br"
	off := false
	hub.Must(hub.NL.LinkAdd(&netlink.Bridge{LinkAttrs: attrs, MulticastSnooping: &off}))
	bridge := hub.Link("br")
	list := make([]*kernel.NetNS, size)
	for i := range list {
		n := newNS(t, fmt.Sprintf("n%d", i))
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "eth0"
		n.Must(n.NL.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: n.Name, PeerNamespace: netlink.NsFd(hub.FD)}))
		port := hub.Link(n.Name)
		hub.Must(hub.NL.LinkSetMaster(port, bridge))
		hub.Must(hub.NL.LinkSetUp(port))
		n.Up("eth0")
		n.addrs("eth0", fmt.Sprintf("10.0.%d.%d/22 fd00::%x/64", (i+1)>>8, (i+1)&255, i+1))
		var err error
		list[i], err = kernel.OpenNetNS(fmt.Sprintf("/proc/self/fd/%d", n.FD))
		n.Must(err)
		t.Cleanup(list[i].Close)
	}
	hub.Up("br")
	hub.AwaitUp("br")
	return list
}

// everyPair is all ordered pairs of a star.
func everyPair(size int, v6 bool) []*PingPair {
	var pairs []*PingPair
	for from := range size {
		for to := range size {
			addr := netip.AddrFrom4([4]byte{10, 0, byte((to + 1) >> 8), byte(to + 1)})
			if v6 {
				addr = netip.MustParseAddr(fmt.Sprintf("fd00::%x", to+1))
			}
			if from != to {
				pairs = append(pairs, &PingPair{From: from, To: to, Target: addr})
			}
		}
	}
	return pairs
}

func TestPingAll(t *testing.T) {
	t.Parallel()
	const size, deaf, strange = 2*blockSize + 3, 4, 20
	list := star(t, size)
	setSysctl(t, list[deaf], "net.ipv4.icmp_echo_ignore_all", "1")
	setSysctl(t, list[deaf], "net.ipv6.icmp.echo_ignore_all", "1")
	// The first knew somebody before; another has no way to the first.
	known := kernel.NeighborKey{IP: netip.MustParseAddr("10.0.0.2")}
	inside(t, list[0], func(nl *netlink.Handle) error {
		l, err := nl.LinkByName("eth0")
		if err != nil {
			return err
		}
		known.Link = l.Attrs().Index
		return nl.NeighAdd(&netlink.Neigh{LinkIndex: known.Link, IP: known.IP.AsSlice(), State: netlink.NUD_STALE, HardwareAddr: mac(t, list[1])})
	})
	inside(t, list[strange], func(nl *netlink.Handle) error {
		for _, to := range []string{"10.0.0.1/32", "fd00::1/128"} {
			dst, err := netlink.ParseIPNet(to)
			if err != nil {
				return err
			}
			if err := nl.RouteAdd(&netlink.Route{Dst: dst, Type: unix.RTN_UNREACHABLE}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, v6 := range []bool{false, true} {
		pairs := everyPair(size, v6)
		if err := PingAll(t.Context(), list, pairs, 300*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		for _, p := range pairs {
			want := []string{""}
			switch {
			case p.To == deaf:
				want = []string{Timeout}
			case p.From == strange && p.To == 0:
				want = []string{HostUnreachable, NetUnreachable}
			case p.From == 0 && p.To == strange:
				want = []string{Timeout} // the answer finds no way back
			}
			if p.Error != want[0] && p.Error != want[len(want)-1] || p.ErrorFrom.IsValid() {
				t.Errorf("%d → %d (%v): %q from %v, want %q", p.From, p.To, p.Target, p.Error, p.ErrorFrom, want)
			}
		}
	}
	for i, n := range list {
		met, err := n.KnownNeighbors()
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 && !met[known] {
			t.Errorf("the first has forgotten whom it knew before")
		}
		delete(met, known)
		if i == 0 && len(met) > 0 || len(met) > 1 { // the first may be asked for once more
			t.Errorf("namespace %d still knows %v", i, met)
		}
	}
}

func setSysctl(t testing.TB, n *kernel.NetNS, key, value string) {
	t.Helper()
	if err := n.WriteSysctl(kernel.Sysctl{Key: key, Value: value}); err != nil {
		t.Fatal(err)
	}
}

func inside(t testing.TB, n *kernel.NetNS, fn func(*netlink.Handle) error) {
	t.Helper()
	nl, err := n.Netlink()
	if err == nil {
		err = fn(nl)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func mac(t testing.TB, n *kernel.NetNS) (addr []byte) {
	t.Helper()
	inside(t, n, func(nl *netlink.Handle) error {
		l, err := nl.LinkByName("eth0")
		if err == nil {
			addr = l.Attrs().HardwareAddr
		}
		return err
	})
	return addr
}

// BenchmarkPingAll has a hundred namespaces on one bridge ping one another. The floor is
// the same packets in the same order through bare sockets.
func BenchmarkPingAll(b *testing.B) {
	const size = 100
	list := star(b, size)
	var ours, floor time.Duration
	for b.Loop() {
		began := time.Now()
		bare(b, list)
		floor += time.Since(began)
		began = time.Now()
		pairs := everyPair(size, false)
		if err := PingAll(b.Context(), list, pairs, time.Second); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(began)
		for _, p := range pairs {
			if p.Error != "" {
				b.Fatalf("%d → %d: %s", p.From, p.To, p.Error)
			}
		}
	}
	b.ReportMetric(float64(floor.Milliseconds())/float64(b.N), "ms-floor/op")
	b.ReportMetric(float64(ours)/float64(floor), "×floor")
}

// bare pings all pairs with a raw socket for each namespace, and nothing else.
func bare(b *testing.B, list []*kernel.NetNS) {
	b.Helper()
	fds := make([]int, len(list))
	to := make([]*unix.SockaddrInet4, len(list))
	for i, n := range list {
		err := n.Do(func() (err error) {
			fds[i], err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		defer unix.Close(fds[i])
		replies := ^(1 << ipv4.ICMPTypeEchoReply)
		if err := unix.SetsockoptInt(fds[i], unix.SOL_RAW, unix.ICMP_FILTER, int(int32(replies))); err != nil {
			b.Fatal(err)
		}
		to[i] = &unix.SockaddrInet4{Addr: [4]byte{10, 0, byte((i + 1) >> 8), byte(i + 1)}}
	}
	request := newEcho(netip.AddrFrom4(to[0].Addr), 1, [echoToken]byte{}, 56).probe(0, 0)
	var buf [2048]byte
	for i := 0; i < len(list); i += blockSize {
		for j := i; j < len(list); j += blockSize {
			sent := make([]int, len(list))
			send := func(from int, sa unix.Sockaddr) {
				if err := unix.Sendto(fds[from], request, 0, sa); err != nil {
					b.Fatal(err)
				}
				sent[from]++
			}
			eachMeeting(len(list), i, j, func(x, y int) { send(x, to[y]) })
			eachMeeting(len(list), i, j, func(x, y int) { send(y, to[x]) })
			for n := range list {
				for range sent[n] {
					if _, _, err := unix.Recvfrom(fds[n], buf[:], 0); err != nil {
						b.Fatal(err)
					}
				}
				if sent[n] > 0 {
					if err := list[n].ForgetNeighbors(nil); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
	}
}

func eachMeeting(of, i, j int, met func(x, y int)) {
	for x := i; x < min(i+blockSize, of); x++ {
		for y := max(j, x+1); y < min(j+blockSize, of); y++ {
			met(x, y)
		}
	}
}
