//go:build linux

package filter

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

func mustCompile(t testing.TB, filter string, o Options) []bpf.RawInstruction {
	t.Helper()
	program, err := Compile(filter, o)
	if err != nil {
		t.Fatal(err)
	}
	valid(t, program)
	return program
}

// TestSnapLen holds what a program returns.
func TestSnapLen(t *testing.T) {
	t.Parallel()
	p := packet{data: ether(m2, m1, ip, ip4{src: "10.0.0.1", dst: "10.0.0.2", proto: 6}.with(tcp(1, 80, 2)))}
	for _, c := range []struct {
		filter        string
		snapLen, want uint32
	}{
		{"", 0, DefaultSnapLen}, {"", 96, 96}, {" \t\n", 96, 96}, {"tcp", 96, 96}, {"tcp", 0, DefaultSnapLen}, {"udp", 96, 0}, {"1 = 2", 96, 0}, {"1 = 1", 7, 7},
	} {
		if got := run(mustCompile(t, c.filter, Options{SnapLen: c.snapLen}), p); got != c.want {
			t.Errorf("%q with %d: %d, want %d", c.filter, c.snapLen, got, c.want)
		}
	}
}

// TestNames holds filters with names of hosts and of protocols against such with numbers.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ filter, same string }{
		{"host web", "host 10.0.0.1 or host fd00::1"},
		{"web", ""},
		{"ip host web", "ip host 10.0.0.1"},
		{"arp host web", "arp host 10.0.0.1"},
		{"ip6 host web", "ip6 host fd00::1"},
		{"src host web and not db", "(src host 10.0.0.1 or src host fd00::1) and not src host 10.0.0.2"},
		{"dst web or db", "dst host 10.0.0.1 or dst host fd00::1 or dst host 10.0.0.2"},
		{"host web-1", "host 10.0.0.9"},
		{`host \tcp`, "host fd00::2"},
		{"src and dst host web", "src and dst host 10.0.0.1 or src and dst host fd00::1"},
		{"ip proto tcp or proto ospf", `ip proto \tcp or proto 89`},
		{"tcp port bgp", "tcp port 179"},
		{"port bgp", "tcp port 179"},
		{"port ntp", "udp port 123"},
		{"portrange ftp-data-ssh", "tcp portrange 20-22"},
		{"portrange 0x10-0x60", "portrange 16-96"},
		{"net 10/8", "net 10.0.0.0/8"},
		{"net 10/8 or 11/8", "net 10.0.0.0/8 or net 11.0.0.0/8"},
		{"net 10 mask 255", "net 10.0.0.0/8"},
		{"host (web or db)", "host 10.0.0.1 or fd00::1 or 10.0.0.2"},
		{"host not web", "not host web"},
	} {
		a, err := Compile(c.filter, Options{Resolve: resolve})
		if c.same == "" {
			if err == nil {
				t.Errorf("%s: no error", c.filter)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if b := mustCompile(t, c.same, Options{Resolve: resolve}); !same(a, b, frames()) {
			t.Errorf("%s: other than %s", c.filter, c.same)
		}
	}
}

// TestMAC holds the ways to write an Ethernet address.
func TestMAC(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"02:00:00:00:0a:Bc", "2:0:0:0:a:bc", "02-00-00-00-0A-BC", "2.0.0.0.a.bc", "0200.0000.0abc", "200.0.abc", "020000000abc", "2:0-0.0:a:bc"} {
		if got, ok := parseMAC(s); !ok || got != [6]byte{2, 0, 0, 0, 0xa, 0xbc} {
			t.Errorf("%s: %x", s, got)
		}
	}
	for _, s := range []string{"", "2:0:0:0:0", "2:0:0:0:0:1:2", "2:0:0:0:0:100", "2:0:0:0:0:g", "2::0:0:0:1", "2:0:0:0:0:1:", "0200.0000", "02000.0.1", "20000000abc", "10.0.0.1"} {
		if got, ok := parseMAC(s); ok {
			t.Errorf("%s: %x", s, got)
		}
	}
}

// TestLong holds programs whose jumps go farther than a conditional jump reaches, and
// one that the kernel would not take.
func TestLong(t *testing.T) {
	t.Parallel()
	hosts := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("10.1.%d.%d", i/256, i%256))
		}
		return "host " + strings.Join(list, " or ")
	}
	for _, n := range []int{10, 60, 62, 63, 64, 65, 100, 200, 400} {
		program := mustCompile(t, hosts(n), Options{})
		for _, last := range []int{0, n / 2, n - 1, n, n + 1} {
			p := packet{data: ether(m2, m1, ip, ip4{src: "10.0.0.1", dst: fmt.Sprintf("10.1.%d.%d", last/256, last%256), proto: 6}.with(tcp(1, 80, 2)))}
			if got, want := run(program, p) != 0, last < n; got != want {
				t.Errorf("%d hosts, host %d: %v", n, last, got)
			}
			p.data = ether(every, m1, 0x0806, arp(1, "10.0.0.1", fmt.Sprintf("10.1.%d.%d", last/256, last%256)))
			if got, want := run(program, p) != 0, last < n; got != want {
				t.Errorf("%d hosts, arp for host %d: %v", n, last, got)
			}
		}
		if n > 200 {
			continue // two programs are too long
		}
		negated := mustCompile(t, "not ("+hosts(n)+")", Options{Link: AnyDevice})
		if len(negated) < len(program) {
			t.Errorf("%d hosts: %d instructions for two kinds of device, %d for one", n, len(negated), len(program))
		}
	}
	_, err := Compile(hosts(2000), Options{})
	if err == nil || !strings.Contains(err.Error(), "instructions, and the kernel takes 4096") {
		t.Errorf("2000 hosts: %v", err)
	}
	for _, filter := range []string{
		strings.Repeat("(", 200) + "tcp" + strings.Repeat(")", 200), strings.Repeat("not ", 200) + "tcp", strings.Repeat("-", 200) + "1 = 1",
		"ip[" + strings.Repeat("ip[", 200) + "0" + strings.Repeat("]", 200) + "] = 1", "host " + strings.Repeat("(", 200) + "10.0.0.1",
	} {
		if _, err := Compile(filter, Options{}); err == nil || !strings.Contains(err.Error(), "in each other") {
			t.Errorf("%.20s…: %v", filter, err)
		}
	}
	if _, err := Compile(strings.Repeat("tcp or ", 10000)+"tcp", Options{}); err == nil || !strings.Contains(err.Error(), "65536 bytes") {
		t.Error(err)
	}
	deep := "ip[8]"
	for range 20 {
		deep = "(ip[ip[9]] + " + deep + " * ip[ip[8]])"
	}
	if _, err := Compile(deep+" = 1", Options{}); err != nil && !strings.Contains(err.Error(), "scratch words") {
		t.Error(err)
	}
}

// TestReach holds programs around the length that a conditional jump reaches: each
// alternative is one instruction.
func TestReach(t *testing.T) {
	t.Parallel()
	for n := 240; n < 540; n++ {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprint(0x7000+i))
		}
		filter := "ether proto " + strings.Join(list, " or ")
		program := mustCompile(t, filter, Options{})
		negated := mustCompile(t, "not ("+filter+")", Options{})
		for _, i := range []int{0, 1, n - 257, n - 256, n - 255, n - 254, n - 1, n} {
			p := packet{data: ether(m2, m1, 0x7000+i, make([]byte, 46))}
			want := i >= 0 && i < n
			if run(program, p) != 0 != want || run(negated, p) != 0 == want {
				t.Errorf("%d types, type %d: not %v", n, i, want)
			}
		}
	}
}

// TestAnyDevice holds that a program for all devices decides like those for each kind.
func TestAnyDevice(t *testing.T) {
	t.Parallel()
	compared := 0
	for _, filter := range filters(t) {
		all, err := Compile(filter, Options{Link: AnyDevice})
		ether, err2 := Compile(filter, Options{Link: EthernetDevice})
		if (err == nil) != (err2 == nil) {
			t.Errorf("%s: for all devices %v, for Ethernet %v", filter, err, err2)
		}
		if err != nil {
			continue
		}
		valid(t, all)
		compared++
		if !same(all, ether, captured()) {
			t.Errorf("%s: other on an Ethernet device than for it alone", filter)
		}
		if bare, err := Compile(filter, Options{Link: IPDevice}); err == nil && !same(all, bare, tunnelled()) {
			t.Errorf("%s: other on a device without link header than for it alone", filter)
		}
	}
	t.Logf("%d filters", compared)
	// What a device without link header lacks is false there.
	p := tunnelled()[0]
	for filter, want := range map[string]bool{
		"vlan": false, "not vlan": true, "ether host 2:0:0:0:0:1": false, "broadcast": false, "not multicast": true,
		"ether[0] = 0x45": false, "llc": false, "tcp and not ether host 2:0:0:0:0:1": true, "stp": false, "arp": false,
		"vlan or tcp": true,
	} {
		if got := run(mustCompile(t, filter, Options{Link: AnyDevice}), p) != 0; got != want {
			t.Errorf("%s: %v for %s", filter, got, p.name)
		}
	}
	lo := captured()[0]
	lo.device = unix.ARPHRD_LOOPBACK
	if run(mustCompile(t, "ether dst 2:0:0:0:0:2 and tcp", Options{Link: AnyDevice}), lo) == 0 {
		t.Error("lo has Ethernet headers")
	}
}

// TestMPLSDevice holds that MPLS is found on a device without link header.
func TestMPLSDevice(t *testing.T) {
	t.Parallel()
	p := packet{data: stacked(16, false, stacked(17, true, ip4{src: "10.0.0.1", dst: "10.0.0.2", proto: 6}.with(tcp(1, 80, 2)))), meta: meta{protocol: 0x8847, device: unix.ARPHRD_IPGRE}}
	for filter, want := range map[string]bool{"mpls": true, "mpls 16": true, "mpls 17": false, "mpls and mpls 17 and tcp port 80": true, "mpls and ip": false, "ip": false} {
		for _, link := range []LinkType{IPDevice, AnyDevice} {
			if got := run(mustCompile(t, filter, Options{Link: link}), p) != 0; got != want {
				t.Errorf("%v: %s: %v", link, filter, got)
			}
		}
	}
}

// chained finds a protocol in a chain of headers, as protochain is meant to.
func chained(b []byte, n byte) bool {
	var next byte
	var at int
	options := map[byte]bool{}
	switch {
	case len(b) < 1 || b[0]>>4 != 4 && b[0]>>4 != 6:
		return false
	case b[0]>>4 == 4:
		if len(b) < 10 {
			return false
		}
		next, at = b[9], int(b[0]&0xf)*4
	default:
		if len(b) < 7 {
			return false
		}
		next, at = b[6], 40
		options = map[byte]bool{0: true, 43: true, 44: true, 60: true}
	}
	for range maxChain + 1 {
		if next == n {
			return true
		}
		unit := 0
		switch {
		case options[next]:
			unit = 8
		case next == 51:
			unit = 4
		}
		if unit == 0 || at+1 >= len(b) {
			return false
		}
		skip := (int(b[at+1]) + 1) * 8
		if unit == 4 {
			skip = (int(b[at+1]) + 2) * 4
		}
		next, at = b[at], at+skip
	}
	return false
}

// TestProtochain holds chains of headers, with authentication headers in them.
func TestProtochain(t *testing.T) {
	t.Parallel()
	packets := append(tunnelled(),
		packet{name: "ah in ah", data: ip4{src: "10.0.0.1", dst: "10.0.0.2", proto: 51}.with(authentication(51, authentication(17, udp(1, 2)))), meta: meta{protocol: ip}},
		packet{name: "options and ah", data: ip6{"fd00::1", "fd00::2", 0}.with(extension(51, 0, authentication(60, extension(6, 1, tcp(1, 80, 2))))), meta: meta{protocol: ip6ty}},
	)
	for _, n := range []byte{0, 1, 6, 17, 44, 51, 58, 59, 60, 132} {
		for _, link := range []LinkType{IP, IPDevice, AnyDevice} {
			program := mustCompile(t, fmt.Sprintf("protochain %d", n), Options{Link: link})
			for _, p := range packets {
				if got, want := run(program, p) != 0, chained(p.data, n); got != want {
					t.Errorf("%v: protochain %d of %s: %v (%x)", link, n, p.name, got, p.data)
				}
			}
		}
	}
}

// TestRightOperand holds that a field on the right of an operator checks its header.
func TestRightOperand(t *testing.T) {
	t.Parallel()
	for _, p := range frames() {
		for _, c := range []struct{ filter, same string }{
			{"1 + tcp[0] = 5", "tcp[0] = 4"}, {"0 = udp[2] - 0", "udp[2] = 0"}, {"len > 0 * icmp[0]", "icmp[0] >= 0 and len > 0"},
		} {
			if a, b := run(mustCompile(t, c.filter, Options{}), p), run(mustCompile(t, c.same, Options{}), p); a != b {
				t.Errorf("%s: %d for %s, other than %s", c.filter, a, p.name, c.same)
			}
		}
	}
}

// TestVM holds that the VM of golang.org/x/net/bpf takes our programs and decides as
// the tests' own.
func TestVM(t *testing.T) {
	t.Parallel()
	packets := frames()
	for i, filter := range filters(t) {
		program, err := Compile(filter, Options{})
		if err != nil || i%5 != 0 {
			continue
		}
		list, ok := bpf.Disassemble(program)
		vm, err := bpf.NewVM(list)
		if !ok || err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		for _, p := range packets {
			n, err := vm.Run(p.data)
			if want := run(program, p); err != nil || uint32(n) != want && want <= uint32(len(p.data)) {
				t.Errorf("%s: %d and %d for %s: %v", filter, n, want, p.name, err)
				break
			}
		}
	}
}
