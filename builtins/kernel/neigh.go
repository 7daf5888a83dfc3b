package kernel

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Neigh is an entry of the neighbour table (ARP, IPv6 neighbour discovery).
type Neigh struct {
	IP    netip.Addr
	MAC   net.HardwareAddr
	Dev   string
	State string // REACHABLE, STALE, PERMANENT, … (ip-neighbour(8))
}

// Neighbors lists the neighbour entries of both families.
func (n *NetNS) Neighbors() ([]Neigh, error) {
	links, err := n.Links()
	if err != nil {
		return nil, err
	}
	names := map[int]string{}
	for _, l := range links {
		names[l.Index] = l.Name
	}
	var neighs []Neigh
	err = n.eachNeighbor(func(_ *netlink.Handle, e *netlink.Neigh) error {
		if e.State != netlink.NUD_NOARP { // multicast and the like: `ip neigh` does not show them either
			neighs = append(neighs, Neigh{IP: addrOf(e.IP), MAC: e.HardwareAddr, Dev: names[e.LinkIndex], State: neighState(e.State)})
		}
		return nil
	})
	return neighs, err
}

// eachNeighbor goes through the neighbour entries of both families.
func (n *NetNS) eachNeighbor(do func(*netlink.Handle, *netlink.Neigh) error) error {
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		list, err := dump(func() ([]netlink.Neigh, error) { return h.NeighList(0, family) })
		if err != nil {
			return err
		}
		for i := range list {
			if err := do(h, &list[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// neighStates are the states of a neighbour entry (linux/neighbour.h).
var neighStates = []struct {
	bit  int
	name string
}{
	{netlink.NUD_INCOMPLETE, "INCOMPLETE"}, {netlink.NUD_REACHABLE, "REACHABLE"},
	{netlink.NUD_STALE, "STALE"}, {netlink.NUD_DELAY, "DELAY"}, {netlink.NUD_PROBE, "PROBE"},
	{netlink.NUD_FAILED, "FAILED"}, {netlink.NUD_PERMANENT, "PERMANENT"},
}

func neighState(state int) string {
	var names []string
	for _, s := range neighStates {
		if state&s.bit != 0 {
			names = append(names, s.name)
		}
	}
	if len(names) == 0 {
		return "NONE"
	}
	return strings.Join(names, ",")
}

// String prints the entry on one line as `ip neigh` does.
func (e *Neigh) String() string {
	s := e.IP.String()
	if e.Dev != "" {
		s += " dev " + e.Dev
	}
	if len(e.MAC) > 0 {
		s += " lladdr " + e.MAC.String()
	}
	return fmt.Sprintf("%s %s", s, e.State)
}

// FDBEntry is an entry of a bridge's forwarding database.
type FDBEntry struct {
	MAC  net.HardwareAddr
	Port string
	VLAN int
	// Local is set for the bridge's and its ports' own addresses.
	Local bool
}

// FDB lists the forwarding database of the bridge with that index.
func (n *NetNS) FDB(bridge int) ([]FDBEntry, error) {
	h, err := n.Netlink()
	if err != nil {
		return nil, err
	}
	links, err := n.Links()
	if err != nil {
		return nil, err
	}
	names := map[int]string{}
	for _, l := range links {
		names[l.Index] = l.Name
	}
	list, err := dump(func() ([]netlink.Neigh, error) { return h.NeighList(0, unix.AF_BRIDGE) })
	if err != nil {
		return nil, err
	}
	var fdb []FDBEntry
	for _, e := range list {
		if e.MasterIndex != bridge || e.HardwareAddr[0]&1 == 1 {
			continue
		}
		fdb = append(fdb, FDBEntry{MAC: e.HardwareAddr, Port: names[e.LinkIndex], VLAN: e.Vlan, Local: e.State&netlink.NUD_PERMANENT != 0})
	}
	return fdb, nil
}

// String prints the entry as `bridge fdb` does.
func (e *FDBEntry) String() string {
	s := e.MAC.String() + " dev " + e.Port
	if e.VLAN != 0 {
		s += fmt.Sprintf(" vlan %d", e.VLAN)
	}
	if e.Local {
		s += " permanent"
	}
	return s
}
