package picture

import (
	"slices"
	"strings"
)

// ofLabs are the parameters that labs set in all their namespaces, so that these answer
// at once and always: they say nothing of a network.
var ofLabs = []string{"net.ipv4.icmp_ratelimit", "net.ipv6.icmp.ratelimit"}

// ofInterfaces are those of each interface, by their names, that follow from something
// else: its size, its kind, or what its router tells.
var ofInterfaces = []string{"v6 mtu", "v6 hop_limit", "v6 accept_dad", "v6 dad_transmits", "v6 use_tempaddr", "v6 addr_gen_mode"}

// settingKeys are the parameters that decide on packets, in a namespace with
// interfaces of these names.
func settingKeys(links []string) []string {
	var keys []string
	for key := range sysctlDefaults {
		if !slices.Contains(ofLabs, key) && !strings.HasPrefix(key, "net.ipv6.conf.") {
			keys = append(keys, key)
		}
	}
	for name := range perInterfaceDefaults {
		if slices.Contains(ofInterfaces, name) {
			continue
		}
		version, setting, _ := strings.Cut(name, " ")
		for _, dev := range links {
			keys = append(keys, interfaceKey("ip"+version, dev, setting))
		}
	}
	slices.Sort(keys)
	return keys
}

// interfaceKey is the parameter of an interface, whose name may hold the sign that
// divides a key's parts.
func interfaceKey(family, dev, setting string) string {
	if strings.Contains(dev, ".") {
		return strings.Join([]string{"net", family, "conf", dev, setting}, "/")
	}
	return strings.Join([]string{"net", family, "conf", dev, setting}, ".")
}

// everyInterface are what parameters of all interfaces, and of those to come, are
// called by.
var everyInterface = []string{"all", "default"}

// expected is what a parameter is that was not set itself, where others are as they are
// now (ip-sysctl.rst).
func expected(key string, host bool, fresh, now map[string]string) string {
	sep := "."
	if strings.Contains(key, "/") {
		sep = "/"
	}
	parts := strings.Split(key, sep)
	if len(parts) != 5 || parts[2] != "conf" {
		return fresh[key]
	}
	family, dev, setting := parts[1], parts[3], parts[4]
	all := now[interfaceKey(family, "all", setting)]
	switch {
	case family == "ipv4" && dev == "all" && setting == "forwarding":
		return now["net.ipv4.ip_forward"]
	case family == "ipv4" && dev == "all" && setting == "accept_redirects" && now["net.ipv4.ip_forward"] == "1":
		return "0" // a router does not listen to redirects (inet_forward_change)
	case dev == "all":
		return fresh[key]
	case setting == "forwarding" || setting == "disable_ipv6":
		return all // which sets all the others
	case dev == "default", dev == "lo" && (host || family == "ipv6"):
		return fresh[key]
	}
	// The lo of a namespace is like the other interfaces: until it has an address, which
	// is when it comes up, what is set for interfaces to come holds for it too.
	return now[interfaceKey(family, "default", setting)]
}
