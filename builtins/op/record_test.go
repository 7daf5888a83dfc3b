package op

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nsscript/builtins/kernel"
)

// TestRecord holds that every operation survives its line in a journal.
func TestRecord(t *testing.T) {
	t.Parallel()
	for kind, typ := range kinds {
		o := reflect.New(typ).Interface().(Op)
		name, fields, err := Encode(o)
		if err != nil || name != kind {
			t.Errorf("%s: encoded as %q, %v", kind, name, err)
		}
		back, err := Decode(name, fields)
		if err != nil || reflect.TypeOf(back) != reflect.TypeOf(o) {
			t.Errorf("%s: decoded as %T, %v", kind, back, err)
		}
	}
	if _, err := Decode("Nothing", nil); err == nil {
		t.Error("an unknown operation was decoded")
	}
	veth := &AddVeth{A: End{NS: "red", Name: "eth0", Addrs: []string{"10.0.0.1/24"}}, B: End{NS: Host, Name: "red-eth0", Bridge: "br0", MAC: "fe:00:00:00:00:01"}, MTU: 1400, Up: true}
	kind, fields, err := Encode(veth)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(kind, fields)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(veth, back, cmpopts.IgnoreUnexported(AddVeth{})); diff != "" {
		t.Errorf("a cable came back changed:\n%s", diff)
	}
}

// TestCommandLines holds what a person would type for the same.
func TestCommandLines(t *testing.T) {
	t.Parallel()
	up, mtu, none := true, 1400, ""
	for _, c := range []struct {
		op   Op
		want []string
	}{
		{&AddVeth{A: End{NS: "red", Name: "eth0", Addrs: []string{"10.0.0.1/24", "2001:db8::1/64"}}, B: End{NS: "blue", Name: "eth0"}, Up: true}, []string{
			"ip -n red link add eth0 type veth peer name eth0 netns blue",
			"ip -n red addr add 10.0.0.1/24 brd + dev eth0",
			"ip -n red addr add 2001:db8::1/64 dev eth0 nodad",
			"ip -n red link set dev eth0 up",
			"ip -n blue link set dev eth0 up",
		}},
		{&AddVeth{A: End{NS: "red", Name: "eth0"}, B: End{NS: Host, Name: "red-eth0", Bridge: "br0"}, MTU: 1400, Up: true}, []string{
			"ip link add red-eth0 mtu 1400 type veth peer name eth0 mtu 1400 netns red",
			"ip link set dev red-eth0 addrgenmode none",
			"ip link set dev red-eth0 master br0",
			"ip link set dev red-eth0 up",
			"ip -n red link set dev eth0 up",
		}},
		{&AddBridge{NS: Host, Name: "br0", Addrs: []string{"10.0.0.1/24"}, STP: true, MTU: 1400, Up: true}, []string{
			"ip link add br0 type bridge stp_state 1",
			"ip link set dev br0 mtu 1400",
			"ip addr add 10.0.0.1/24 brd + dev br0",
			"ip link set dev br0 up",
		}},
		{&SetLink{NS: "red", Name: "eth0", MTU: &mtu, Up: &up, Master: &none}, []string{"ip -n red link set dev eth0 mtu 1400 nomaster up"}},
		{&MoveLink{NS: "red", Name: "eth0", To: Host, Up: true}, []string{"ip -n red link set dev eth0 netns $$", "ip link set dev eth0 up"}},
		{&AddRoute{RouteSpec{NS: "red", Dst: "default", Via: []string{"10.0.0.1"}}}, []string{"ip -n red route add default via 10.0.0.1"}},
		{&AddRoute{RouteSpec{NS: "red", Dst: "default", V6: true, Via: []string{"fd00::1"}, Metric: 5}}, []string{"ip -6 -n red route add default via fd00::1 metric 5"}},
		{&AddRoute{RouteSpec{NS: "red", Dst: "10.9.0.0/16", Via: []string{"10.0.0.1", "10.0.0.2"}, Table: 100}},
			[]string{"ip -n red route add 10.9.0.0/16 table 100 nexthop via 10.0.0.1 nexthop via 10.0.0.2"}},
		{&AddRoute{RouteSpec{NS: "red", Dst: "10.9.0.0/16", Via: []string{"10.0.0.1", "10.0.0.2"}, Weight: []int{11, 45}}},
			[]string{"ip -n red route add 10.9.0.0/16 nexthop via 10.0.0.1 weight 11 nexthop via 10.0.0.2 weight 45"}},
		{&AddRoute{RouteSpec{NS: "red", Dst: "10.9.0.0/16", Type: "blackhole"}}, []string{"ip -n red route add blackhole 10.9.0.0/16"}},
		{&AddRule{RuleSpec{NS: "red", Src: "10.0.0.0/24", Mark: 16, Mask: 255, Table: 100, Priority: 5}},
			[]string{"ip -n red rule add from 10.0.0.0/24 fwmark 0x10/0xff lookup 100 priority 5"}},
		{&SetSysctl{NS: "red", Key: "net.ipv4.ip_forward", Value: "1"}, []string{"ip netns exec red sysctl -qw net.ipv4.ip_forward=1"}},
		{&AddFilterRules{NS: "red", Rules: []FilterRule{{Table: "nat", Chain: "POSTROUTING", Spec: []string{"-o", "eth0", "-j", "MASQUERADE"}}, {V6: true, Table: "filter", Chain: "INPUT", Spec: []string{"-m", "comment", "--comment", "a b", "-j", "DROP"}}}},
			[]string{"ip netns exec red iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE", "ip netns exec red ip6tables -A INPUT -m comment --comment 'a b' -j DROP"}},
		{&StartProcess{NS: "red", Argv: []string{"sleep", "5"}, Extra: []string{"A=$x"}, Dir: "/tmp", Job: 2}, []string{"(cd /tmp && env 'A=$x' ip netns exec red sleep 5) & job2=$!"}},
		{&SetResolver{NS: "red", Servers: []string{"10.0.0.53"}, Search: []string{"example.com"}},
			[]string{"mkdir -p /etc/netns/red", `printf '%s\n' 'search example.com' 'nameserver 10.0.0.53' > /etc/netns/red/resolv.conf`}},
		{&DelNamespace{Name: "red"}, []string{"ip netns del red"}},
	} {
		if diff := cmp.Diff(c.want, c.op.Commands()); diff != "" {
			t.Errorf("%T:\n%s", c.op, diff)
		}
	}
}

// TestMarkedComment holds that a rule on the host bears the lab's mark before
// its target, joined with the user's own comment.
func TestMarkedComment(t *testing.T) {
	t.Parallel()
	plain := strings.Join(marked([]string{"-p", "tcp", "-j", "DROP"}, "nsscript:x"), " ")
	if plain != "-p tcp -m comment --comment nsscript:x -j DROP" {
		t.Error(plain)
	}
	own := marked([]string{"-m", "comment", "--comment", strings.Repeat("é", 200), "-j", "DROP"}, "nsscript:x")
	if len(own[3]) > longestComment || !strings.HasPrefix(own[3], "nsscript:x: é") {
		t.Error(own[3])
	}
	if !bearsMark(own, "nsscript:x") || bearsMark(own, "nsscript:xy") || bearsMark([]string{"-j", "DROP"}, "nsscript:x") {
		t.Error("the mark is not told from others")
	}
}

// TestReason holds that the kernel's own words are told.
func TestReason(t *testing.T) {
	t.Parallel()
	got := Reason(&kernel.MissingError{What: "x", Err: nil})
	if got != "x" {
		t.Error(got)
	}
}
