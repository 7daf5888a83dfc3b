//go:build linux

package kernel

import (
	"slices"
	"strings"
	"testing"
)

func TestCanonicalRulesAreWhatIptablesPrints(t *testing.T) {
	t.Parallel()
	var specs []string
	for _, rate := range []string{
		"10/second", "60/minute", "90/minute", "7/hour", "3/hour", "10000/second", "9/sec", "7/sec", "1/s", "100/minute",
		"119/m", "1440/day", "12/h", "24/day", "13/sec", "3333/sec", "5", "1000/hour", "86400/day", "59/min", "61/min",
	} {
		specs = append(specs, "-m limit --limit "+rate)
	}
	for _, p := range []string{"tcp", "TCP", "6", "89", "200", "all", "0", "gre", "sctp", "132"} {
		specs = append(specs, "-p "+p)
	}
	specs = append(specs, "-m limit --limit 1/sec --limit-burst 5", "-m limit --limit 1/sec --limit-burst 20",
		"-p tcp -m tcp --dport 80:80", "-p udp -m udp --sport 1:65535", "-m comment --comment -p -j ACCEPT", "-i eth0 -p 47 -j DROP",
		"-p tcp -m tcp --syn -j ACCEPT", "-p tcp -m tcp --dport ssh", "-p udp -m udp --sport domain:ntp", "-m mark --mark 7", "-m mark --mark 0x7/255", "-j LOG --log-level warning", "-j LOG --log-level debug")
	eachBackend(t, func(t *testing.T, n *NetNS, x *Iptables) {
		everything := "0.0.0.0/0"
		if x.v6 {
			everything = "::/0"
		}
		more := strings.Split("-p icmp -m icmp --icmp-type ping;-p icmp -m icmp --icmp-type host-unreachable;-s 10.0.0.0/255.255.0.0", ";")
		if x.v6 {
			more = strings.Split("-p ipv6-icmp -m icmp6 --icmpv6-type ping;-p ipv6-icmp -m icmp6 --icmpv6-type beyond-scope;-p ipv6-icmp -m icmp6 --icmpv6-type 135/0", ";")
		}
		for _, s := range append(append(slices.Clone(specs), more...), "-s "+everything+" -p tcp", "-d "+everything) {
			spec := strings.Fields(s)
			if err := x.Append(t.Context(), n, "filter", "INPUT", spec); err != nil {
				t.Fatal(err)
			}
			rules, err := x.List(t.Context(), n, "filter")
			if err != nil {
				t.Fatal(err)
			}
			last := rules[len(rules)-1]
			if got := SpecText(CanonicalSpec(spec)); got != last.Text {
				t.Errorf("%s: iptables prints %q, CanonicalSpec %q", s, last.Text, got)
			}
			if !SameSpec(spec, last.Spec) {
				t.Errorf("%s is not the same as %q", s, last.Spec)
			}
		}
	})
}
