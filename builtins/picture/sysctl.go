package picture

import "strings"

// SetSysctl sets a kernel parameter. What is set for all interfaces is of some
// parameters set for each of them, and for new ones, and IPv6 leaves where it is
// switched off (ip-sysctl.rst).
func (n *Namespace) SetSysctl(key, value string) {
	key = settingKey(key)
	n.Sysctls[key] = value
	if family, ok := forwarding[key]; ok {
		n.forgetEach(family, "forwarding")
		return
	}
	rest, ok := strings.CutPrefix(key, "net.ipv6.conf.")
	dev, setting, split := cutLast(rest)
	if !ok || !split || setting != "disable_ipv6" {
		return
	}
	if dev == "all" {
		n.Sysctls["net.ipv6.conf.default.disable_ipv6"] = value
	}
	for _, l := range n.Links {
		if dev == "all" || dev == inKey(l.Name) {
			l.switchIPv6(value != "0")
		}
	}
}

// forwarding are the parameters that make a router of a namespace, with the beginnings
// of those that they set for each interface.
var forwarding = map[string]string{"net.ipv4.ip_forward": "net.ipv4.conf.", "net.ipv6.conf.all.forwarding": "net.ipv6.conf."}

// forgetEach forgets a parameter of each interface: it is now that of all.
func (n *Namespace) forgetEach(family, setting string) {
	for key := range n.Sysctls {
		if _, of, ok := cutLast(strings.TrimPrefix(key, family)); ok && of == setting && strings.HasPrefix(key, family) && key != family+"all."+setting {
			delete(n.Sysctls, key)
		}
	}
}

// settingKey is the one way in which a parameter is written here: with dots between
// the parts, and a slash for the dot in the name of an interface, as sysctl(8) has it.
func settingKey(key string) string {
	if i := strings.IndexAny(key, "./"); i >= 0 && key[i] == '/' {
		key = inKey(key)
	}
	if key == "net.ipv4.conf.all.forwarding" {
		return "net.ipv4.ip_forward" // one setting with two names
	}
	return key
}

// inKey exchanges dots and slashes.
func inKey(name string) string { return strings.NewReplacer(".", "/", "/", ".").Replace(name) }

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// perInterface are the beginnings of the parameters that each interface has of its
// own.
var perInterface = []string{"net.ipv4.conf.", "net.ipv6.conf.", "net.ipv4.neigh.", "net.ipv6.neigh."}

// dropSettings forgets the parameters of an interface that is gone.
func (n *Namespace) dropSettings(dev string) { n.renameSettings(dev, "") }

func (n *Namespace) renameSettings(dev, to string) {
	for key, value := range n.Sysctls {
		for _, p := range perInterface {
			setting, ok := strings.CutPrefix(key, p+inKey(dev)+".")
			if !ok {
				continue
			}
			delete(n.Sysctls, key)
			if to != "" {
				n.Sysctls[p+inKey(to)+"."+setting] = value
			}
		}
	}
}

// sysctlDefaults are what parameters are in a new namespace, unless they were set
// (ip-sysctl.rst).
var sysctlDefaults = map[string]string{
	"net.ipv4.ip_forward": "0", "net.ipv6.conf.all.forwarding": "0", "net.ipv6.conf.default.forwarding": "0",
	"net.ipv4.icmp_ratelimit": "1000", "net.ipv6.icmp.ratelimit": "1000", "net.ipv4.ip_default_ttl": "64",
	"net.ipv4.icmp_echo_ignore_all": "0", "net.ipv4.icmp_echo_ignore_broadcasts": "1", "net.ipv4.ip_unprivileged_port_start": "1024",
	"net.ipv4.ip_local_port_range": "32768\t60999", "net.ipv4.fib_multipath_hash_policy": "0", "net.ipv6.fib_multipath_hash_policy": "0",
	"net.ipv4.tcp_syncookies": "1", "net.ipv4.ip_nonlocal_bind": "0", "net.ipv6.ip_nonlocal_bind": "0", "net.ipv4.ip_no_pmtu_disc": "0", "net.ipv4.tcp_mtu_probing": "0",
}

// perInterfaceDefaults are those of the parameters of each interface, with "v4" and
// "v6" before their names.
var perInterfaceDefaults = map[string]string{
	"v4 forwarding": "0", "v4 rp_filter": "0", "v4 proxy_arp": "0", "v4 arp_ignore": "0", "v4 arp_announce": "0", "v4 accept_local": "0", "v4 arp_filter": "0",
	"v4 accept_redirects": "1", "v4 send_redirects": "1", "v4 secure_redirects": "1", "v4 accept_source_route": "0", "v4 log_martians": "0", "v4 route_localnet": "0", "v4 promote_secondaries": "0",
	"v6 forwarding": "0", "v6 accept_ra": "1", "v6 autoconf": "1", "v6 disable_ipv6": "0", "v6 accept_dad": "1", "v6 proxy_ndp": "0", "v6 hop_limit": "64",
	"v6 mtu": "1500", "v6 accept_redirects": "1", "v6 keep_addr_on_down": "0", "v6 addr_gen_mode": "0", "v6 use_tempaddr": "0", "v6 dad_transmits": "1", "v6 ndisc_notify": "0",
}

// Sysctl returns the value of a kernel parameter, and whether a picture knows it.
func (n *Namespace) Sysctl(key string) (value string, ok bool) {
	key = settingKey(key)
	if value, ok := n.Sysctls[key]; ok {
		return value, true
	}
	if value, ok := sysctlDefaults[key]; ok {
		return value, true
	}
	for prefix, family := range map[string]string{"net.ipv4.conf.": "v4", "net.ipv6.conf.": "v6"} {
		rest, found := strings.CutPrefix(key, prefix)
		dev, setting, split := cutLast(rest)
		if !found || !split || dev != "all" && dev != "default" && n.Link(inKey(dev)) == nil {
			continue
		}
		if setting == "forwarding" { // that of all is that of each
			if n.Forwards() && family == "v4" || n.Sysctls["net.ipv6.conf.all.forwarding"] == "1" && family == "v6" {
				return "1", true
			}
		}
		if value, ok := n.Sysctls[prefix+"default."+setting]; ok && dev != "all" {
			return value, true
		}
		if value, ok := perInterfaceDefaults[family+" "+setting]; ok {
			return value, true
		}
	}
	return "", false
}
