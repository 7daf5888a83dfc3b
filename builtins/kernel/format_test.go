//go:build linux

package kernel

import (
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFormatsAreThoseOfIP makes routes and rules with the ip command, in a network
// namespace of the test's own, and compares how both print them.
func TestFormatsAreThoseOfIP(t *testing.T) {
	t.Parallel()
	// The thread is never given back: it ends with the test, and the namespace
	// with it.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatalf("a network namespace of its own: %v (run these tests as root)", err)
	}
	for _, c := range []string{
		"link set lo up",
		"link add d0 type veth peer name d1",
		"addr add 10.0.0.1/24 dev d0", "addr add 2001:db8::1/64 dev d0 nodad",
		"link set d0 up", "link set d1 up",
		"route add default via 10.0.0.254",
		"route add 10.1.0.0/16 via 10.0.0.2 metric 7 mtu 1300 src 10.0.0.1",
		"route add 10.2.0.0/16 nexthop via 10.0.0.2 dev d0 weight 1 nexthop via 10.0.0.3 dev d0 weight 3",
		"route add blackhole 10.3.0.0/16", "route add unreachable 10.4.0.0/16", "route add prohibit 10.5.0.0/16", "route add throw 10.6.0.0/16",
		"route add 192.0.2.1 via 198.51.100.1 dev d0 onlink", "route add 10.7.0.0/16 dev d0 scope link",
		"-6 route add 2001:db8:1::/48 via 2001:db8::2 metric 5",
		"rule add from 10.0.0.0/24 table 100 priority 500", "rule add fwmark 7 iif d0 table 101 priority 501",
		"rule add to 10.9.0.0/16 oif d0 table main priority 502", "-6 rule add from 2001:db8::/64 table 102 priority 503",
		"rule add to 10.10.0.0/16 prohibit priority 504", "rule add to 10.11.0.0/16 table 103 priority 504", "rule add to 10.12.0.0/16 blackhole priority 504",
		"-6 rule add to 2001:db8:2::/48 unreachable priority 504", "rule add nop priority 505",
	} {
		ipOutput(t, c)
	}
	ns, err := OpenNetNS("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	routes, err := ns.Routes()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range routes {
		got = append(got, r.String())
	}
	compareLines(t, "routes", got, ipLines(t, "route"), ipLines(t, "-6 route"))
	rules, err := ns.Rules()
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, r := range rules {
		got = append(got, r.String())
	}
	compareLines(t, "rules", got, ipLines(t, "rule"), ipLines(t, "-6 rule"))
}

func compareLines(t *testing.T, what string, got []string, want ...[]string) {
	t.Helper()
	all := slices.Concat(want...)
	for _, l := range got {
		if !slices.Contains(all, l) {
			t.Errorf("%s: we print\n\t%s\nand ip does not, but\n\t%s", what, l, strings.Join(all, "\n\t"))
		}
	}
	for _, l := range all {
		if !slices.Contains(got, l) {
			t.Errorf("%s: ip prints\n\t%s\nand we do not, but\n\t%s", what, l, strings.Join(got, "\n\t"))
		}
	}
}

// ipLines is what ip prints, with a route of several lines made one and all space
// single.
func ipLines(t *testing.T, args string) []string {
	t.Helper()
	text := strings.ReplaceAll(ipOutput(t, args), "\n\t", " ")
	var lines []string
	for l := range strings.Lines(text) {
		lines = append(lines, strings.Join(strings.Fields(l), " "))
	}
	return lines
}

func ipOutput(t *testing.T, args string) string {
	t.Helper()
	out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v\n%s", args, err, out)
	}
	return string(out)
}
