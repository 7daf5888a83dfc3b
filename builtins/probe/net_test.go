//go:build linux

package probe

import (
	"context"
	"net"
	"net/netip"
	"nsscript/builtins/probe/internal/nettest"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// testNS is a network namespace of one test's own. It is gone when the test is.
type testNS struct{ *nettest.NS }

// newNS makes a namespace with lo up, forwarding on, and IPv6 addresses usable
// at once.
func newNS(t testing.TB, name string) *testNS {
	t.Helper()
	return &testNS{nettest.New(t, name, "net/ipv4/ip_forward=1", "net/ipv6/conf/all/forwarding=1", "net/ipv6/conf/default/accept_dad=0")}
}

// cable joins two namespaces by a veth with the given MTU. Each end is named after
// the other namespace and gets the addresses listed for it.
func cable(a, b *testNS, mtu int, addrsA, addrsB string) {
	a.T.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = b.Name, mtu
	a.Must(a.NL.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: a.Name, PeerNamespace: netlink.NsFd(b.FD), PeerMTU: uint32(mtu)}))
	a.Must(a.NL.LinkSetUp(a.Link(b.Name)))
	b.Must(b.NL.LinkSetUp(b.Link(a.Name)))
	// Until the kernel has seen the carrier, an IPv6 address stays tentative
	// even without duplicate address detection, and packets are dropped.
	a.AwaitUp(b.Name)
	b.AwaitUp(a.Name)
	a.addrs(b.Name, addrsA)
	b.addrs(a.Name, addrsB)
}

// settled reports whether the IPv6 addresses of an interface work. For a moment
// after they are added they do not, even without duplicate address detection:
// its worker joins the multicast group by which neighbours find the address, and then
// adds the local route, without which the host forwards what is meant for it.
func (n *testNS) settled(dev string) bool {
	n.T.Helper()
	list, err := n.NL.AddrList(n.Link(dev), unix.AF_INET6)
	n.Must(err)
	for _, a := range list {
		r, err := n.NL.RouteGetWithOptions(a.IP, &netlink.RouteGetOptions{Oif: dev})
		if err != nil || len(r) != 1 || r[0].Type != unix.RTN_LOCAL {
			return false
		}
	}
	return true
}

func (n *testNS) addrs(dev, list string) {
	n.T.Helper()
	for _, s := range strings.Fields(list) {
		addr, err := netlink.ParseAddr(s)
		n.Must(err)
		if addr.IP.To4() == nil {
			addr.Flags = unix.IFA_F_NODAD
		}
		n.Must(n.NL.AddrAdd(n.Link(dev), addr))
	}
	for range 5000 {
		if n.settled(dev) {
			return
		}
		time.Sleep(time.Millisecond)
	}
	n.T.Fatalf("namespace %q: the addresses of %q stay tentative", n.Name, dev)
}

// route adds a route: via is a gateway, or the type of a special route.
func (n *testNS) route(dst, via string) {
	n.T.Helper()
	_, ipnet, err := net.ParseCIDR(dst)
	n.Must(err)
	r := &netlink.Route{Dst: ipnet}
	switch via {
	case "blackhole":
		r.Type = unix.RTN_BLACKHOLE
	case "unreachable":
		r.Type = unix.RTN_UNREACHABLE
	case "prohibit":
		r.Type = unix.RTN_PROHIBIT
	default:
		r.Gw = net.ParseIP(via)
	}
	n.Must(n.NL.RouteAdd(r))
}

// pair is two hosts on one cable: a 10.0.0.1 and fd00::1, b 10.0.0.2 and fd00::2.
func pair(t testing.TB) (a, b *testNS) {
	t.Helper()
	a, b = newNS(t, "a"), newNS(t, "b")
	cable(a, b, 1500, "10.0.0.1/24 fd00::1/64", "10.0.0.2/24 fd00::2/64")
	return a, b
}

// line is a host, two routers and a host: a — r1 — r2 — b. Cable number i has
// 10.0.i.0/24 and fd00:0:0:i::/64, its left end .1 and its right end .2; the
// middle one has the MTU given.
type line struct{ a, r1, r2, b *testNS }

const (
	lineA4, lineR14, lineR24, lineB4 = "10.0.1.1", "10.0.1.2", "10.0.2.2", "10.0.3.2"
	lineA6, lineR16, lineR26, lineB6 = "fd00:0:0:1::1", "fd00:0:0:1::2", "fd00:0:0:2::2", "fd00:0:0:3::2"
)

func newLine(t testing.TB, mtu int) line {
	t.Helper()
	l := line{newNS(t, "a"), newNS(t, "r1"), newNS(t, "r2"), newNS(t, "b")}
	cable(l.a, l.r1, 1500, "10.0.1.1/24 fd00:0:0:1::1/64", "10.0.1.2/24 fd00:0:0:1::2/64")
	cable(l.r1, l.r2, mtu, "10.0.2.1/24 fd00:0:0:2::1/64", "10.0.2.2/24 fd00:0:0:2::2/64")
	cable(l.r2, l.b, 1500, "10.0.3.1/24 fd00:0:0:3::1/64", "10.0.3.2/24 fd00:0:0:3::2/64")
	l.a.route("0.0.0.0/0", "10.0.1.2")
	l.a.route("::/0", "fd00:0:0:1::2")
	l.r1.route("10.0.3.0/24", "10.0.2.2")
	l.r1.route("fd00:0:0:3::/64", "fd00:0:0:2::2")
	l.r2.route("10.0.1.0/24", "10.0.2.1")
	l.r2.route("fd00:0:0:1::/64", "fd00:0:0:2::1")
	l.b.route("0.0.0.0/0", "10.0.3.1")
	l.b.route("::/0", "fd00:0:0:3::1")
	return l
}

// ping is Ping with usual values for what opts do not change.
func ping(n *testNS, target string, opts ...func(*PingRequest)) PingResult {
	n.T.Helper()
	req := PingRequest{Target: netip.MustParseAddr(target), Count: 1, Size: 56, Interval: 10 * time.Millisecond, Timeout: 2 * time.Second}
	for _, o := range opts {
		o(&req)
	}
	res, err := Ping(context.Background(), n, req)
	if err != nil {
		n.T.Fatalf("ping %s from %s: %v", target, n.Name, err)
	}
	return res
}

func size(n int) func(*PingRequest)             { return func(r *PingRequest) { r.Size = n } }
func count(n int) func(*PingRequest)            { return func(r *PingRequest) { r.Count = n } }
func ttl(n int) func(*PingRequest)              { return func(r *PingRequest) { r.TTL = n } }
func dev(name string) func(*PingRequest)        { return func(r *PingRequest) { r.Dev = name } }
func within(d time.Duration) func(*PingRequest) { return func(r *PingRequest) { r.Timeout = d } }
func every(d time.Duration) func(*PingRequest)  { return func(r *PingRequest) { r.Interval = d } }
func df(r *PingRequest)                         { r.DF = true }

// wantReplies checks that all of count probes were answered.
func wantReplies(t testing.TB, r PingResult, count int) {
	t.Helper()
	if r.Sent != count || r.Received != count || r.Error != "" {
		t.Fatalf("%d of %d answered, error %q from %v: want %d of %d and none", r.Received, r.Sent, r.Error, r.ErrorFrom, count, count)
	}
	if r.Min <= 0 || r.Min > r.Avg || r.Avg > r.Max {
		t.Errorf("round trips min %v, avg %v, max %v: not in order", r.Min, r.Avg, r.Max)
	}
}

// wantError checks that the probe was lost, and why; from is "" for nobody.
func wantError(t testing.TB, r PingResult, word, from string, mtu int) {
	t.Helper()
	who := ""
	if r.ErrorFrom.IsValid() {
		who = r.ErrorFrom.String()
	}
	if r.Received != 0 || r.Error != word || who != from || r.MTU != mtu {
		t.Fatalf("%d received, error %q from %q, mtu %d: want none, %q from %q, mtu %d", r.Received, r.Error, who, r.MTU, word, from, mtu)
	}
}
