//go:build linux

package filter

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// writer makes filters up.
type writer struct{ *rand.Rand }

func (w writer) of(list ...string) string { return list[w.IntN(len(list))] }

func (w writer) filter(depth int) string {
	if depth == 0 {
		return w.primitive()
	}
	switch w.IntN(8) {
	case 0, 1:
		return w.filter(depth-1) + w.of(" and ", " && ") + w.filter(depth-1)
	case 2, 3:
		return w.filter(depth-1) + w.of(" or ", " || ") + w.filter(depth-1)
	case 4:
		return w.of("not ", "! ") + w.filter(0)
	case 5:
		return "not (" + w.filter(depth-1) + ")"
	case 6:
		return "(" + w.filter(depth-1) + ")" + w.of(" and ", " or ") + w.filter(0)
	}
	return w.primitive()
}

func (w writer) primitive() string {
	dir := w.of("", "", "src ", "dst ", "src or dst ", "src and dst ")
	switch w.IntN(12) {
	case 0:
		return w.of("", "ip ", "arp ", "rarp ") + dir + "host " + w.ids(w.ip4)
	case 1:
		return w.of("", "ip6 ") + dir + "host " + w.ids(w.ip6)
	case 2:
		return w.of("", "ip ") + dir + "net " + w.of("10", "10.0.0.0/8", "10.0.0.0/30", "192.168.0.0/16", "172.16", "10.0.0", "0.0.0.0/0", "10.0.0.0 mask 255.0.255.0")
	case 3:
		return dir + "net " + w.of("fd00::/8", "fd00::/64", "fe80::/10", "2001:db8::/33", "ff02::/16", "fd00::2/127")
	case 4, 5:
		return w.of("", "tcp ", "udp ", "sctp ") + dir + "port " + w.ids(w.port)
	case 6:
		return w.of("", "tcp ", "udp ") + dir + "portrange " + w.of("20-25", "50-80", "6000-6008", "0-1023", "443")
	case 7:
		return w.of("ip", "ip6", "arp", "tcp", "udp", "icmp", "icmp6", "sctp", "esp", "stp", "isis", "broadcast", "multicast", "ip multicast", "ip6 multicast", "igmp", "ipx", "atalk", "llc")
	case 8:
		return w.of("", "ip ", "ip6 ", "ether ") + "proto " + w.of("6", "17", "58", "44", "0x11", "1", "89")
	case 9:
		return "ether " + w.of("", "src ", "dst ") + "host " + w.of(m1, m2, every, everyRouter)
	case 10:
		return w.of("vlan", "vlan 5", "vlan 100", "mpls", "mpls 100000", "pppoes", "pppoes 0x27", "geneve", "geneve 11", "less 80", "greater 70")
	}
	return w.number(2, true) + " " + w.of(relations...) + " " + w.constant()
}

// ids are one or more with the same qualifiers.
func (w writer) ids(id func() string) string {
	switch w.IntN(4) {
	case 0:
		return id() + w.of(" or ", " and ") + id()
	case 1:
		return "(" + id() + " or " + id() + ")"
	}
	return id()
}

func (w writer) ip4() string {
	return w.of("10.0.0.1", "10.0.0.2", "192.168.1.7", "10.1.2.3", "10.0.0.9", "255.255.255.255", "10.0")
}

func (w writer) ip6() string {
	return w.of("fd00::1", "fd00::2", "fe80::1", "ff02::1", "2001:db8::5")
}

func (w writer) port() string {
	return w.of("80", "53", "22", "443", "179", "1024", "0x50", "domain", "40000")
}

func (w writer) constant() string {
	return w.of("0", "1", "2", "5", "6", "17", "64", "0x45", "69", "80", "100", "0x800", "0xffffffff", "1024", "tcp-syn", "(3 + 4)", "-1")
}

// number has no field to the right of an operator: libpcap would not look whether a
// packet has it.
func (w writer) number(depth int, field bool) string {
	if !field {
		return w.constant()
	}
	if depth == 0 || w.IntN(3) == 0 {
		index := w.of("0", "1", "2", "4", "8", "9", "12", "13", "16", "5 + 7", "tcpflags")
		if depth > 0 && w.IntN(4) == 0 {
			index = w.number(depth-1, true)
		}
		return w.of("ip", "ip6", "tcp", "udp", "icmp", "icmp6", "ether", "arp", "sctp") + "[" + index + w.of("", "", ":1", ":2", ":4") + "]"
	}
	switch w.IntN(6) {
	case 0:
		return "(" + w.number(depth-1, true) + ")"
	case 1:
		return "- " + w.number(depth-1, true)
	case 2:
		return "len"
	case 3:
		return "((" + w.number(depth-1, true) + " & 0xf) " + w.of("<<", ">>", "*") + " 2)"
	}
	return w.number(depth-1, true) + " " + w.of("+", "-", "*", "&", "|", "^", "/", "%") + " " + w.number(0, false)
}

// TestRandomFilters holds filters that nobody would write against those that the
// installed tcpdump makes.
func TestRandomFilters(t *testing.T) {
	t.Parallel()
	holdRandom(t, 150, 1, frames(), bare(), cooked())
}

// TestTortureFilters does so with other filters each time, for packets that are not
// cut off: among many filters there are some where libpcap's optimizer leaves out some
// loads beyond the end and not others.
func TestTortureFilters(t *testing.T) {
	if os.Getenv("NSSCRIPT_TORTURE") == "" {
		t.Skip("NSSCRIPT_TORTURE is not set")
	}
	holdRandom(t, 20000, rand.Uint64(), notCut(frames()), notCut(bare()), notCut(cooked()))
}

func notCut(list []packet) []packet {
	return slices.DeleteFunc(list, func(p packet) bool { return strings.HasSuffix(p.name, " bytes") })
}

func holdRandom(t *testing.T, n int, seed uint64, frames, bare, cooked []packet) {
	t.Helper()
	if !hasLibpcap(t, "ethernet") {
		t.Skip("tcpdump has another libpcap than the golden files")
	}
	w := writer{rand.New(rand.NewPCG(seed, 2))}
	packets := map[LinkType][]packet{Ethernet: frames, IP: bare, Cooked: cooked}
	compared := 0
	for i := range n {
		l := links[0]
		if i%4 == 3 {
			l = links[1+i/4%2]
		}
		filter := w.filter(i % 4)
		if unlike(filter) {
			continue
		}
		program, difference := hold(t, filter, l.link, tcpdump(t, l.args, filter), packets[l.link])
		if difference != "" {
			t.Errorf("seed %d: %v: %s: %s", seed, l.link, filter, difference)
		}
		if program != nil {
			compared++
		}
	}
	t.Logf("%d filters of %d compared", compared, n)
}

var geneveOnly = regexp.MustCompile(`\bor\b|\|\||!|not`)

// unlike reports whether libpcap is not the measure of a filter.
func unlike(filter string) bool {
	// libpcap looks behind Geneve at random, where or and not let a program go on
	// without it.
	return strings.Contains(filter, "geneve") && geneveOnly.MatchString(filter)
}

// TestRandomDevices holds that made up filters decide alike for one kind of device
// and for all.
func TestRandomDevices(t *testing.T) {
	t.Parallel()
	w := writer{rand.New(rand.NewPCG(3, 4))}
	packets := captured()
	for i := range 100 {
		filter := w.filter(i % 4)
		one, err := Compile(filter, Options{Link: EthernetDevice})
		all, err2 := Compile(filter, Options{Link: AnyDevice})
		if fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Errorf("%s: %v, and for all devices %v", filter, err, err2)
		}
		if err != nil {
			continue
		}
		valid(t, all)
		if !same(one, all, packets) {
			t.Errorf("%s: decides otherwise for all devices", filter)
		}
	}
}
