package picture

import (
	"net/netip"
	"nsscript/builtins/kernel/abi"
	"slices"

	"nsscript/builtins/kernel"

	"golang.org/x/sys/unix"
)

// SetUp sets an interface up or down. One that comes up brings the routes to the
// networks of its addresses; one that goes down takes all its routes along, and its
// IPv6 addresses, unless they are to be kept (fib_disable_ip, addrconf_ifdown).
func (l *Link) SetUp(up bool) {
	if up == l.Up {
		return
	}
	l.Up = up
	if !up {
		l.NS.killWays(l, unix.AF_INET)
		l.NS.killWays(l, unix.AF_INET6)
		keeps := l.set("net.ipv6.conf.", "keep_addr_on_down")
		l.dropIPv6(func(a kernel.Addr) bool { return keeps && a.Scope == "global" })
		return
	}
	l.NS.reviveWays(l)
	if l.Kind == "loopback" {
		l.loopbackAddrs(true)
	}
	for _, a := range l.Addrs {
		l.connect(a)
	}
}

// loopbackAddrs gives lo the addresses that it has when it is up (RFC 1122, 3.2.1.3;
// RFC 4291, 2.5.3). IPv4's it only has if it has no others (inetdev_event).
func (l *Link) loopbackAddrs(v4 bool) {
	v4 = v4 && !slices.ContainsFunc(l.Addrs, func(a kernel.Addr) bool { return a.Prefix.Addr().Is4() })
	for _, p := range []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")} {
		has := slices.ContainsFunc(l.Addrs, func(a kernel.Addr) bool { return a.Prefix == p })
		if has || p.Addr().Is6() && (!l.NS.v6 || l.noIPv6()) || p.Addr().Is4() && !v4 {
			continue
		}
		l.Addrs = append(l.Addrs, kernel.Addr{Prefix: p, Link: l.Index, Scope: "host", Flags: abi.AddrPermanent})
	}
}

// Carrier reports whether the interface is up and has somebody at the other end.
func (l *Link) Carrier() bool {
	if l.state != "" {
		return l.wired
	}
	return l.Up && l.carrier(map[*Link]bool{})
}

func (l *Link) carrier(asked map[*Link]bool) bool {
	if asked[l] {
		return false
	}
	asked[l] = true
	switch l.Kind {
	case "veth":
		return l.Peer != nil && l.Peer.Up
	case "bridge":
		return !l.judged || slices.ContainsFunc(l.Ports(), func(p *Link) bool { return p.Up && p.carrier(asked) })
	case "bond":
		return slices.ContainsFunc(l.Ports(), func(p *Link) bool { return p.Up && p.carrier(asked) })
	}
	if l.Peer != nil { // it stands on another device
		return l.Peer.Up && l.Peer.carrier(asked)
	}
	return true
}

// State is the operational state (RFC 2863), as `ip link` has it in small letters.
func (l *Link) State() string {
	switch {
	case l.state != "":
		return l.state
	case !l.Up:
		return "down"
	case l.Carrier():
		switch l.Kind {
		case "bridge":
			if l.judged {
				return "up"
			}
		case "veth", "bond", "vlan", "macvlan", "ipvlan", "vrf", "device":
			return "up"
		}
		return "unknown" // what has no operational state
	case l.Peer != nil:
		return "lowerlayerdown"
	}
	return "down"
}
