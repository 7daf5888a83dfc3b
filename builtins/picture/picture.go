// Package picture holds networks as data: namespaces with their interfaces,
// addresses, routes, rules, settings and packet filters.
//
// There are two ways to a [Picture]. Operations change one as they would change the
// kernel, with its errors and with what it does on its own, such as the route to a
// network that comes and goes with an address: that is how a script is planned where
// there are no rights, or no Linux. And [Scan] reads one from the kernel. So the two
// can be compared, and whoever draws a network, or writes it down as a program, does
// so from a picture, wherever that comes from.
//
// What is in a picture is exported plain data. A [View] of a namespace answers the
// questions that a namespace of the kernel answers.
package picture

import (
	"net/netip"

	"nsscript/builtins/kernel"
)

// Host is the name of the namespace that a lab stands in.
const Host = "host"

// Picture is a network.
type Picture struct {
	Lab        string       // whose it is, "" where it is no lab's
	Namespaces []*Namespace // the host first, then in the order in which they were made

	byName map[string]*Namespace
}

// Namespace is a network namespace.
type Namespace struct {
	Name  string
	Note  string  // what there is to say of it: the processes that live in it
	Owned bool    // the lab made it, and it ends with the lab
	Links []*Link // by index, lo first
	// Routes are those of both families, IPv4 first, in all tables but "local".
	Routes  []kernel.Route
	Rules   []kernel.Rule     // the policy rules, with the three that there are always
	Sysctls map[string]string // those that were set
	Tables  []*Table          // packet filters, in iptables' terms
	// Neighbors are those that were entered for good.
	Neighbors []kernel.Neigh
	// Services are what listens in it, such as "tcp 80".
	Services []string
	// Resolvers are the name servers that its programs ask, Search the domains that
	// complete short names; none where they ask those of the machine.
	Resolvers, Search []string

	scanned   bool // read from the kernel, which has remarked on the routes
	v6        bool // the kernel has IPv6
	lastIndex int
}

// Link is a network interface.
type Link struct {
	NS    *Namespace
	Name  string
	Index int
	Kind  string // veth, bridge, … (the kernel's own names); "loopback" for lo, "device" for hardware
	MAC   string // "" where the kernel picks it at random
	MTU   int    // bytes
	Up    bool   // set up, with a carrier or without
	// Master is the bridge, bond or VRF that it belongs to, nil for none.
	Master *Link
	// Peer is the other end of a cable, or the device that it stands on (of a VLAN, a
	// macvlan); nil for none, or one that is not in the picture.
	Peer  *Link
	Addrs []kernel.Addr // in the kernel's order, without link-local ones that it made
	// Options are what its kind has of its own, in the words and the order of `ip
	// link`: {"id", "10"} of a VLAN.
	Options [][2]string
	Alias   string
	// What [Scan] reads with its option Chosen: other names of it, the VLANs that it is in
	// as a port, and how what it sends is shaped, nil where it is not; or else the queueing
	// discipline that somebody has chosen for that.
	AltNames []string
	VLANs    []kernel.PortVLAN
	Shape    *kernel.Shape
	Queue    string

	address string // the link-layer address, whoever has chosen it; "" where none was read

	state  string // as the kernel told, "" where it follows from the rest
	wired  bool   // and whether it has a carrier
	mtuSet bool   // a bridge's own, not that of its ports
	// judged says that a bridge has looked at its ports, as it does whenever its address
	// changes. Until then it has a carrier for no reason (br_stp_change_bridge_id).
	judged bool
	uppers []*Link
}

// Table is a table of iptables or of ip6tables.
type Table struct {
	V6     bool
	Name   string // filter, nat, mangle, raw, security
	Chains []*Chain
}

// Chain is a list of rules.
type Chain struct {
	Name   string
	Policy string     // of a built-in chain: ACCEPT or DROP; "" of a user's
	Rules  [][]string // in the words and the order of `iptables -S`, after the chain's name
}

// New returns the picture of a host on which nothing was made. Without v6, the
// kernel has no IPv6.
func New(lab string, v6 bool) *Picture {
	p := &Picture{Lab: lab, byName: map[string]*Namespace{}}
	host := p.add(Host, v6)
	host.Owned = true
	host.Links[0].SetUp(true)
	return p
}

// Namespace returns the namespace of that name, nil for none.
func (p *Picture) Namespace(name string) *Namespace { return p.byName[name] }

// LinkAt returns the interface that was read with a link-layer address, nil for none, or
// for several.
func (p *Picture) LinkAt(mac string) *Link {
	var found *Link
	for _, n := range p.Namespaces {
		for _, l := range n.Links {
			switch {
			case mac == "" || l.address != mac:
			case found != nil:
				return nil
			default:
				found = l
			}
		}
	}
	return found
}

// Link returns the interface of that name, nil for none.
func (n *Namespace) Link(name string) *Link {
	for _, l := range n.Links {
		if l.Name == name {
			return l
		}
	}
	return nil
}

// Ports are the interfaces that belong to l, a bridge, a bond or a VRF.
func (l *Link) Ports() []*Link {
	var ports []*Link
	for _, p := range l.NS.Links {
		if p.Master == l {
			ports = append(ports, p)
		}
	}
	return ports
}

// Global are its addresses but link-local and loopback ones.
func (l *Link) Global() []netip.Prefix {
	var list []netip.Prefix
	for _, a := range l.Addrs {
		if a.Global() {
			list = append(list, a.Prefix)
		}
	}
	return list
}

// Option returns an option of the link's kind, "" where it has none of that name.
func (l *Link) Option(name string) string {
	for _, o := range l.Options {
		if o[0] == name {
			return o[1]
		}
	}
	return ""
}

// Table returns a table of the namespace's packet filters, nil where it has none.
func (n *Namespace) Table(v6 bool, name string) *Table {
	for _, t := range n.Tables {
		if t.V6 == v6 && t.Name == name {
			return t
		}
	}
	return nil
}

// Chain returns the chain of that name, nil for none.
func (t *Table) Chain(name string) *Chain {
	if t == nil {
		return nil
	}
	for _, c := range t.Chains {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Forwards reports whether the namespace was made a router for IPv4.
func (n *Namespace) Forwards() bool { return n.Sysctls["net.ipv4.ip_forward"] == "1" }
