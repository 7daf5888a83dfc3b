//go:build linux

package filter

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

var update = flag.Bool("update", false, "write libpcap's programs to testdata anew, with tcpdump; needs the right to capture on lo")

// links are the kinds of link that are held against libpcap: golden files are named
// after those with arguments of tcpdump.
var links = []struct {
	link         LinkType
	golden, args string
	packets      func() []packet
}{
	{Ethernet, "ethernet", "-y EN10MB", frames},
	{IP, "ip", "-y RAW", bare},
	{Cooked, "cooked", "-y LINUX_SLL", cooked},
	{EthernetDevice, "device", "-i lo", captured},
	{IPDevice, "ip", "", tunnelled},
}

// captured are frames as a packet socket sees them: received, with the outer VLAN
// tag beside the packet, or sent, with the tag beside it or in it.
func captured() []packet {
	var list []packet
	for i, p := range frames() {
		sent := meta{direct: unix.PACKET_OUTGOING, ifindex: 3, device: unix.ARPHRD_ETHER, network: 14}
		here := sent
		here.direct, here.ifindex = uint32(i%4), uint32(i%5)
		if len(p.data) < 18 {
			list = append(list, packet{p.name, p.data, here})
			continue
		}
		typ := uint16(p.data[12])<<8 | uint16(p.data[13])
		if typ != unix.ETH_P_8021Q && typ != unix.ETH_P_8021AD {
			here.protocol = typ
			list = append(list, packet{p.name, p.data, here})
			continue
		}
		sent.protocol, sent.network = typ, 18
		list = append(list, packet{p.name + " sent with its tag", p.data, sent})
		here.tagged, here.tci = true, uint16(p.data[14])<<8|uint16(p.data[15])
		here.protocol = uint16(p.data[16])<<8 | uint16(p.data[17])
		list = append(list, packet{p.name + " with its tag beside it", cat(p.data[:12], p.data[16:]), here})
	}
	return list
}

// tunnelled are packets of a device without link header.
func tunnelled() []packet {
	list := bare()
	for i := range list {
		list[i].meta = meta{direct: uint32(i % 5), ifindex: uint32(i % 4), device: unix.ARPHRD_NONE}
		if len(list[i].data) > 0 {
			list[i].protocol = map[byte]uint16{4: unix.ETH_P_IP, 6: unix.ETH_P_IPV6}[list[i].data[0]>>4]
		}
	}
	return list
}

// deliberate are the filters that libpcap is not the measure of.
var deliberate = []struct {
	links   []LinkType // none for all
	filters *regexp.Regexp
	why     string
}{
	{nil, regexp.MustCompile(`^(0 -|1 \+ 1 \+) ip\[`), "libpcap does not look whether a packet has the header of a right operand"},
	{nil, regexp.MustCompile(`^not protochain 17`), "libpcap loses its way behind an authentication header"},
	{[]LinkType{Ethernet, IP, Cooked}, regexp.MustCompile(`bound|ifindex`), "tcpdump makes a program for a socket"},
	{[]LinkType{IP, IPDevice}, regexp.MustCompile(`ip\[-2:2\]`), "there is nothing before an IP header"},
	{[]LinkType{IPDevice}, regexp.MustCompile(`ether\[|link\[`), "libpcap takes the IP header for a link header"},
	{[]LinkType{IPDevice}, regexp.MustCompile(`mpls`), "a device says that a packet is MPLS, its bytes do not"},
}

// excused returns the number of the reason why a filter may differ, -1 for none.
func excused(link LinkType, filter string) int {
	for i, d := range deliberate {
		if (d.links == nil || slices.Contains(d.links, link)) && d.filters.MatchString(filter) {
			return i
		}
	}
	return -1
}

func filters(t testing.TB) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/filters.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && line[0] != '#' {
			list = append(list, line)
		}
	}
	return list
}

// reference is what libpcap makes of a filter: a program as its optimizer left it,
// perhaps one as it was before, or an error.
type reference struct {
	program, plain []bpf.RawInstruction
	refused        string
}

// tcpdump asks the installed program. Its optimizer calls it an error that a filter
// accepts nothing.
func tcpdump(t testing.TB, args, filter string) reference {
	t.Helper()
	run := func(options string) ([]bpf.RawInstruction, string) {
		out, err := exec.Command("tcpdump", append(strings.Fields(options+" "+args), "--", filter)...).CombinedOutput()
		if err != nil {
			return nil, strings.TrimPrefix(strings.TrimSpace(string(out)), "tcpdump: ")
		}
		var list []bpf.RawInstruction
		for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n")[1:] {
			list = append(list, instructionOf(t, strings.Fields(line)))
		}
		return list, ""
	}
	plain, refused := run("-O -ddd")
	if refused != "" {
		return reference{refused: refused}
	}
	program, refused := run("-ddd")
	if refused != "" {
		program = plain
	}
	return reference{program: program, plain: plain}
}

func instructionOf(t testing.TB, fields []string) bpf.RawInstruction {
	t.Helper()
	var n [4]uint64
	if len(fields) != len(n) {
		t.Fatalf("%q: no instruction", fields)
	}
	for i := range n {
		var err error
		if n[i], err = strconv.ParseUint(fields[i], 10, 32); err != nil {
			t.Fatal(err)
		}
	}
	return bpf.RawInstruction{Op: uint16(n[0]), Jt: uint8(n[1]), Jf: uint8(n[2]), K: uint32(n[3])}
}

// same reports whether two programs agree on all packets.
func same(a, b []bpf.RawInstruction, packets []packet) bool {
	for _, p := range packets {
		if run(a, p) != run(b, p) {
			return false
		}
	}
	return true
}

func text(list []bpf.RawInstruction) string {
	var b strings.Builder
	for i, in := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d %d %d %d", in.Op, in.Jt, in.Jf, in.K)
	}
	return b.String()
}

// A golden file has, for each filter, a line with it, and behind tabs libpcap's
// program, the one before optimization if it decides otherwise on some packet, or the
// error.
func golden(name string) string { return "testdata/libpcap-" + name + ".txt" }

func references(t *testing.T, name string) map[string]reference {
	t.Helper()
	b, err := os.ReadFile(golden(name))
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]reference{}
	var filter string
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		r := m[filter]
		switch {
		case line == "" || line[0] == '#':
			continue
		case line[0] != '\t':
			filter = line
			continue
		case strings.HasPrefix(line, "\trefused: "):
			r.refused = line[10:]
		case r.program == nil:
			r.program = parseText(t, line)
			r.plain = r.program
		default:
			r.plain = parseText(t, line)
		}
		m[filter] = r
	}
	return m
}

func parseText(t *testing.T, line string) []bpf.RawInstruction {
	var list []bpf.RawInstruction
	for _, in := range strings.Split(strings.TrimSpace(line), ", ") {
		list = append(list, instructionOf(t, strings.Fields(in)))
	}
	return list
}

func writeReferences(t *testing.T, name, args string, packets []packet) {
	t.Helper()
	version, _ := exec.Command("tcpdump", "--version").CombinedOutput()
	var b strings.Builder
	fmt.Fprintf(&b, "# Made by tcpdump -ddd %s and: go test ./builtins/probe/filter -update\n", args)
	for line := range strings.Lines(string(version)) {
		if strings.HasPrefix(line, "libpcap") {
			b.WriteString("# " + line)
		}
	}
	for _, filter := range filters(t) {
		r := tcpdump(t, args, filter)
		fmt.Fprintf(&b, "%s\n", filter)
		switch {
		case r.refused != "":
			fmt.Fprintf(&b, "\trefused: %s\n", r.refused)
		default:
			fmt.Fprintf(&b, "\t%s\n", text(r.program))
			if !same(r.program, r.plain, packets) {
				fmt.Fprintf(&b, "\t%s\n", text(r.plain))
			}
		}
	}
	if err := os.WriteFile(golden(name), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestLibpcap holds our programs against libpcap's: each must decide alike on every
// packet. Of a packet that ends early libpcap's own programs decide differently
// before and after optimization, and ours like one of them.
func TestLibpcap(t *testing.T) {
	t.Parallel()
	var needed [10]bool
	for _, l := range links {
		packets := l.packets()
		if *update && l.args != "" {
			writeReferences(t, l.golden, l.args, packets)
		}
		known := references(t, l.golden)
		compared, ours, theirs := 0, 0, 0
		for _, filter := range filters(t) {
			want, ok := known[filter]
			if !ok {
				t.Fatalf("%s is missing in %s: run with -update", filter, golden(l.golden))
			}
			program, difference := hold(t, filter, l.link, want, packets)
			if i := excused(l.link, filter); difference != "" && i >= 0 {
				needed[i] = true
			} else if difference != "" {
				t.Errorf("%v: %s: %s", l.link, filter, difference)
			}
			if program != nil {
				compared++
				ours += len(program)
				theirs += len(want.program)
			}
		}
		t.Logf("%v: %d filters on %d packets; %d instructions, %d in libpcap", l.link, compared, len(packets), ours, theirs)
	}
	for i, d := range deliberate {
		if !needed[i] {
			t.Errorf("nothing differs any more for that: %s", d.why)
		}
	}
}

// hold compares a program of ours with libpcap's. It returns ours, nil if a side has
// none, and how they differ.
func hold(t testing.TB, filter string, link LinkType, want reference, packets []packet) (program []bpf.RawInstruction, difference string) {
	t.Helper()
	program, err := Compile(filter, Options{Link: link})
	if (err != nil) != (want.refused != "") {
		return nil, fmt.Sprintf("error %v, libpcap's %q", err, want.refused)
	}
	if err != nil {
		return nil, ""
	}
	valid(t, program)
	for _, p := range packets {
		got := run(program, p)
		if got != run(want.program, p) && got != run(want.plain, p) {
			return program, fmt.Sprintf("%d for %s (%x), other than libpcap", got, p.name, p.data)
		}
	}
	return program, ""
}

// hasLibpcap reports whether the installed tcpdump has the libpcap that a golden file
// was made with.
func hasLibpcap(t *testing.T, name string) bool {
	t.Helper()
	version, err := exec.Command("tcpdump", "--version").CombinedOutput()
	if err != nil {
		t.Skip("tcpdump is not installed")
	}
	b, err := os.ReadFile(golden(name))
	if err != nil {
		t.Fatal(err)
	}
	made, _, _ := strings.Cut(strings.SplitN(string(b), "\n", 3)[1], "(")
	return strings.Contains(string(version), strings.TrimPrefix(made, "# "))
}

// TestGoldenFresh holds some programs of the golden files against those that the
// installed tcpdump makes.
func TestGoldenFresh(t *testing.T) {
	t.Parallel()
	for _, l := range links[:3] {
		if !hasLibpcap(t, l.golden) {
			t.Skip("tcpdump has another libpcap than the golden files")
		}
		known := references(t, l.golden)
		for i, filter := range filters(t) {
			if want := known[filter]; i%10 == 0 {
				if got := tcpdump(t, l.args, filter); got.refused != want.refused || !slices.Equal(got.program, want.program) {
					t.Errorf("%s %s: now %s%s", l.args, filter, got.refused, text(got.program))
				}
			}
		}
	}
}
