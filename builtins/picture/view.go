package picture

import (
	"cmp"
	"net"
	"nsscript/builtins/kernel/abi"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// View answers for a namespace of a picture what a namespace of the kernel answers.
type View struct{ *Namespace }

var _ kernel.Space = View{}

// flagsOf are the flags that an interface has by its kind, besides those that tell
// whether it is up.
var flagsOf = map[string]uint32{
	"loopback": abi.LinkLoopback,
	"ipip":     abi.LinkPointToPoint | abi.LinkNoARP, "gre": abi.LinkPointToPoint | abi.LinkNoARP, "sit": abi.LinkPointToPoint | abi.LinkNoARP,
	"ip6tnl": abi.LinkPointToPoint | abi.LinkNoARP, "ip6gre": abi.LinkPointToPoint | abi.LinkNoARP, "vti": abi.LinkPointToPoint | abi.LinkNoARP,
	"wireguard": abi.LinkPointToPoint | abi.LinkNoARP,
	"dummy":     abi.LinkBroadcast | abi.LinkNoARP, "vrf": abi.LinkNoARP | abi.LinkMaster,
	"bond": abi.LinkBroadcast | abi.LinkMulticast | abi.LinkMaster,
}

// encaps are the link layers of those kinds that are no Ethernet, as `ip link` has
// them.
var encaps = map[string]string{
	"loopback": "loopback", "ipip": "ipip", "gre": "gre", "sit": "sit", "ip6tnl": "tunnel6", "ip6gre": "gre6", "vti": "ipip", "wireguard": "none",
}

// asKernel is the interface in the kernel's terms.
func (l *Link) asKernel() kernel.Link {
	k := kernel.Link{
		Name: l.Name, Index: l.Index, Kind: l.Kind, MTU: l.MTU, State: l.State(), PeerNetNS: -1, Alias: l.Alias, QueueLen: 1000,
		Encap: cmp.Or(encaps[l.Kind], "ether"),
	}
	if mac, err := net.ParseMAC(l.MAC); err == nil {
		k.MAC = mac
	} else if l.Kind == "loopback" {
		k.MAC = make(net.HardwareAddr, 6)
	}
	flags, ok := flagsOf[l.Kind]
	if !ok {
		flags = abi.LinkBroadcast | abi.LinkMulticast
	}
	if l.Up {
		flags |= abi.LinkUp
	}
	if l.Carrier() {
		flags |= abi.LinkRunning | abi.LinkLowerUp
	}
	k.Flags = flags
	if l.Master != nil {
		k.Master = l.Master.Index
	}
	if l.Peer != nil {
		k.Peer = l.Peer.Index
		if l.Peer.NS != l.NS {
			k.PeerNetNS = 0
		}
	}
	return k
}

// Links lists the interfaces by index.
func (v View) Links() ([]kernel.Link, error) {
	list := make([]kernel.Link, len(v.Namespace.Links))
	for i, l := range v.Namespace.Links {
		list[i] = l.asKernel()
	}
	return list, nil
}

// Link finds an interface by its name. When there is none the error is ENODEV.
func (v View) Link(name string) (*kernel.Link, error) { return found(v.Namespace.Link(name)) }

// LinkByIndex finds an interface by its index. When there is none the error is ENODEV.
func (v View) LinkByIndex(index int) (*kernel.Link, error) { return found(v.byIndex(index)) }

func (n *Namespace) byIndex(index int) *Link {
	i, ok := slices.BinarySearchFunc(n.Links, index, func(l *Link, index int) int { return l.Index - index })
	if !ok {
		return nil
	}
	return n.Links[i]
}

func found(l *Link) (*kernel.Link, error) {
	if l == nil {
		return nil, unix.ENODEV
	}
	k := l.asKernel()
	return &k, nil
}

// PeerIn reports whether other is the namespace in which l's peer lives.
func (v View) PeerIn(l *kernel.Link, other kernel.Space) bool {
	o, ok := other.(View)
	own := v.byIndex(l.Index)
	return ok && own != nil && own.Peer != nil && own.Peer.NS == o.Namespace
}

// Addrs lists the addresses of the interface with that index, or of all when it is 0,
// in the order of the kernel's.
func (v View) Addrs(index int) ([]kernel.Addr, error) {
	var list []kernel.Addr
	for _, l := range v.Namespace.Links {
		for _, a := range l.Addrs {
			if index == 0 || index == l.Index {
				a.Link = l.Index
				list = append(list, a)
			}
		}
	}
	kernel.SortAddrs(list)
	return list, nil
}

// Routes lists the routes of both families in all tables but "local".
func (v View) Routes() ([]kernel.Route, error) {
	all, err := v.AllRoutes()
	return slices.DeleteFunc(all, func(r kernel.Route) bool { return r.Table == abi.TableLocal }), err
}

// RoutesOver is Routes.
func (v View) RoutesOver([]kernel.Link) ([]kernel.Route, error) { return v.Routes() }

// AllRoutes lists the routes of both families. Of the table "local" only what was added
// to it is pictured, not what the kernel keeps there for itself.
func (v View) AllRoutes() ([]kernel.Route, error) {
	list := make([]kernel.Route, len(v.Namespace.Routes))
	for i, r := range v.Namespace.Routes {
		r.Hops = slices.Clone(r.Hops)
		if list[i] = r; v.scanned {
			continue
		}
		for j := range r.Hops {
			h := &r.Hops[j]
			switch l := v.Namespace.Link(h.Dev); {
			case l == nil || !l.Up:
				h.Flags |= abi.HopDead | abi.HopLinkDown
			case !l.Carrier():
				h.Flags |= abi.HopLinkDown
			}
		}
		if len(r.Hops) == 1 {
			r.Flags, r.Hops[0].Flags = r.Flags|r.Hops[0].Flags, 0
		}
		list[i] = r
	}
	return list, nil
}

// Rules lists the policy rules of both families.
func (v View) Rules() ([]kernel.Rule, error) { return slices.Clone(v.Namespace.Rules), nil }

// Neighbors are those that were entered: no packet was sent yet.
func (v View) Neighbors() ([]kernel.Neigh, error) {
	return slices.DeleteFunc(slices.Clone(v.Namespace.Neighbors), func(e kernel.Neigh) bool { return v.Namespace.Link(e.Dev) == nil }), nil
}

// FDB is empty: no packet was seen yet.
func (v View) FDB(int) ([]kernel.FDBEntry, error) { return nil, nil }

// ReadSysctl returns a kernel parameter: as it was set, as new namespaces have it, or
// else as this process's own has it. The error is a [*kernel.NoSysctlError] where there
// is none of that name.
func (v View) ReadSysctl(key string) (string, error) {
	if value, ok := v.Sysctl(key); ok {
		return value, nil
	}
	if _, err := os.Stat("/proc/sys/net"); err != nil {
		return "", nil // another system: there is none to compare with
	}
	return kernel.Sysctl{Key: v.everywhere(key)}.Read()
}

// everywhere turns the parameter of one of the namespace's interfaces into that of new
// interfaces, which every namespace has.
func (n *Namespace) everywhere(key string) string {
	dotted := settingKey(key)
	for _, p := range perInterface {
		rest, ok := strings.CutPrefix(dotted, p)
		if dev, setting, split := cutLast(rest); ok && split && n.Link(inKey(dev)) != nil {
			return p + "default." + setting
		}
	}
	return key
}

// PIDs is nobody: nothing was started.
func (v View) PIDs() ([]int, error) { return nil, nil }

// Qdisc is what the kernel gives an interface that is up (net/sched/sch_generic.c).
func (v View) Qdisc(index int) string {
	if l := v.byIndex(index); l != nil && (l.Up || l.Kind == "loopback") {
		return "noqueue"
	}
	return "noop"
}
