package kernel

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// What iptables lets one write in words and prints as numbers (iptables-extensions(8)).

// icmpTypes are the types, and the codes of some, that the match icmp has names for
// (RFC 792, RFC 1256).
var icmpTypes = map[string]string{
	"any": "any", "echo-reply": "0", "pong": "0", "destination-unreachable": "3", "network-unreachable": "3/0", "host-unreachable": "3/1",
	"protocol-unreachable": "3/2", "port-unreachable": "3/3", "fragmentation-needed": "3/4", "source-route-failed": "3/5", "network-unknown": "3/6",
	"host-unknown": "3/7", "network-prohibited": "3/9", "host-prohibited": "3/10", "TOS-network-unreachable": "3/11", "TOS-host-unreachable": "3/12",
	"communication-prohibited": "3/13", "host-precedence-violation": "3/14", "precedence-cutoff": "3/15", "source-quench": "4", "redirect": "5",
	"network-redirect": "5/0", "host-redirect": "5/1", "TOS-network-redirect": "5/2", "TOS-host-redirect": "5/3", "echo-request": "8", "ping": "8",
	"router-advertisement": "9", "router-solicitation": "10", "time-exceeded": "11", "ttl-exceeded": "11", "ttl-zero-during-transit": "11/0",
	"ttl-zero-during-reassembly": "11/1", "parameter-problem": "12", "ip-header-bad": "12/0", "required-option-missing": "12/1",
	"timestamp-request": "13", "timestamp-reply": "14", "address-mask-request": "17", "address-mask-reply": "18",
}

// icmpv6Types are those of the match icmp6 (RFC 4443, RFC 4861).
var icmpv6Types = map[string]string{
	"destination-unreachable": "1", "no-route": "1/0", "communication-prohibited": "1/1", "beyond-scope": "1/2", "address-unreachable": "1/3",
	"port-unreachable": "1/4", "failed-policy": "1/5", "reject-route": "1/6", "packet-too-big": "2", "time-exceeded": "3", "ttl-exceeded": "3",
	"ttl-zero-during-transit": "3/0", "ttl-zero-during-reassembly": "3/1", "parameter-problem": "4", "bad-header": "4/0", "unknown-header-type": "4/1",
	"unknown-option": "4/2", "echo-request": "128", "ping": "128", "echo-reply": "129", "pong": "129", "router-solicitation": "133",
	"router-advertisement": "134", "neighbour-solicitation": "135", "neighbor-solicitation": "135", "neighbour-advertisement": "136",
	"neighbor-advertisement": "136", "redirect": "137",
}

// numberOf looks a name up in such a table.
func numberOf(names map[string]string) func(string) string {
	return func(s string) string {
		if n, ok := names[s]; ok {
			return n
		}
		return s
	}
}

// rejections are the short names of the answers of the target REJECT. It answers
// port-unreachable where the rule does not say.
var rejections = map[string]string{
	"net-unreach": "icmp-net-unreachable", "host-unreach": "icmp-host-unreachable", "proto-unreach": "icmp-proto-unreachable", "port-unreach": "icmp-port-unreachable",
	"net-prohib": "icmp-net-prohibited", "host-prohib": "icmp-host-prohibited", "admin-prohib": "icmp-admin-prohibited", "tcp-rst": "tcp-reset",
	"no-route": "icmp6-no-route", "adm-prohibited": "icmp6-adm-prohibited", "addr-unreach": "icmp6-addr-unreachable",
	"policy-fail": "icmp6-policy-fail", "reject-route": "icmp6-reject-route",
}

func canonicalReject(s string) string {
	switch s = numberOf(rejections)(s); s {
	case "icmp-port-unreachable", "icmp6-port-unreachable":
		return ""
	}
	return s
}

// levels are the severities of the kernel's log (syslog(2)).
var levels = map[string]string{
	"emerg": "0", "panic": "0", "alert": "1", "crit": "2", "err": "3", "error": "3", "warning": "4", "warn": "4", "notice": "5", "info": "6", "debug": "7",
}

func canonicalLevel(s string) string { return unless("4")(numberOf(levels)(strings.ToLower(s))) }

// canonicalPorts are ports by their numbers, and a range of one as that one.
func canonicalPorts(s string) string {
	ports := strings.Split(s, ",")
	for i, p := range ports {
		low, high, ranged := strings.Cut(p, ":")
		low, high = portNumber(low), portNumber(high)
		if ports[i] = low; ranged && low != high {
			ports[i] = low + ":" + high
		}
	}
	return strings.Join(ports, ",")
}

// portNumber looks a port up by its name in services(5).
func portNumber(s string) string {
	if _, err := strconv.Atoi(s); err == nil || s == "" {
		return s
	}
	for _, network := range []string{"tcp", "udp"} {
		if n, err := net.LookupPort(network, s); err == nil {
			return strconv.Itoa(n)
		}
	}
	return s
}

// canonicalBits is a value with a mask, which all ones say nothing of.
func canonicalBits(s string) string {
	value, mask, masked := strings.Cut(s, "/")
	v, err := strconv.ParseUint(value, 0, 32)
	if err != nil {
		return s
	}
	if !masked {
		return fmt.Sprintf("%#x", v)
	}
	m, err := strconv.ParseUint(mask, 0, 32)
	if err != nil {
		return s
	}
	if m == 0xffffffff {
		return fmt.Sprintf("%#x", v)
	}
	return fmt.Sprintf("%#x/%#x", v, m)
}

// xmark is the value and the mask of the target MARK's --set-xmark for what another
// option of it, or that one without a mask, was given.
func xmark(s string, of func(v uint32) (value, mask uint32)) string {
	value, mask, masked := strings.Cut(s, "/")
	v, err := strconv.ParseUint(value, 0, 32)
	if err != nil {
		return s
	}
	x, m := of(uint32(v))
	if masked {
		given, err := strconv.ParseUint(mask, 0, 32)
		if err != nil {
			return s
		}
		m = uint32(given)
	}
	return fmt.Sprintf("0x%x/0x%x", x, m)
}

// canonicalClass is the number of a class of traffic (RFC 2474, RFC 2597, RFC 3246).
func canonicalClass(s string) string {
	s = strings.ToUpper(s)
	n := -1
	switch {
	case s == "EF":
		n = 46
	case s == "BE":
		n = 0
	case len(s) == 3 && s[:2] == "CS" && s[2] >= '0' && s[2] <= '7':
		n = int(s[2]-'0') << 3
	case len(s) == 4 && s[:2] == "AF" && s[2] >= '1' && s[2] <= '4' && s[3] >= '1' && s[3] <= '3':
		n = int(s[2]-'0')<<3 | int(s[3]-'0')<<1
	}
	if n < 0 {
		return s
	}
	return fmt.Sprintf("0x%02x", n)
}
