package program

import (
	"flag"
	"net"
	"net/netip"
	"nsscript/builtins/kernel/abi"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

var update = flag.Bool("update", false, "write the golden files anew")

// network is one that is drawn by hand.
type network struct{ *picture.Picture }

func (n network) space(name string) *picture.Namespace {
	s := &picture.Namespace{Name: name, Sysctls: map[string]string{}}
	n.Namespaces = append(n.Namespaces, s)
	n.link(s, "lo", "loopback", 65536)
	return s
}

func (n network) link(s *picture.Namespace, name, kind string, mtu int, options ...[2]string) *picture.Link {
	l := &picture.Link{NS: s, Name: name, Index: len(s.Links) + 1, Kind: kind, MTU: mtu, Up: true, Options: options}
	s.Links = append(s.Links, l)
	return l
}

func (n network) cable(a *picture.Namespace, nameA string, b *picture.Namespace, nameB string) (la, lb *picture.Link) {
	la, lb = n.link(a, nameA, "veth", 1500), n.link(b, nameB, "veth", 1500)
	la.Peer, lb.Peer = lb, la
	return la, lb
}

func addr(l *picture.Link, text string) {
	l.Addrs = append(l.Addrs, kernel.Addr{Prefix: netip.MustParsePrefix(text), Link: l.Index, Scope: "global"})
}

// kinds has an interface of each kind, and such as cannot be built.
func kinds() *picture.Picture {
	n := network{&picture.Picture{}}
	host := n.space(picture.Host)
	n.link(host, "enp3s0", "device", 1500)
	addr(host.Links[1], "192.0.2.7/24")
	tagged := n.link(host, "enp3s0.7", "vlan", 1500, [2]string{"id", "7"})
	tagged.Peer = host.Links[1]
	n.link(host, "tap0", "tun", 1500)
	n.link(host, "wg0", "wireguard", 1420)
	n.link(host, "nlmon0", "nlmon", 3776)
	n.link(host, "lonely", "veth", 1500)
	n.link(host, "gre0", "gre", 1476).Up = false

	red, blue := n.space("red"), n.space("class")
	a1, _ := n.cable(red, "a1", blue, "b1")
	a2, _ := n.cable(red, "a2", blue, "b2")
	bond := n.link(red, "bond0", "bond", 1500, [2]string{"mode", "active-backup"}, [2]string{"miimon", "50"})
	a1.Master, a2.Master = bond, bond
	addr(bond, "10.0.0.1/24")
	vlan := n.link(red, "bond0.10", "vlan", 1400, [2]string{"id", "10"})
	vlan.Peer = bond
	outer := n.link(red, "outer", "vlan", 1500, [2]string{"id", "20"}, [2]string{"protocol", "802.1AD"})
	outer.Peer = bond
	br := n.link(red, "br0", "bridge", 1400, [2]string{"stp_state", "1"}, [2]string{"priority", "4096"}, [2]string{"vlan_filtering", "1"})
	br.VLANs = []kernel.PortVLAN{{ID: 30}}
	br.MAC = "02:00:00:00:00:01"
	vlan.Master = br
	chosen(red, vlan)
	n.link(red, "dummy0", "dummy", 1500).MAC = "02:00:00:00:00:02"
	n.link(red, "gre1", "gre", 1476, [2]string{"local", "10.0.0.1"}, [2]string{"remote", "10.0.0.2"}, [2]string{"key", "5"})
	vx := n.link(red, "vx0", "vxlan", 1450, [2]string{"id", "42"}, [2]string{"group", "239.0.0.1"}, [2]string{"dstport", "8472"}, [2]string{"learning", "0"})
	vx.Peer = bond
	vrf := n.link(red, "blue", "vrf", 65575, [2]string{"table", "100"})
	outer.Master = vrf
	macvlan := n.link(blue, "mv0", "macvlan", 1500, [2]string{"mode", "private"})
	macvlan.Peer, macvlan.Up = bond, false
	ipvlan := n.link(blue, "iv0", "ipvlan", 1500, [2]string{"mode", "l3"})
	ipvlan.Peer = bond

	red.Rules = append(red.Rules, kernel.Rule{Priority: 1000, Family: unix.AF_INET, Mask: ^uint32(0)})
	host.Routes = append(host.Routes, kernel.Route{Family: unix.AF_INET, Type: "unicast", Table: abi.TableMain, Protocol: "dhcp", Scope: "global",
		Hops: []kernel.NextHop{{Via: netip.MustParseAddr("192.0.2.1"), Dev: "enp3s0", Weight: 1}}})
	return n.Picture
}

// chosen sets of an interface what no other is set to, and of its namespace too.
func chosen(s *picture.Namespace, l *picture.Link) {
	l.VLANs = []kernel.PortVLAN{{ID: 10, PVID: true, Untagged: true}, {ID: 20}, {ID: 30, Untagged: true}}
	l.Options = append(l.Options, [2]string{"isolated", "1"}, [2]string{"hairpin", "1"})
	l.AltNames = []string{"a-long-name-of-its-own"}
	l.Shape = &kernel.Shape{Rate: 10_000_000, Delay: 20 * time.Millisecond, Loss: 0.5, Burst: 5000, Limit: 1000}
	s.Neighbors = append(s.Neighbors, kernel.Neigh{IP: netip.MustParseAddr("10.0.0.9"), MAC: net.HardwareAddr{2, 0, 0, 0, 0, 9}, Dev: "bond0", State: "PERMANENT"})
	s.Routes = append(s.Routes, kernel.Route{Dst: netip.MustParsePrefix("10.9.0.0/16"), Family: unix.AF_INET, Type: "unicast", Table: abi.TableMain, Protocol: "boot", Scope: "global",
		Hops: []kernel.NextHop{{Via: netip.MustParseAddr("10.0.0.2"), Dev: "bond0", Weight: 1}, {Via: netip.MustParseAddr("10.0.0.3"), Dev: "bond0", Weight: 3}}})
	s.Rules = append(s.Rules, kernel.Rule{Priority: 103, Family: unix.AF_INET, Dst: netip.MustParsePrefix("10.5.0.0/16"), Mask: ^uint32(0), Type: "prohibit"},
		kernel.Rule{Priority: 104, Family: unix.AF_INET, Src: netip.MustParsePrefix("10.5.0.0/16"), Mask: ^uint32(0), Type: "nop"})
}

// hostile has names that somebody has chosen who meant harm.
func hostile() *picture.Picture {
	n := network{&picture.Picture{}}
	n.space(picture.Host)
	for i, name := range []string{"1st", "while", "ping", "a b\nos = 1", "…", "a b", "a_b", "a-b", "lab-lab"} {
		s := n.space(name)
		if i > 0 {
			continue
		}
		s.Note = "sh (1)\nexec(host, \"reboot\")"
		s.Sysctls["net/ipv4/conf/x.\"y/rp_filter"] = "2"
		n.link(s, "x.\"y", "dummy", 1500)
		s.Links[1].Alias = "\"\"\"\n"
		s.Tables = []*picture.Table{{Name: "filter", Chains: []*picture.Chain{
			{Name: "INPUT", Policy: "ACCEPT", Rules: [][]string{
				{"-m", "comment", "--comment", "\"\"\"\nexec(host)", "-j", "QUEUE"},
				{"-m", "comment", "--comment", "\"\"\"\nexec(host)", "-j", "ACCEPT"},
				{"-m", "comment", "--comment", "; \t`#", "-j", "RETURN"},
				{"-m", "comment", "--comment", "nsscript:other: it's \\ \"\"\"mine", "-j", "RETURN"},
				{"-m", "comment", "--comment", "nsscript:other", "-j", "QUEUE"},
			}},
		}}}
	}
	return n.Picture
}

func TestPrograms(t *testing.T) {
	for name, p := range map[string]*picture.Picture{"kinds": kinds(), "hostile": hostile()} {
		t.Run(name, func(t *testing.T) {
			got := Write(p, Options{
				Head: []string{"A program."}, Missing: []string{"the namespaces of 2 processes"},
				Reserved: func(name string) bool { return name == "ping" || name == "host" },
			})
			file := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("the program as it is to be (-), and as it is (+):\n%s", diff)
			}
		})
	}
}

func TestRulesInWords(t *testing.T) {
	for _, c := range []struct {
		table, chain, spec string
		v6                 bool
		want               string
	}{
		{"filter", "FORWARD", "-s 10.0.0.0/8 -p tcp -m tcp --dport 80 -j ACCEPT", false, `firewall.allow(fw, src = "10.0.0.0/8", tcp = 80)`},
		{"filter", "INPUT", "-p udp -m multiport --dports 53,1000:2000 -j DROP", false, `firewall.drop(fw, chain = "input", udp = [53, "1000:2000"])`},
		{"filter", "OUTPUT", "-p tcp -j REJECT --reject-with tcp-reset", false, `firewall.reject(fw, chain = "output", proto = "tcp")`},
		{"filter", "FORWARD", "-j REJECT --reject-with icmp-host-prohibited", false, ""},
		{"filter", "FORWARD", "-j REJECT --reject-with icmp6-port-unreachable", true, "firewall.reject(fw)"},
		{"filter", "FORWARD", "-p icmp -m icmp --icmp-type 8 -m limit --limit 5/min --limit-burst 9 -j ACCEPT", false, `firewall.allow(fw, icmp = "echo-request", limit = "5/min:9")`},
		{"filter", "FORWARD", "-p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT", true, `firewall.allow(fw, icmp = "echo-request")`},
		{"filter", "FORWARD", "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", false, "firewall.allow(fw, established = True)"},
		{"filter", "FORWARD", "-m conntrack --ctstate NEW -j ACCEPT", false, ""},
		{"filter", "FORWARD", "! -s 10.0.0.0/8 -j ACCEPT", false, ""},
		{"filter", "FORWARD", "-i eth+ -j ACCEPT", false, ""},
		{"filter", "FORWARD", "-j LOG --log-prefix seen", false, `firewall.log(fw, prefix = "seen")`},
		{"filter", "FORWARD", "-g OTHER", false, ""},
		{"nat", "POSTROUTING", "-s 10.0.0.0/8 -o wan -j MASQUERADE", false, `nat.masquerade(fw, src = "10.0.0.0/8", out = "wan")`},
		{"nat", "POSTROUTING", "-o wan -j MASQUERADE --random", false, ""},
		{"nat", "POSTROUTING", "-o wan -j SNAT --to-source 203.0.113.1", false, `nat.snat(fw, "203.0.113.1", out = "wan")`},
		{"nat", "POSTROUTING", "-o wan -j SNAT --to-source 203.0.113.1-203.0.113.9", false, ""},
		{"nat", "PREROUTING", "-i wan -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080", false, `nat.dnat(fw, "10.0.0.1:8080", iface = "wan", tcp = 80)`},
		{"nat", "OUTPUT", "-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080", false, ""},
		{"nat", "PREROUTING", "-p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080", false, "nat.redirect(fw, 8080, tcp = 80)"},
		{"mangle", "FORWARD", "-j ACCEPT", false, ""},
	} {
		spec := strings.Fields(c.spec)
		if got := sentenceOf("fw", c.table, c.chain, spec, c.v6).text; got != c.want {
			t.Errorf("-t %s -A %s %s: %q, want %q", c.table, c.chain, c.spec, got, c.want)
		}
	}
}
