package kernel

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// CanonicalSpec writes a rule's words as iptables prints them once the kernel
// has them: a protocol by its name, a rate in its largest unit, and without what
// says nothing. The order of the words is left as it is.
func CanonicalSpec(spec []string) []string {
	out := make([]string, 0, len(spec)+2)
	for i := 0; i < len(spec); i++ {
		w := spec[i]
		if w == "--syn" {
			out = append(out, "--tcp-flags", "FIN,SYN,RST,ACK", "SYN")
			continue
		}
		if i+1 == len(spec) {
			out = append(out, w)
			break
		}
		value := spec[i+1]
		switch canonical, ok := canonicalValues[w]; {
		case takesText(w):
			out = append(out, w, value)
		case (w == "-s" || w == "-d") && strings.HasSuffix(value, "/0") && i > 0 && spec[i-1] == "!":
			out = append(out, w, canonicalAddress(value))
		case ok:
			out = append(out, canonical(value)...)
		case w == "--to":
			out = append(out, toOption(spec), value)
		default:
			out = append(out, w)
			continue
		}
		i++
	}
	return out
}

// canonicalValues turn an option's value into the words that iptables prints for it;
// none where it says nothing.
var canonicalValues = map[string]func(value string) []string{
	"-p":                 said("-p", canonicalProtocol),
	"-s":                 said("-s", canonicalNetwork),
	"-d":                 said("-d", canonicalNetwork),
	"--dport":            said("--dport", canonicalPorts),
	"--sport":            said("--sport", canonicalPorts),
	"--dports":           said("--dports", canonicalPorts),
	"--sports":           said("--sports", canonicalPorts),
	"--ports":            said("--ports", canonicalPorts),
	"--limit":            said("--limit", canonicalRate),
	"--limit-burst":      said("--limit-burst", unless(defaultBurst)),
	"--icmp-type":        said("--icmp-type", numberOf(icmpTypes)),
	"--icmpv6-type":      said("--icmpv6-type", numberOf(icmpv6Types)),
	"--reject-with":      said("--reject-with", canonicalReject),
	"--log-level":        said("--log-level", canonicalLevel),
	"--mark":             said("--mark", canonicalBits),
	"--set-mark":         said("--set-xmark", canonicalMark),
	"--set-xmark":        said("--set-xmark", func(s string) string { return xmark(s, func(v uint32) (uint32, uint32) { return v, ^uint32(0) }) }),
	"--or-mark":          said("--set-xmark", func(s string) string { return xmark(s, func(v uint32) (uint32, uint32) { return v, v }) }),
	"--and-mark":         said("--set-xmark", func(s string) string { return xmark(s, func(v uint32) (uint32, uint32) { return 0, ^v }) }),
	"--xor-mark":         said("--set-xmark", func(s string) string { return xmark(s, func(v uint32) (uint32, uint32) { return v, 0 }) }),
	"--nfmask":           said("--nfmask", unless("0xffffffff")),
	"--ctmask":           said("--ctmask", unless("0xffffffff")),
	"--mask":             func(value string) []string { return []string{"--nfmask", value, "--ctmask", value} },
	"--set-dscp":         said("--set-dscp", hexadecimal),
	"--set-dscp-class":   said("--set-dscp", canonicalClass),
	"--dscp":             said("--dscp", hexadecimal),
	"--dscp-class":       said("--dscp", canonicalClass),
	"--to-port":          said("--to-ports", strings.TrimSpace),
	"--destination-port": said("--dport", canonicalPorts),
	"--source-port":      said("--sport", canonicalPorts),
}

// said is an option with its value in the kernel's form, nothing where that is "".
func said(option string, canonical func(string) string) func(string) []string {
	return func(value string) []string {
		if value = canonical(value); value == "" {
			return nil
		}
		return []string{option, value}
	}
}

// unless leaves a value out that is the default.
func unless(usual string) func(string) string {
	return func(value string) string {
		if value == usual {
			return ""
		}
		return value
	}
}

// toOption is what --to is short for, by the rule's target.
func toOption(spec []string) string {
	for i, w := range spec[:len(spec)-1] {
		if w != "-j" {
			continue
		}
		switch spec[i+1] {
		case "DNAT":
			return "--to-destination"
		case "SNAT":
			return "--to-source"
		case "REDIRECT", "MASQUERADE":
			return "--to-ports"
		}
	}
	return "--to"
}

// canonicalAddress is an address as a network of one, with its own bits only.
func canonicalAddress(s string) string {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()).String()
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked().String()
	}
	// A mask in place of a length, which iptables writes so only where it is none.
	addr, mask, _ := strings.Cut(s, "/")
	a, err := netip.ParseAddr(addr)
	m := net.ParseIP(mask).To4()
	if err != nil || m == nil || !a.Is4() {
		return s
	}
	ones, bits := net.IPMask(m).Size()
	if bits == 0 {
		return s
	}
	return netip.PrefixFrom(a, ones).Masked().String()
}

// canonicalNetwork is "" for the network that is every address.
func canonicalNetwork(s string) string {
	if strings.HasSuffix(s, "/0") {
		return ""
	}
	return canonicalAddress(s)
}

// canonicalMark is the value and the mask of the target MARK's --set-xmark for what
// --set-mark was given (iptables-extensions(8), MARK).
func canonicalMark(s string) string {
	value, mask, masked := strings.Cut(s, "/")
	v, err := strconv.ParseUint(value, 0, 32)
	m := uint64(0xffffffff)
	if masked && err == nil {
		m, err = strconv.ParseUint(mask, 0, 32)
		m |= v
	}
	if err != nil {
		return s
	}
	return fmt.Sprintf("%#x/%#x", v, m)
}

// hexadecimal writes a number as iptables does where it is one of bits.
func hexadecimal(s string) string {
	n, err := strconv.ParseUint(s, 0, 32)
	if err != nil {
		return s
	}
	return fmt.Sprintf("0x%02x", n)
}

// SameSpec reports whether two rules' words, in the order of `iptables -S`, say
// the same.
func SameSpec(a, b []string) bool {
	return slices.Equal(a, b) || slices.Equal(CanonicalSpec(a), CanonicalSpec(b))
}

// canonicalProtocol is "" for the protocol that is any.
func canonicalProtocol(s string) string {
	n, ok := ProtocolNumber(s)
	switch {
	case strings.EqualFold(s, "all"), ok && n == 0:
		return ""
	case ok:
		return ProtocolName(n)
	}
	return s
}

// defaultBurst is the burst of the match limit that is not printed
// (iptables-extensions(8), limit).
const defaultBurst = "5"

// The kernel keeps a rate as the time between two packets, in steps of
// 1/10000 s (XT_LIMIT_SCALE).
const limitScale = 10000

var limitUnits = []struct {
	name    string
	seconds uint64
}{{"day", 86400}, {"hour", 3600}, {"min", 60}, {"sec", 1}}

// canonicalRate writes the rate of the match limit as iptables does: the largest
// unit that gives a whole number of packets, or nearly.
func canonicalRate(s string) string {
	number, unit, found := strings.Cut(s, "/")
	if !found {
		unit = "sec"
	}
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil || n == 0 || unit == "" {
		return s
	}
	var period uint64
	for _, u := range limitUnits {
		if long := map[string]string{"sec": "second", "min": "minute"}[u.name]; strings.HasPrefix(u.name, unit) || strings.HasPrefix(long, unit) {
			period = u.seconds * limitScale / n
		}
	}
	if period == 0 {
		return s // iptables refuses it
	}
	i := 1
	for ; i < len(limitUnits); i++ {
		whole := limitUnits[i].seconds * limitScale
		if period > whole || whole/period < whole%period {
			break
		}
	}
	u := limitUnits[i-1]
	return fmt.Sprintf("%d/%s", u.seconds*limitScale/period, u.name)
}
