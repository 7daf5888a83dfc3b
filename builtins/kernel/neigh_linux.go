package kernel

import (
	"nsscript/builtins/kernel/abi"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Neighbors lists the neighbour entries of both families.
func (n *NetNS) Neighbors() ([]Neigh, error) {
	names, err := n.linkNames()
	if err != nil {
		return nil, err
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

// neighStates are the states of a neighbour entry (linux/neighbour.h).
var neighStates = []struct {
	bit  int
	name string
}{
	{netlink.NUD_INCOMPLETE, "INCOMPLETE"}, {netlink.NUD_REACHABLE, "REACHABLE"},
	{netlink.NUD_STALE, "STALE"}, {netlink.NUD_DELAY, "DELAY"}, {netlink.NUD_PROBE, "PROBE"},
	{netlink.NUD_FAILED, "FAILED"}, {netlink.NUD_PERMANENT, "PERMANENT"},
}

// FDB lists the forwarding database of the bridge with that index.
func (n *NetNS) FDB(bridge int) ([]FDBEntry, error) {
	h, err := n.Netlink()
	if err != nil {
		return nil, err
	}
	names, err := n.linkNames()
	if err != nil {
		return nil, err
	}
	list, err := dump(func() ([]netlink.Neigh, error) { return h.NeighList(0, abi.FamilyBridge) })
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
