package kernel

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// protocols are the names of IP protocols that iptables knows by itself.
var protocols = map[string]int{
	"icmp": 1, "tcp": 6, "udp": 17, "dccp": 33, "esp": 50, "ah": 51, "icmpv6": 58, "ipv6-icmp": 58,
	"sctp": 132, "mh": 135, "ipv6-mh": 135, "udplite": 136,
}

// ProtocolNumber returns the number of an IP protocol given by name or number,
// as iptables understands it.
func ProtocolNumber(s string) (int, bool) {
	s = strings.ToLower(s)
	if n, err := strconv.ParseUint(s, 10, 8); err == nil {
		return int(n), true
	}
	if n, ok := protocols[s]; ok {
		return n, true
	}
	for _, names := range etcProtocols() {
		if slices.Contains(names.names, s) {
			return names.number, true
		}
	}
	return 0, false
}

// ProtocolName returns how iptables prints a protocol: by the name that
// protocols(5) gives it, or by its number where it has none.
func ProtocolName(number int) string {
	for _, p := range etcProtocols() {
		if p.number == number {
			return p.names[0]
		}
	}
	for _, name := range []string{"icmp", "tcp", "udp", "dccp", "esp", "ah", "icmpv6", "sctp", "mh", "udplite"} {
		if protocols[name] == number {
			return name
		}
	}
	return strconv.Itoa(number)
}

type protocol struct {
	names  []string // the official one first
	number int
}

// etcProtocols reads /etc/protocols, once; a machine need not have it.
var etcProtocols = sync.OnceValue(func() []protocol {
	b, err := os.ReadFile("/etc/protocols")
	if err != nil {
		return nil
	}
	var list []protocol
	for line := range strings.SplitSeq(string(b), "\n") {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(strings.ToLower(line))
		if len(f) < 2 {
			continue
		}
		n, err := strconv.ParseUint(f[1], 10, 8)
		if err != nil {
			continue
		}
		list = append(list, protocol{names: append([]string{f[0]}, f[2:]...), number: int(n)})
	}
	return list
})
