package capture

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"unicode"
)

// udp puts a datagram in words, with its ends.
func (w *line) udp(n network, b []byte, length int) {
	if len(b) < 4 {
		w.f("%s > %s:", n.src, n.dst)
		w.cut("udp")
		return
	}
	w.f("%s.%d > %s.%d: ", n.src, u16(b), n.dst, u16(b[2:]))
	w.udpBare(n, b, length)
}

// udpBare puts a datagram in words.
func (w *line) udpBare(_ network, b []byte, length int) {
	w.ports(b)
	if len(b) < 8 {
		w.cut("udp")
		return
	}
	said := u16(b[4:])
	if said < 8 {
		w.f("truncated-udplength %d", said)
		return
	}
	src, dst, data := u16(b), u16(b[2:]), said-8
	if w.style.Quick || !w.application(src, dst, b[8:min(len(b), said)], min(data, length-8), false) {
		w.f("UDP, length %d", data)
	}
}

// Ports of protocols of which more is told.
const (
	portDNS   = 53
	portBootS = 67
	portBootC = 68
	portMDNS  = 5353
	portVXLAN = 4789
)

var httpPorts = []int{80, 8080, 3128}

// application puts in words what TCP or UDP carries, and reports whether it has.
func (w *line) application(src, dst int, b []byte, length int, tcp bool) bool {
	if w.style.Quick {
		return false
	}
	either := func(ports ...int) bool { return slices.Contains(ports, src) || slices.Contains(ports, dst) }
	switch {
	case tcp && either(portDNS):
		if len(b) > 2 {
			w.f(" ")
			w.dns(b[2:], length-2, false)
			return true
		}
	case tcp && either(httpPorts...):
		w.f(": HTTP")
		if first, _, _ := bytes.Cut(b, []byte("\n")); isHTTP(first) {
			w.f(": %s", strings.TrimRight(printable(first), " "))
		}
		return true
	case tcp:
	case either(portDNS):
		w.dns(b, length, false)
		return true
	case either(portMDNS):
		w.dns(b, length, true)
		return true
	case either(portBootS, portBootC):
		return w.dhcp(b, length)
	case either(portVXLAN):
		return w.vxlan(b, length)
	}
	return false
}

var httpWords = []string{"GET ", "PUT ", "HEAD ", "POST ", "DELETE ", "OPTIONS ", "PATCH ", "TRACE ", "CONNECT ", "HTTP/"}

func isHTTP(line []byte) bool {
	return slices.ContainsFunc(httpWords, func(word string) bool { return bytes.HasPrefix(line, []byte(word)) })
}

// printable is text of a packet that can stand in a line.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return -1
		case !unicode.IsPrint(r):
			return '.'
		}
		return r
	}, strings.ToValidUTF8(string(b), "."))
}

func (w *line) dhcp(b []byte, length int) bool {
	if len(b) < 44 {
		return false
	}
	switch b[0] {
	case 1:
		w.f("BOOTP/DHCP, Request from %s, length %d", mac(b[28:34]), length)
	case 2:
		w.f("BOOTP/DHCP, Reply, length %d", length)
	default:
		w.f("BOOTP/DHCP, unknown (0x%02x), length %d", b[0], length)
	}
	return true
}

// vxlan puts an Ethernet frame in a datagram in words (RFC 7348).
func (w *line) vxlan(b []byte, length int) bool {
	if len(b) < 8 {
		return false
	}
	flag := "."
	if b[0]&8 != 0 {
		flag = "I"
	}
	w.f("VXLAN, flags [%s] (0x%02x), vni %d\n", flag, b[0], u32(b[4:])>>8)
	if w.depth++; w.depth <= deepest {
		w.ethernet(b[8:], length-8)
	}
	return true
}

// endOf is one end of a connection.
func endOf(ip string, port []byte) netip.AddrPort {
	a, _ := netip.ParseAddr(ip) // it was made by ip4 or ip6
	return netip.AddrPortFrom(a, uint16(u16(port)))
}
