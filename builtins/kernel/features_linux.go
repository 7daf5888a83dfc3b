package kernel

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// features are the kernel features that can be asked for.
var features = map[string]feature{
	"veth":      {func() error { return nil }, "CONFIG_VETH", "veth"}, // the trial's own interface
	"bridge":    {tryLink(&netlink.Bridge{LinkAttrs: trial()}), "CONFIG_BRIDGE", "bridge"},
	"dummy":     {tryLink(&netlink.Dummy{LinkAttrs: trial()}), "CONFIG_DUMMY", "dummy"},
	"vlan":      {tryLink(&netlink.Vlan{LinkAttrs: above(), VlanId: 5}), "CONFIG_VLAN_8021Q", "8021q"},
	"macvlan":   {tryLink(&netlink.Macvlan{LinkAttrs: above(), Mode: netlink.MACVLAN_MODE_BRIDGE}), "CONFIG_MACVLAN", "macvlan"},
	"ipvlan":    {tryLink(&netlink.IPVlan{LinkAttrs: above(), Mode: netlink.IPVLAN_MODE_L2}), "CONFIG_IPVLAN", "ipvlan"},
	"vxlan":     {tryLink(&netlink.Vxlan{LinkAttrs: trial(), VxlanId: 7, Port: 4789}), "CONFIG_VXLAN", "vxlan"},
	"bonding":   {tryLink(bondTrial()), "CONFIG_BONDING", "bonding"},
	"vrf":       {tryLink(&netlink.Vrf{LinkAttrs: trial(), Table: 10}), "CONFIG_NET_VRF", "vrf"},
	"ifb":       {tryLink(&netlink.Ifb{LinkAttrs: trial()}), "CONFIG_IFB", "ifb"},
	"gre":       {tryLink(&netlink.Gretun{LinkAttrs: trial(), Local: here, Remote: elsewhere}), "CONFIG_NET_IPGRE", "ip_gre"},
	"gretap":    {tryLink(&netlink.Gretap{LinkAttrs: trial(), Local: here, Remote: elsewhere}), "CONFIG_NET_IPGRE", "ip_gre"},
	"ip6gre":    {tryLink(&netlink.Gretun{LinkAttrs: trial(), Local: here6, Remote: elsewhere6}), "CONFIG_IPV6_GRE", "ip6_gre"},
	"ip6gretap": {tryLink(&netlink.Gretap{LinkAttrs: trial(), Local: here6, Remote: elsewhere6}), "CONFIG_IPV6_GRE", "ip6_gre"},
	"ipip":      {tryLink(&netlink.Iptun{LinkAttrs: trial(), Remote: elsewhere}), "CONFIG_NET_IPIP", "ipip"},
	"sit":       {tryLink(&netlink.Sittun{LinkAttrs: trial(), Remote: elsewhere}), "CONFIG_IPV6_SIT", "sit"},
	"ip6tnl":    {tryLink(&netlink.Ip6tnl{LinkAttrs: trial(), Local: here6, Remote: elsewhere6}), "CONFIG_IPV6_TUNNEL", "ip6_tunnel"},
	"vti":       {tryLink(&netlink.Vti{LinkAttrs: trial(), Local: here, Remote: elsewhere}), "CONFIG_NET_IPVTI", "ip_vti"},
	"vti6":      {tryLink(&netlink.Vti{LinkAttrs: trial(), Local: here6, Remote: elsewhere6}), "CONFIG_IPV6_VTI", "ip6_vti"},
	"wireguard": {tryLink(&netlink.Wireguard{LinkAttrs: trial()}), "CONFIG_WIREGUARD", "wireguard"},
	"tun":       {func() error { return unix.Access("/dev/net/tun", unix.R_OK|unix.W_OK) }, "CONFIG_TUN", "tun"},
	"ipv6":      {func() error { return unix.Access("/proc/sys/net/ipv6", unix.R_OK) }, "CONFIG_IPV6", "ipv6"},

	"vlan_filtering": {tryLink(filteringTrial()), "CONFIG_BRIDGE_VLAN_FILTERING", ""},

	"netem": {tryQdisc(netlink.NewNetem(trialQdisc(), netlink.NetemQdiscAttrs{Latency: 1000})), "CONFIG_NET_SCH_NETEM", "sch_netem"},
	"tbf":   {tryQdisc(&netlink.Tbf{QdiscAttrs: trialQdisc(), Rate: 125000, Limit: 10000, Buffer: 10000}), "CONFIG_NET_SCH_TBF", "sch_tbf"},
	"htb":   {tryQdisc(netlink.NewHtb(trialQdisc())), "CONFIG_NET_SCH_HTB", "sch_htb"},
}

func tryQdisc(q netlink.Qdisc) func() error { return func() error { return netlink.QdiscAdd(q) } }

// Has reports whether the kernel has a feature of Features, by using it in a
// namespace made for this and gone afterwards.
func Has(name string) (bool, error) {
	f, ok := features[name]
	if !ok {
		return false, errors.New("no such feature: " + name)
	}
	type answer struct {
		err, setup error
	}
	done := make(chan answer, 1)
	go func() {
		// Never unlocked: the thread ends, and the namespace with it.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- answer{setup: err}
			return
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.Index = "beneath", beneath
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "peer"}); err != nil {
			done <- answer{setup: err}
			return
		}
		done <- answer{err: f.try()}
	}()
	a := <-done
	return a.setup == nil && a.err == nil, a.setup
}

// Features lists the names that Has knows.
func Features() []string { return slices.Sorted(maps.Keys(features)) }

// Lacks returns the error of a kind of link or a queueing discipline, as `ip` and `tc`
// call it, that the kernel has refused because it has none; nil where it had another
// reason.
func Lacks(kind string, refusal error) error {
	name := kind
	if f, ok := kindFeatures[kind]; ok {
		name = f
	}
	if !errors.Is(refusal, unix.EOPNOTSUPP) && !errors.Is(refusal, unix.ENOENT) {
		return nil
	}
	if has, err := Has(name); err != nil || has {
		return nil
	}
	f := features[name]
	return &MissingError{What: fmt.Sprintf("this kernel has no %s (%s)", name, f.option), Remedy: f.remedy()}
}

// Remedy says what to do about a feature that the kernel lacks.
func Remedy(name string) string { return features[name].remedy() }
