//go:build linux

package dhcp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/vishvananda/netlink"

	"nsscript/builtins/probe/internal/nettest"
)

// cable joins two namespaces; each end is named after the other.
func cable(a, b *nettest.NS, addrA, addrB string) {
	a.T.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = b.Name
	a.Must(a.NL.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: a.Name, PeerNamespace: netlink.NsFd(b.FD)}))
	for _, end := range []struct {
		ns        *nettest.NS
		dev, addr string
	}{{a, b.Name, addrA}, {b, a.Name, addrB}} {
		end.ns.Up(end.dev)
		if end.addr != "" {
			addAddr(end.ns, end.dev, end.addr)
		}
	}
	a.AwaitUp(b.Name)
	b.AwaitUp(a.Name)
}

func addAddr(ns *nettest.NS, dev, text string) {
	ns.T.Helper()
	addr, err := netlink.ParseAddr(text)
	ns.Must(err)
	ns.Must(ns.NL.AddrAdd(ns.Link(dev), addr))
}

// serve runs a server or a relay inside a namespace until the test ends.
func serve(ns *nettest.NS, listen func() (interface{ Serve(context.Context) error }, error)) {
	ns.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan error), make(chan error)
	go func() {
		done <- ns.Do(func() error {
			s, err := listen()
			ready <- err
			if err != nil {
				return nil
			}
			return s.Serve(ctx)
		})
	}()
	ns.Must(<-ready)
	ns.T.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			ns.T.Errorf("the server ended with %v", err)
		}
	})
}

func serveDHCP(ns *nettest.NS, c Config) *nettest.Log {
	ns.T.Helper()
	l := &nettest.Log{}
	serve(ns, func() (interface{ Serve(context.Context) error }, error) { return Listen(c, l) })
	return l
}

// home is a subnet with a pool of so many addresses from 10.0.0.100.
func home(size int) Subnet {
	return Subnet{
		Network: netip.MustParsePrefix("10.0.0.0/24"), First: netip.MustParseAddr("10.0.0.100"), Last: netip.MustParseAddr(fmt.Sprintf("10.0.0.%d", 99+size)),
		Routers: []netip.Addr{netip.MustParseAddr("10.0.0.1")}, DNS: []netip.Addr{netip.MustParseAddr("10.0.0.53")}, Domain: "example.com", LeaseTime: 3600,
	}
}

// obtain asks for a lease.
func obtain(ns *nettest.NS, dev string, within time.Duration) (*Lease, error) {
	l := ns.Link(dev).Attrs()
	return Obtain(context.Background(), ns, Request{Dev: dev, Index: l.Index, MAC: l.HardwareAddr, Timeout: within})
}

// command runs a program in a namespace.
func command(ns *nettest.NS, argv ...string) (out string, err error) {
	var b bytes.Buffer
	err = ns.Do(func() error {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Stdout, cmd.Stderr = &b, &b
		return cmd.Run()
	})
	return b.String(), err
}

// TestLease goes once through the life of a lease.
func TestLease(t *testing.T) {
	t.Parallel()
	gw, pc := nettest.New(t, "gw"), nettest.New(t, "pc", "net/ipv4/conf/all/rp_filter=1", "net/ipv4/conf/default/rp_filter=1")
	cable(gw, pc, "10.0.0.1/24", "")
	log := serveDHCP(gw, Config{Subnets: []Subnet{home(2)}})
	l, err := obtain(pc, "gw", 5*time.Second)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	want := "10.0.0.100/24 [10.0.0.1] [10.0.0.53] example.com 10.0.0.1 1h0m0s"
	if got := fmt.Sprint(l.Addr, l.Routers, l.DNS, " ", l.Domain, " ", l.Server, l.Time); got != want {
		t.Errorf("the lease is\n%s, want\n%s", got, want)
	}
	addAddr(pc, "gw", l.Addr.String())
	if again, err := Renew(context.Background(), pc, l, 5*time.Second); err != nil || again.Addr != l.Addr {
		t.Errorf("renewed: %v, %v\n%s", again, err, log)
	}
	if again, err := obtain(pc, "gw", 5*time.Second); err != nil || again.Addr != l.Addr {
		t.Errorf("the same client got %v, %v", again, err)
	}
	pc.Must(Release(context.Background(), pc, l))
	for range 500 {
		if strings.Contains(log.String(), "DHCPRELEASE") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	pc.Must(pc.NL.LinkSetDown(pc.Link("gw")))
	mac := []byte{2, 0, 0, 0, 0, 9}
	pc.Must(pc.NL.LinkSetHardwareAddr(pc.Link("gw"), mac))
	pc.Up("gw")
	pc.AwaitUp("gw")
	if other, err := obtain(pc, "gw", 5*time.Second); err != nil || other.Addr != l.Addr {
		t.Errorf("after the release another client got %v, %v\n%s", other, err, log)
	}
}

// TestNobody holds what a client says where nobody answers, and where no address is free.
func TestNobody(t *testing.T) {
	t.Parallel()
	gw, pc := nettest.New(t, "gw"), nettest.New(t, "pc")
	cable(gw, pc, "10.0.0.1/24", "")
	begun := time.Now()
	_, err := obtain(pc, "gw", 500*time.Millisecond)
	var silent *NoAnswerError
	if !errors.As(err, &silent) || silent.Offered.IsValid() {
		t.Errorf("without a server: %v", err)
	}
	if took := time.Since(begun); took < 400*time.Millisecond || took > 3*time.Second {
		t.Errorf("that took %v", took)
	}
	full := home(1)
	full.DNS = []netip.Addr{netip.MustParseAddr("10.0.0.100")} // the one address is told of, so it is nobody's
	log := serveDHCP(gw, Config{Subnets: []Subnet{full}})
	if _, err := obtain(pc, "gw", 500*time.Millisecond); !errors.As(err, &silent) || !strings.Contains(log.String(), "no address is free") {
		t.Errorf("with a full pool: %v\n%s", err, log)
	}
}

// TestReservation holds that a reserved address goes to its owner and to nobody else.
func TestReservation(t *testing.T) {
	t.Parallel()
	gw, pc, tv := nettest.New(t, "gw"), nettest.New(t, "pc"), nettest.New(t, "tv")
	cable(gw, pc, "10.0.0.1/24", "")
	cable(gw, tv, "10.0.1.1/24", "")
	second := Subnet{Network: netip.MustParsePrefix("10.0.1.0/24"), First: netip.MustParseAddr("10.0.1.10"), Last: netip.MustParseAddr("10.0.1.19"), LeaseTime: 60}
	serveDHCP(gw, Config{Subnets: []Subnet{home(10), second}, Reservations: map[string]netip.Addr{
		tv.Link("gw").Attrs().HardwareAddr.String(): netip.MustParseAddr("10.0.1.10"),
		"02:00:00:00:00:77":                         netip.MustParseAddr("10.0.0.100"),
	}})
	for ns, want := range map[*nettest.NS]string{pc: "10.0.0.101/24", tv: "10.0.1.10/24"} {
		if l, err := obtain(ns, "gw", 5*time.Second); err != nil || l.Addr.String() != want {
			t.Errorf("%s got %v, %v, want %s", ns.Name, l, err, want)
		}
	}
}

// TestRelay holds that a client behind two routers gets an address of its own network.
func TestRelay(t *testing.T) {
	t.Parallel()
	pc, gw, srv := nettest.New(t, "pc"), nettest.New(t, "gw", "net/ipv4/ip_forward=1"), nettest.New(t, "srv")
	cable(gw, pc, "10.0.0.1/24", "")
	cable(gw, srv, "10.0.9.1/24", "10.0.9.67/24")
	via := netlink.Route{Gw: []byte{10, 0, 9, 1}}
	srv.Must(srv.NL.RouteAdd(&via))
	log := serveDHCP(srv, Config{Subnets: []Subnet{home(10)}})
	serve(gw, func() (interface{ Serve(context.Context) error }, error) {
		return ListenRelay([]netip.Addr{netip.MustParseAddr("10.0.9.67")}, []string{"pc"}, log)
	})
	l, err := obtain(pc, "gw", 5*time.Second)
	if err != nil || l.Addr.String() != "10.0.0.100/24" || l.Server.String() != "10.0.9.67" || l.Relay.String() != "10.0.0.1" {
		t.Fatalf("%+v, %v\n%s", l, err, log)
	}
	addAddr(pc, "gw", l.Addr.String())
	pc.Must(pc.NL.RouteAdd(&netlink.Route{Gw: []byte{10, 0, 0, 1}}))
	if _, err := Renew(context.Background(), pc, l, 5*time.Second); err != nil {
		t.Errorf("renewed past the relay: %v\n%s", err, log)
	}
	if out, err := command(pc, "busybox", "udhcpc", "-i", "gw", "-n", "-q", "-f", "-t", "5", "-T", "1", "-s", "/bin/true"); err != nil {
		t.Errorf("udhcpc behind the relay: %v\n%s\n%s", err, out, log)
	}
}

// TestOtherClient holds that a client of another make obtains, renews and releases a lease,
// with answers to its address and with broadcast ones.
func TestOtherClient(t *testing.T) {
	t.Parallel()
	gw, pc := nettest.New(t, "gw"), nettest.New(t, "pc")
	cable(gw, pc, "10.0.0.1/24", "")
	log := serveDHCP(gw, Config{Subnets: []Subnet{home(10)}})
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n[ $1 = bound ] && echo got $ip/$mask $router $dns $domain $serverid $lease\nexit 0\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, flags := range []string{"", "-B", "-r 10.0.0.105", "-r 192.0.2.1"} {
		argv := append([]string{"busybox", "udhcpc", "-i", "gw", "-n", "-q", "-f", "-R", "-t", "5", "-T", "1", "-s", script}, strings.Fields(flags)...)
		out, err := command(pc, argv...)
		want := "got 10.0.0.100/24 10.0.0.1 10.0.0.53 example.com 10.0.0.1 3600"
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("udhcpc %s: %v\n%s\nwant %q\n%s", flags, err, out, want, log)
		}
	}
}

// TestOtherServer holds that the client understands a server of another make.
func TestOtherServer(t *testing.T) {
	t.Parallel()
	gw, pc := nettest.New(t, "gw"), nettest.New(t, "pc")
	cable(gw, pc, "10.0.0.1/24", "")
	dir := t.TempDir()
	config := fmt.Sprintf("interface pc\nstart 10.0.0.50\nend 10.0.0.60\noption subnet 255.255.255.0\nopt router 10.0.0.1\nopt dns 10.0.0.53 10.0.0.54\nopt lease 600\nlease_file %s/leases\npidfile %s/pid\n", dir, dir)
	for name, text := range map[string]string{"conf": config, "leases": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("busybox", "udhcpd", "-f", "-I", "10.0.0.1", filepath.Join(dir, "conf"))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	gw.Must(gw.Do(cmd.Start))
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	l, err := obtain(pc, "gw", 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if l.Addr.Bits() != 24 || len(l.DNS) != 2 || l.Server.String() != "10.0.0.1" || l.Time != 10*time.Minute {
		t.Errorf("the lease is %+v", l)
	}
}

// TestRules holds what a server says to messages that no well-behaved client sends.
func TestRules(t *testing.T) {
	t.Parallel()
	now := time.Now()
	subnet := home(3)
	s := &Server{config: Config{Subnets: []Subnet{subnet}}, leases: newLeases()}
	at := arrival{&subnet, netip.MustParseAddr("10.0.0.1"), nil}
	message := func(mac byte, kind dhcpv4.MessageType, opts ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
		m, err := dhcpv4.New(append([]dhcpv4.Modifier{dhcpv4.WithMessageType(kind), dhcpv4.WithHwAddr([]byte{2, 0, 0, 0, 0, mac})}, opts...)...)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	wish := func(a string) dhcpv4.Modifier {
		return dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(netip.MustParseAddr(a).AsSlice()))
	}
	server := func(a string) dhcpv4.Modifier {
		return dhcpv4.WithOption(dhcpv4.OptServerIdentifier(netip.MustParseAddr(a).AsSlice()))
	}
	for _, c := range []struct {
		what string
		m    *dhcpv4.DHCPv4
		at   time.Duration
		want string
	}{
		{"first", message(1, dhcpv4.MessageTypeDiscover), 0, "OFFER 10.0.0.100"},
		{"another, that would like the same", message(2, dhcpv4.MessageTypeDiscover, wish("10.0.0.100")), 0, "OFFER 10.0.0.101"},
		{"first chooses another server", message(1, dhcpv4.MessageTypeRequest, server("10.0.0.9"), wish("10.0.0.100")), 0, ""},
		{"third gets what is free again", message(3, dhcpv4.MessageTypeDiscover), 0, "OFFER 10.0.0.100"},
		{"third takes it", message(3, dhcpv4.MessageTypeRequest, server("10.0.0.1"), wish("10.0.0.100")), 0, "ACK 10.0.0.100"},
		{"first has moved from elsewhere", message(1, dhcpv4.MessageTypeRequest, wish("192.0.2.7")), 0, "NAK 0.0.0.0"},
		{"first wants a lease of the third", message(1, dhcpv4.MessageTypeRequest, wish("10.0.0.100")), 0, "NAK 0.0.0.0"},
		{"third finds it in use", message(3, dhcpv4.MessageTypeDecline, server("10.0.0.1"), wish("10.0.0.100")), 0, ""},
		{"third gets the last", message(3, dhcpv4.MessageTypeDiscover), 0, "OFFER 10.0.0.102"},
		{"none is left", message(4, dhcpv4.MessageTypeDiscover), 0, ""},
		{"an offer that was not taken is over", message(4, dhcpv4.MessageTypeDiscover), time.Minute, "OFFER 10.0.0.101"},
		{"only asks what there is", message(5, dhcpv4.MessageTypeInform), 0, "ACK 0.0.0.0"},
		{"no message of a client", message(5, dhcpv4.MessageTypeOffer), 0, ""},
	} {
		got := ""
		if r, _ := s.respond(c.m, at, now.Add(c.at)); r != nil {
			got = r.MessageType().String() + " " + r.YourIPAddr.String()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}
