package builtins

import (
	"fmt"

	"go.starlark.net/starlark"

	"nsscript/builtins/doc"
	"nsscript/builtins/near"
)

// OtherNames are names that people who know other tools write where a script has
// another one, each with what helps.
var OtherNames = map[string]string{
	"ip": `a command runs in a namespace: exec(ns, "ip …")`, "nft": `a command runs in a namespace: exec(ns, "nft …")`,
	"tc": `a command runs in a namespace: exec(ns, "tc …")`, "tcpdump": `a command runs in a namespace: exec(ns, "tcpdump …")`,
	"curl": `a command runs in a namespace: exec(ns, "curl …")`, "run": `a program is run by exec(ns, "…")`,
	"sysctl": `write: ns.sysctl("net.ipv4.ip_forward", 1)`,
	"netns":  `write: namespace("name")`, "Namespace": `write: namespace("name")`, "ns": `write: namespace("name")`, "node": `write: namespace("name")`,
	"addHost": `write: namespace("name")`, "host_add": `write: namespace("name")`,
	"link": "a cable is veth(a, b); an interface that is there is ns.link(\"eth0\")", "cable": "write: veth(a, b)", "addLink": "write: veth(a, b)",
	"connect_to": "write: veth(a, b)", "switch": `write: bridge("br0")`, "addSwitch": `write: bridge("br0")`, "br": `write: bridge("br0")`,
	"addr":     `an address is given with a cable, veth(a, b, addr = "10.0.0.1/24"), or later: link.add_addr("10.0.0.1/24")`,
	"add_addr": `write: link.add_addr("10.0.0.1/24")`, "address": `write: link.add_addr("10.0.0.1/24")`, "up": "write: link.up()", "down": "write: link.down()",
	"delete": "write: ns.delete() or link.delete()", "add_route": `write: route(ns, "default", via = "…")`, "gateway": `write: route(ns, "default", via = "…")`,
	"masquerade": "write: nat.masquerade(ns)", "snat": `write: nat.snat(ns, "…")`, "dnat": `write: nat.dnat(ns, "…", tcp = 80)`,
	"allow": "write: firewall.allow(ns, …)", "drop": "write: firewall.drop(ns, …)", "reject": "write: firewall.reject(ns, …)", "policy": "write: firewall.policy(ns, …)",
	"Network": `write: cidr("10.0.0.0/24")`, "ip_network": `write: cidr("10.0.0.0/24")`, "subnet": `write: cidr("10.0.0.0/24")`,
}

// OtherMembers are names of other tools for fields and methods, by type and module.
var OtherMembers = map[string]map[string]string{
	"Namespace": {
		"run": "write: ns.exec(…)", "cmd": "write: ns.exec(…)", "system": "write: ns.exec(…)", "popen": "write: ns.spawn(…)", "command": "write: ns.exec(…)",
		"masquerade": "write: ns.nat.masquerade(…)", "snat": "write: ns.nat.snat(…)", "dnat": "write: ns.nat.dnat(…)",
		"allow": "write: ns.firewall.allow(…)", "drop": "write: ns.firewall.drop(…)", "attach": "a bridge plugs a namespace in: br.attach(ns)",
		"veth": "a cable has two ends: veth(ns, other)", "bridge": `write: bridge("br0", ns = ns)`, "add_addr": `an interface has addresses: ns.link("eth0").add_addr(…)`,
		"up": `an interface is set up: ns.link("eth0").up()`, "down": `an interface is set down: ns.link("eth0").down()`, "add_route": "write: ns.route(…)",
		"interfaces": "write: ns.links", "eth0": `write: ns.link("eth0")`, "lo": `write: ns.link("lo")`, "address": "write: ns.ip or ns.addrs", "IP": "write: ns.ip",
	},
	"Link": {
		"ip": "its addresses are link.addrs, and link.addrs[0].ip is the first as text", "addr": "write: link.addrs", "ping": "a namespace pings: link.ns.ping(…)",
		"namespace": "write: link.ns", "address": "its addresses are link.addrs, its link-layer address link.mac", "hwaddr": "write: link.mac", "rename": "write: link.set(name = …)",
		"remove": "write: link.delete()", "bridge": "write: link.master",
	},
	"Bridge":     {"add": "write: br.attach(x)", "addif": "write: br.attach(x)", "add_port": "write: br.attach(x)", "connect": "write: br.attach(x)", "remove": "write: br.detach(link)", "interfaces": "write: br.ports"},
	"Process":    {"kill": "write: p.stop()", "terminate": "write: p.stop()", "close": "write: p.stop()", "stdout": "write: p.output", "returncode": "write: p.code"},
	"Result":     {"output": "write: r.stdout", "out": "write: r.stdout", "err": "write: r.stderr", "returncode": "write: r.code", "status": "write: r.code", "exit_code": "write: r.code", "success": "write: r.ok"},
	"PingResult": {"time": "write: r.avg", "rtt": "write: r.avg", "ok": "the result itself is truthy: if ping(…):", "success": "the result itself is truthy: if ping(…):", "code": "the result itself is truthy: if ping(…):"},
	"ConnResult": {"success": "write: r.ok", "status": "write: r.error", "data": "write: r.reply", "response": "write: r.reply", "time": "write: r.rtt"},
	"firewall":   {"block": "write: firewall.drop(…)", "deny": "write: firewall.drop(…) or firewall.reject(…)", "accept": "write: firewall.allow(…)", "add": "write: firewall.allow(…)", "list": "write: firewall.rules(ns)"},
	"nat":        {"port_forward": "write: nat.dnat(…)", "forward": "write: nat.dnat(…)", "publish": "write: nat.dnat(…)", "masq": "write: nat.masquerade(…)"},
}

// memberHint helps with a field or method that there is not, "" where nothing is
// known to.
func memberHint(of, name string) string {
	if hint := OtherMembers[of][name]; hint != "" {
		return hint
	}
	if of == "Bridge" {
		return OtherMembers["Link"][name]
	}
	return ""
}

// noAttr is the error of a field or method that a value does not have.
func noAttr(v starlark.HasAttrs, name string) error {
	return noMember(v.Type(), v.AttrNames(), name, fmt.Sprintf("%s has no field or method %q", doc.WithArticle(v.Type()), name))
}

func noMember(of string, has []string, name, msg string) error {
	tip := memberHint(of, name)
	if tip == "" {
		tip = near.Hint(has, name)
	}
	if tip == "" {
		tip = fmt.Sprintf("help(%q) lists what it has", of)
	}
	return badArg(tip, "%s", msg)
}

// fieldSetters are how what a field shows is changed.
var fieldSetters = map[string]string{
	"Link.name": "write: link.set(name = …)", "Link.mac": "write: link.set(mac = …)", "Link.mtu": "write: link.set(mtu = …)", "Link.master": "write: link.set(master = …)",
	"Link.addrs": "write: link.add_addr(…) or link.del_addr(…)", "Link.state": "write: link.up() or link.down()", "Link.ns": "write: link.move(ns)",
	"Namespace.forward": `write: namespace(…, forward = True), or ns.sysctl("net.ipv4.ip_forward", 1)`, "Namespace.routes": "write: route(ns, …)",
	"Namespace.addrs": "an interface has addresses: link.add_addr(…)", "Namespace.ip": "an interface has addresses: link.add_addr(…)", "Namespace.links": "write: veth(ns, …)",
	"Namespace.rules": "write: rule(ns, …)", "Bridge.ports": "write: br.attach(…) or br.detach(…)",
}

// setField is the error of an assignment to a field.
func setField(v starlark.HasAttrs, name string) error {
	for _, has := range v.AttrNames() {
		if has != name {
			continue
		}
		tip := fieldSetters[v.Type()+"."+name]
		if tip == "" && v.Type() == "Bridge" {
			tip = fieldSetters["Link."+name]
		}
		return badArg(tip, "the field %q of %s cannot be set", name, doc.WithArticle(v.Type()))
	}
	return noAttr(v, name)
}

// SetField is the error that fields are read only.
func (n *Namespace) SetField(name string, _ starlark.Value) error { return setField(n, name) }

// SetField is the error that fields are read only.
func (l *Link) SetField(name string, _ starlark.Value) error { return setField(l, name) }

// SetField is the error that fields are read only.
func (b *Bridge) SetField(name string, _ starlark.Value) error { return setField(b, name) }

// SetField is the error that fields are read only.
func (r *Route) SetField(name string, _ starlark.Value) error { return setField(r, name) }

var _ = []starlark.HasSetField{(*Namespace)(nil), (*Link)(nil), (*Bridge)(nil), (*Route)(nil)}
