package program

import (
	"strings"

	"nsscript/builtins/picture"
)

const (
	forward4 = "net.ipv4.ip_forward"
	forward6 = "net.ipv6.conf.all.forwarding"
)

// interfaceOf returns whose parameter a key is, "" for one that is no interface's, and
// all and default for what all have in common.
func interfaceOf(key string) string {
	sep := "."
	if strings.Contains(key, "/") {
		sep = "/"
	}
	parts := strings.Split(key, sep)
	if len(parts) == 5 && parts[2] == "conf" {
		return parts[3]
	}
	return ""
}

// namespaceSettings are the parameters that can be set before there are interfaces.
func namespaceSettings(n *picture.Namespace) map[string]string {
	settings := map[string]string{}
	for key, v := range n.Sysctls {
		switch interfaceOf(key) {
		case "", "all", "default":
			settings[key] = v
		}
	}
	return settings
}

// interfaceSettings sets the parameters that single interfaces have.
func (w *writer) interfaceSettings() {
	w.section("Settings of interfaces")
	for _, n := range w.p.Namespaces {
		for _, key := range sortedKeys(n.Sysctls) {
			if l := n.Link(interfaceOf(key)); l != nil && w.made[l] {
				w.line("%s.sysctl(%s, %s)", w.spaces[n], quote(key), value(n.Sysctls[key]))
			}
		}
	}
}
