//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// neededFeatures is the line of a lab that names the kernel features that it is about.
var neededFeatures = regexp.MustCompile(`(?m)^# needs: (.+)$`)

// TestKinds runs the labs of testdata/kinds, which try the kinds of link, and holds that
// each of their checks passes and that nothing is left. The commands that a plan prints
// for such a lab must be such as bash can run.
func TestKinds(t *testing.T) {
	t.Parallel()
	if os.Getenv(stageEnv) != "" {
		t.Skip("not inside another test's host")
	}
	labs, err := filepath.Glob("testdata/kinds/*.star")
	if err != nil || len(labs) == 0 {
		t.Fatalf("no labs in testdata/kinds: %v", err)
	}
	for _, lab := range labs {
		t.Run(strings.TrimSuffix(filepath.Base(lab), ".star"), func(t *testing.T) {
			t.Parallel()
			script, err := os.ReadFile(lab)
			if err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(filepath.Join(os.Getenv(binEnv), "nsscript"), "plan", lab).CombinedOutput(); err != nil {
				t.Fatalf("plan: %v\n%s", err, out)
			}
			if m := neededFeatures.FindSubmatch(script); m != nil {
				skipWithout(t, strings.Fields(string(m[1]))...)
			}
			// The modules of tunnels put some of theirs, that end in 0, into each namespace.
			out := inEmptyHost(t, `
"$1/nsscript" run --rm "$2" || exit
ip -o link | grep -vE ': (lo:|[a-z0-9_]+0@NONE:)' && { echo "these links are left"; exit 1; }
ip netns list | grep . && { echo "these namespaces are left"; exit 1; }
exit 0
`, os.Getenv(binEnv), lab)
			if strings.Contains(out, "✗") {
				t.Error(out)
			}
		})
	}
}

// inEmptyHost runs a script of bash in a host of its own and returns what it prints.
func inEmptyHost(t *testing.T, script string, args ...string) string {
	t.Helper()
	cmd := exec.Command("bash", append([]string{"-c", "mount --make-rprivate / && mount -t tmpfs none /run && ip link set lo up || exit\n" + script, "bash"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// plannedKind is a lab and what it needs of the kernel.
type plannedKind struct{ needs, lab string }

// plannedKinds are labs with the kinds of link.
var plannedKinds = []plannedKind{
	{"vlan", `
vlan(x, 10, addr = "10.0.10.1/24", mtu = 1400)
vlan(y, 10, ns = a, name = "eth0.9", protocol = "802.1ad", up = False)
vlan(x, 20, ns = b, name = "eth1", mac = "02:00:00:00:00:07")
`},
	{"macvlan", `
macvlan(x, b, addr = "10.0.0.3/24")
macvlan(x, a, name = "mv", mode = "vepa", mtu = 1300)
`},
	{"ipvlan", `
ipvlan(x, b, addr = "10.0.0.3/24")
ipvlan(x, a, name = "iv", flag = "private", up = False)
`},
	{"dummy", `dummy(a, "d", addr = ["192.0.2.1/32", "2001:db8::1/128"])`},
	{"vxlan", `
vxlan(a, "t", 42, remote = b, local = a, dev = x, addr = "10.1.0.1/24")
vxlan(a, "u", 43, remote = ["10.0.0.2", "10.0.0.3"], port = 8472, ttl = 9, learning = False)
vxlan(a, "v", 44, remote = "239.1.1.1", dev = "eth0", mtu = 1200)
`},
	{"bonding", `
c = [veth(a, b), veth(a, b)]
bond(a, "bond0", [p for p, q in c], mode = "active-backup", primary = c[0][0], addr = "10.1.0.1/24")
bond(b, "bond0", [q for p, q in c], mode = "802.3ad", lacp_rate = "fast", xmit_hash_policy = "layer3+4", miimon = 0.05)
`},
	{"gre gretap ipip sit vti", `
for i, kind in enumerate(["gre", "gretap", "ipip", "sit", "vti"]):
    tunnel(a, kind + "1", kind, a, "10.0.0.2", addr = "10.1.%d.1/24" % i)
tunnel(a, "gre2", "gre", "10.0.0.1", "10.0.0.2", key = 7, ttl = 30, tos = 16, dev = x)
tunnel(a, "vti2", "vti", "10.0.0.1", "10.0.0.3", key = 7, mtu = 1400, up = False)
`},
	{"ip6gre ip6gretap ip6tnl vti6", `
x.add_addr("2001:db8::1/64")
for i, kind in enumerate(["ip6gre", "ip6gretap", "ip6tnl", "vti6"]):
    tunnel(a, kind, kind, "2001:db8::1", "2001:db8::2", addr = "10.1.%d.1/24" % i)
tunnel(a, "t", "ip6gre", "2001:db8::1", "2001:db8::2", key = 7)
`},
	{"wireguard", `
w = wireguard(a, "wg0", port = 51820, fwmark = 5, addr = "10.8.0.1/24")
v = wireguard(b, "wg0", mtu = 1380, addr = "10.8.0.2/24")
w.peer(v, "10.8.0.2/32", endpoint = (b, 51820), preshared = wireguard_key(), keepalive = 25)
`},
	{"vlan_filtering", `
br = bridge("br", ns = a, vlan_filtering = True)
p = veth(b, br)[1]
br.vlan(p, [10, 20], pvid = 10, untagged = [10, 20])
br.vlan(br, "30-32")
`},
	{"netem tbf", `
x.shape(rate = "10mbit", delay = "20ms", jitter = "1ms", loss = 0.5, reorder = 1, corrupt = 1, duplicate = 1)
y.shape(rate = "1gbit", burst = 100000, limit = 200)
y.unshape()
`},
	{"veth", `
br = bridge("br", ns = a)
veth(b, br, peer = "p")
a.link("p").set(isolated = True, hairpin = True)
neighbor(a, "10.0.0.2", y)
neighbor(a, "10.0.0.9", "02:00:00:00:00:09")
neighbor(a, "10.0.0.7", dev = x, proxy = True)
`},
}

// TestKindsThreeWays holds that a kind of link is the same when it is made, when it is
// planned and the plan is run by bash, and in the picture of the plan.
func TestKindsThreeWays(t *testing.T) {
	t.Parallel()
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	for _, k := range plannedKinds {
		t.Run(strings.ReplaceAll(k.needs, " ", ","), func(t *testing.T) {
			t.Parallel()
			skipWithout(t, strings.Fields(k.needs)...)
			if _, err := exec.LookPath("wg"); err != nil && k.needs == "wireguard" {
				t.Skip("there is no program wg for the planned commands")
			}
			sameThreeWays(t, "kind", `
a, b = namespace("a"), namespace("b")
x, y = veth(a, b, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
`+k.lab)
		})
	}
}
