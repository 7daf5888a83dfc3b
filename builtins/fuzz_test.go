package builtins

import (
	"net/netip"
	"strings"
	"testing"
	"unicode"

	"go.starlark.net/starlark"
)

// hostile are strings that were never meant for what they are given as.
var hostile = []string{
	"", "-", "-h", "--help", "../../etc", "/etc/passwd", ".", "..", "a/b", "a\nb", "a\x00b", "\x1b[2J", "$(reboot)", "`reboot`", "; reboot",
	"'", `"`, `\`, "%s%n", "{}", "é", "\xff\xfe", strings.Repeat("x", 5000), "10.0.0.0/33", "::/129", "1.2.3.4:99999", "0x10", "99999999999999999999", "-1",
}

// FuzzValues reads addresses, networks, ports, times and names from strings. What
// cannot be read is an error of one line that can be shown on a terminal; what can
// says the same when it is read again.
func FuzzValues(f *testing.F) {
	for _, s := range append(hostile, "10.0.0.0/8", "fd00::1/64", "10.0.0.1", "100ms", "1.5s", "eth0", "02:00:00:00:00:01", "80", "1024:2048", "tcp", "echo-request",
		"5/second", "ping -c 1 'a b'", "1500") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 5000 {
			return // it is said back whole
		}
		v := starlark.String(s)
		session := &Session{}
		var network Network
		var address Address
		for name, dest := range map[string]interface {
			unpack(*Session, starlark.Value) error
		}{
			"network": &network, "address": &address, "duration": new(duration), "ifname": new(ifName), "mac": new(mac),
			"port": new(port), "ports": new(portSpec), "protocol": new(protoName), "icmp": new(icmpSpec), "words": new(words),
		} {
			err := dest.unpack(session, v)
			showable(t, name, err)
			if err != nil {
				continue
			}
			switch name {
			case "network":
				var again Network
				if err := again.unpack(session, starlark.String(network.String())); err != nil || again != network {
					t.Errorf("network %q is %v, and that is %v (%v)", s, network, again, err)
				}
			case "address":
				var again Address
				if err := again.unpack(session, starlark.String(address.String())); err != nil || again != address {
					t.Errorf("address %q is %v, and that is %v (%v)", s, address, again, err)
				}
			}
		}
		_, err := readLimit(s)
		showable(t, "limit", err)
		_, err = splitWords(s)
		showable(t, "words", err)
		if p, err := parseAddress(s); err == nil && !p.IsValid() {
			t.Errorf("%q is read as an address that is none: %v", s, p)
		} else if err != nil && p != (netip.Prefix{}) {
			t.Errorf("%q is refused, and is %v", s, p)
		}
	})
}

// showable fails where an error is not a line of text.
func showable(t *testing.T, what string, err error) {
	if err == nil {
		return
	}
	text := err.Error()
	if text == "" || len(text) > 25000 || strings.ContainsFunc(text, unicode.IsControl) {
		t.Errorf("%s: not an error to show: %q", what, text)
	}
}
