package kernel

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
)

// linkOptions are what a kind of interface has of its own, in the words of `ip link`.
func linkOptions(nl netlink.Link) [][2]string {
	var o options
	switch t := nl.(type) {
	case *netlink.Bridge:
		o.flag("vlan_filtering", t.VlanFiltering)
	case *netlink.Vlan:
		o.add("id", fmt.Sprint(t.VlanId))
		if t.VlanProtocol != netlink.VLAN_PROTOCOL_8021Q && t.VlanProtocol != 0 {
			o.add("protocol", t.VlanProtocol.String())
		}
	case *netlink.Macvlan:
		o.add("mode", macvlanModes[t.Mode])
	case *netlink.IPVlan:
		o.add("mode", ipvlanModes[t.Mode])
	case *netlink.Vxlan:
		o.add("id", fmt.Sprint(t.VxlanId))
		if t.Group != nil && t.Group.IsMulticast() {
			o.address("group", t.Group)
		} else {
			o.address("remote", t.Group)
		}
		o.address("local", t.SrcAddr)
		o.add("dstport", fmt.Sprint(t.Port))
	case *netlink.Vrf:
		o.add("table", fmt.Sprint(t.Table))
	case *netlink.Bond:
		o.add("mode", t.Mode.String())
	case *netlink.Gretun:
		o.ends(t.Local, t.Remote)
		o.number("ttl", int(t.Ttl))
		o.number("key", int(t.IKey))
	case *netlink.Gretap:
		o.ends(t.Local, t.Remote)
		o.number("ttl", int(t.Ttl))
		o.number("key", int(t.IKey))
	case *netlink.Iptun:
		o.ends(t.Local, t.Remote)
		o.number("ttl", int(t.Ttl))
	case *netlink.Sittun:
		o.ends(t.Local, t.Remote)
		o.number("ttl", int(t.Ttl))
	case *netlink.Ip6tnl:
		o.ends(t.Local, t.Remote)
	case *netlink.Vti:
		o.ends(t.Local, t.Remote)
		o.number("key", int(t.IKey))
	}
	return o
}

// linkDetails are further ones, which `ip link` shows with -d: those that are not what
// they are by themselves.
func linkDetails(nl netlink.Link) [][2]string {
	var o options
	switch t := nl.(type) {
	case *netlink.Vxlan:
		o.number("ttl", t.TTL)
		if !t.Learning {
			o.add("learning", "0")
		}
	case *netlink.IPVlan:
		o.add("flag", map[netlink.IPVlanFlag]string{netlink.IPVLAN_FLAG_PRIVATE: "private", netlink.IPVLAN_FLAG_VEPA: "vepa"}[t.Flag])
	case *netlink.Bond:
		o.add("miimon", fmt.Sprint(t.Miimon))
		if t.Mode == netlink.BOND_MODE_802_3AD && t.LacpRate == netlink.BOND_LACP_RATE_FAST {
			o.add("lacp_rate", "fast")
		}
		if t.XmitHashPolicy != netlink.BOND_XMIT_HASH_POLICY_LAYER2 {
			o.add("xmit_hash_policy", t.XmitHashPolicy.String())
		}
	}
	return o
}

type options [][2]string

func (o *options) add(name, value string) {
	if value != "" {
		*o = append(*o, [2]string{name, value})
	}
}

func (o *options) number(name string, n int) {
	if n != 0 {
		o.add(name, fmt.Sprint(n))
	}
}

func (o *options) flag(name string, on *bool) {
	if on != nil && *on {
		o.add(name, "1")
	}
}

func (o *options) address(name string, ip net.IP) {
	if a := addrOf(ip); a.IsValid() && !a.IsUnspecified() {
		o.add(name, a.String())
	}
}

func (o *options) ends(local, remote net.IP) {
	o.address("local", local)
	o.address("remote", remote)
}

var macvlanModes = map[netlink.MacvlanMode]string{
	netlink.MACVLAN_MODE_PRIVATE: "private", netlink.MACVLAN_MODE_VEPA: "vepa", netlink.MACVLAN_MODE_BRIDGE: "bridge",
	netlink.MACVLAN_MODE_PASSTHRU: "passthru", netlink.MACVLAN_MODE_SOURCE: "source",
}

var ipvlanModes = map[netlink.IPVlanMode]string{
	netlink.IPVLAN_MODE_L2: "l2", netlink.IPVLAN_MODE_L3: "l3", netlink.IPVLAN_MODE_L3S: "l3s",
}
