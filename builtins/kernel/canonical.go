package kernel

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// CanonicalSpec writes a rule's words as iptables prints them once the kernel
// has them: a protocol by its name, a rate in its largest unit, and without what
// says nothing. The order of the words is left as it is.
func CanonicalSpec(spec []string) []string {
	var out []string
	for i := 0; i < len(spec); i++ {
		w := spec[i]
		if i+1 == len(spec) {
			out = append(out, w)
			break
		}
		value := spec[i+1]
		switch {
		case takesText(w):
		case w == "-p":
			value = canonicalProtocol(value)
		case (w == "-s" || w == "-d") && strings.HasSuffix(value, "/0") && (i == 0 || spec[i-1] != "!"):
			value = ""
		case w == "-s" || w == "-d":
			value = canonicalAddress(value)
		case w == "--set-mark":
			w, value = "--set-xmark", canonicalMark(value)
		case w == "--set-dscp":
			value = hexadecimal(value)
		case w == "--limit":
			value = canonicalRate(value)
		case w == "--limit-burst" && value == defaultBurst:
			value = ""
		case w == "--dport" || w == "--sport":
			if low, high, ok := strings.Cut(value, ":"); ok && low == high {
				value = low
			}
		default:
			out = append(out, w)
			continue
		}
		if value != "" || takesText(w) {
			out = append(out, w, value)
		}
		i++
	}
	return out
}

// canonicalAddress is an address as a network of one, with its own bits only.
func canonicalAddress(s string) string {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()).String()
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked().String()
	}
	return s
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
