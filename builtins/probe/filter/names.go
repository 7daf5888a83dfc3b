package filter

import (
	"maps"
	"net"
	"nsscript/builtins/kernel/abi"
	"slices"

	"nsscript/builtins/near"
)

// protocols are the keywords for protocols, and the name that each is known by here.
var protocols = map[string]string{
	"ether": "ether", "link": "ether", "fddi": "ether", "tr": "ether", "wlan": "ether", "ppp": "ether", "slip": "ether",
	"ip": "ip", "ip6": "ip6", "arp": "arp", "rarp": "rarp",
	"tcp": "tcp", "udp": "udp", "sctp": "sctp", "icmp": "icmp", "icmp6": "icmp6", "igmp": "igmp", "igrp": "igrp",
	"pim": "pim", "vrrp": "vrrp", "carp": "carp", "ah": "ah", "esp": "esp",
	"atalk": "atalk", "aarp": "aarp", "decnet": "decnet", "lat": "lat", "sca": "sca", "moprc": "moprc", "mopdl": "mopdl",
	"ipx": "ipx", "netbeui": "netbeui", "stp": "stp", "pppoed": "pppoed",
	"iso": "iso", "clnp": "clnp", "esis": "esis", "es-is": "esis", "isis": "isis", "is-is": "isis",
	"l1": "l1", "l2": "l2", "iih": "iih", "lsp": "lsp", "snp": "snp", "csnp": "csnp", "psnp": "psnp",
}

// etherTypes are the protocols of the link layer. A number up to 255 is an LLC
// service access point.
var etherTypes = map[string]uint32{
	"ip": abi.EtherIPv4, "ip6": abi.EtherIPv6, "arp": abi.EtherARP, "rarp": abi.EtherRARP,
	"atalk": abi.EtherAppleTalk, "aarp": abi.EtherAARP, "decnet": abi.EtherDECRT, "lat": abi.EtherLAT,
	"sca": 0x6007, "moprc": abi.EtherDECRC, "mopdl": abi.EtherDECDL, "pppoed": abi.EtherPPPoEDiscovery,
	"loopback": 0x9000, "ipx": sapIPX, "netbeui": sapNetBEUI, "stp": sapSTP, "iso": sapISO,
}

// ipProtocols are the names that "proto" takes: those of /etc/protocols that are met.
var ipProtocols = map[string]uint32{
	"hopopt": 0, "icmp": 1, "igmp": 2, "ggp": 3, "ipencap": 4, "tcp": 6, "egp": 8, "igp": 9, "udp": 17,
	"dccp": 33, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44, "idrp": 46, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51,
	"ipv6-icmp": 58, "icmp6": 58, "ipv6-nonxt": 59, "ipv6-opts": 60, "eigrp": 88, "ospf": 89, "ipip": 94, "etherip": 97,
	"encap": 98, "pim": 103, "ipcomp": 108, "vrrp": 112, "carp": 112, "l2tp": 115, "isis": 124, "sctp": 132, "fc": 133,
	"mobility-header": 135, "udplite": 136, "mpls-in-ip": 137, "hip": 139, "shim6": 140, "wesp": 141, "rohc": 142,
	"ethernet": 143,
}

// isoProtocols are the network layer protocol identifiers of "iso proto" (ISO 9577).
var isoProtocols = map[string]uint32{"clnp": 0x81, "esis": 0x82, "isis": 0x83}

// ports are the names that "port" takes without /etc/services: what labs run.
var ports = map[string]struct {
	port     uint32
	protocol string // "" for both TCP and UDP
}{
	"ftp-data": {20, "tcp"}, "ftp": {21, "tcp"}, "ssh": {22, "tcp"}, "telnet": {23, "tcp"}, "smtp": {25, "tcp"},
	"time": {37, ""}, "whois": {43, "tcp"}, "tacacs": {49, ""}, "domain": {53, ""}, "bootps": {67, "udp"}, "bootpc": {68, "udp"},
	"tftp": {69, "udp"}, "finger": {79, "tcp"}, "http": {80, "tcp"}, "kerberos": {88, ""}, "pop3": {110, "tcp"},
	"sunrpc": {111, ""}, "auth": {113, "tcp"}, "nntp": {119, "tcp"}, "ntp": {123, "udp"}, "imap2": {143, "tcp"},
	"snmp": {161, ""}, "snmp-trap": {162, ""}, "bgp": {179, "tcp"}, "ldap": {389, ""}, "https": {443, ""},
	"isakmp": {500, "udp"}, "syslog": {514, "udp"}, "login": {513, "tcp"}, "shell": {514, "tcp"}, "who": {513, "udp"},
	"rip": {520, "udp"}, "router": {520, "udp"}, "dhcpv6-client": {546, "udp"}, "dhcpv6-server": {547, "udp"},
	"ldaps": {636, ""}, "rsync": {873, "tcp"}, "imaps": {993, "tcp"}, "pop3s": {995, "tcp"}, "openvpn": {1194, ""},
	"l2f": {1701, "udp"}, "radius": {1812, ""}, "radius-acct": {1813, ""}, "nfs": {2049, ""}, "mysql": {3306, "tcp"},
	"vxlan": {4789, "udp"}, "sip": {5060, ""}, "xmpp-client": {5222, "tcp"}, "mdns": {5353, "udp"}, "postgresql": {5432, "tcp"},
	"http-alt": {8080, ""}, "bfd-control": {3784, "udp"}, "ipsec-nat-t": {4500, "udp"}, "discard": {9, ""}, "echo": {7, ""},
	"daytime": {13, "tcp"}, "chargen": {19, ""},
}

// portNamed finds a port by its name. protocol is "" if TCP and UDP both have it.
// It asks no name server.
func portNamed(name string) (port uint32, protocol string, ok bool) {
	if p, ok := ports[name]; ok {
		return p.port, p.protocol, true
	}
	tcp, errTCP := net.LookupPort("tcp", name)
	udp, errUDP := net.LookupPort("udp", name)
	switch {
	case errTCP != nil && errUDP != nil:
		return 0, "", false
	case errTCP == nil && errUDP == nil && tcp == udp:
		return uint32(tcp), "", true
	case errTCP == nil:
		return uint32(tcp), "tcp", true
	}
	return uint32(udp), "udp", true
}

// constants are the names of offsets, of types and of flags.
var constants = map[string]uint32{
	"icmptype": 0, "icmpcode": 1, "icmp6type": 0, "icmp6code": 1, "tcpflags": 13,

	"icmp-echoreply": 0, "icmp-unreach": 3, "icmp-sourcequench": 4, "icmp-redirect": 5, "icmp-echo": 8,
	"icmp-routeradvert": 9, "icmp-routersolicit": 10, "icmp-timxceed": 11, "icmp-paramprob": 12, "icmp-tstamp": 13,
	"icmp-tstampreply": 14, "icmp-ireq": 15, "icmp-ireqreply": 16, "icmp-maskreq": 17, "icmp-maskreply": 18,

	"icmp6-destinationunreach": 1, "icmp6-packettoobig": 2, "icmp6-timeexceeded": 3, "icmp6-parameterproblem": 4,
	"icmp6-echo": 128, "icmp6-echoreply": 129, "icmp6-multicastlistenerquery": 130,
	"icmp6-multicastlistenerreportv1": 131, "icmp6-multicastlistenerdone": 132, "icmp6-routersolicit": 133,
	"icmp6-routeradvert": 134, "icmp6-neighborsolicit": 135, "icmp6-neighboradvert": 136, "icmp6-redirect": 137,
	"icmp6-routerrenum": 138, "icmp6-nodeinformationquery": 139, "icmp6-nodeinformationresponse": 140,
	"icmp6-ineighbordiscoverysolicit": 141, "icmp6-ineighbordiscoveryadvert": 142,
	"icmp6-multicastlistenerreportv2": 143, "icmp6-homeagentdiscoveryrequest": 144,
	"icmp6-homeagentdiscoveryreply": 145, "icmp6-mobileprefixsolicit": 146, "icmp6-mobileprefixadvert": 147,
	"icmp6-certpathsolicit": 148, "icmp6-certpathadvert": 149, "icmp6-multicastrouteradvert": 151,
	"icmp6-multicastroutersolicit": 152, "icmp6-multicastrouterterm": 153,

	"tcp-fin": 1, "tcp-syn": 2, "tcp-rst": 4, "tcp-push": 8, "tcp-ack": 16, "tcp-urg": 32, "tcp-ece": 64, "tcp-cwr": 128,
}

func nearConstant(word string) string {
	return near.Name(slices.Collect(maps.Keys(constants)), word)
}

// refused are the keywords for what no packet on Linux has, or what cannot be known.
var refused = func() map[string]struct{ problem, hint string } {
	m := map[string]struct{ problem, hint string }{
		"gateway": {"a gateway's Ethernet address is not known", "write \"ether host MAC and not host ADDRESS\""},
		"radio":   {"packets have no radio header here", ""},
		"lane":    {"there is no ATM here", ""},
		"byte":    {"this is not in the manual", "write \"ether[0] = 2\""},
		"vxlan":   {"the language has no such keyword", "write \"udp port 4789\""},
	}
	for _, w := range []string{"addr1", "address1", "addr2", "address2", "addr3", "address3", "addr4", "address4", "ra", "ta",
		"type", "subtype", "direction"} {
		m[w] = struct{ problem, hint string }{"only frames of a wireless network have it", ""}
	}
	for _, w := range []string{"on", "ifname", "rnr", "rulenum", "reason", "rset", "ruleset", "srnr", "subrulenum", "action"} {
		m[w] = struct{ problem, hint string }{"only packets logged by a BSD's pf have it", ""}
	}
	m["on"] = struct{ problem, hint string }{m["on"].problem, "choose an interface by \"ifindex\", or capture on it"}
	m["ifname"] = m["on"]
	for _, w := range []string{"vpi", "vci", "oam", "oamf4", "oamf4s", "oamf4e", "metac", "bcc", "sc", "ilmic", "connectmsg", "metaconnect"} {
		m[w] = m["lane"]
	}
	return m
}()

// keywords are all words of the language that are no names.
var keywords = func() []string {
	list := []string{
		"and", "or", "not", "src", "dst", "host", "net", "mask", "port", "portrange", "proto", "protochain",
		"broadcast", "multicast", "less", "greater", "len", "length", "inbound", "outbound", "ifindex",
		"vlan", "mpls", "pppoes", "geneve", "llc",
	}
	list = slices.AppendSeq(list, maps.Keys(protocols))
	list = slices.AppendSeq(list, maps.Keys(refused))
	slices.Sort(list)
	return list
}()

func isKeyword(word string) bool {
	_, found := slices.BinarySearch(keywords, word)
	return found
}
