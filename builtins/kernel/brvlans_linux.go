package kernel

import (
	"errors"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// PortVLANs returns the VLANs of the ports of the namespace's bridges, and of the bridges
// themselves, by their index. There are none where the kernel does not filter by VLAN.
func (n *NetNS) PortVLANs() (map[int][]PortVLAN, error) {
	h, err := n.Netlink()
	if err != nil {
		return nil, err
	}
	var all map[int32][]*nl.BridgeVlanInfo
	for range dumpTries {
		all, err = h.BridgeVlanList()
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil, nil
	}
	vlans := map[int][]PortVLAN{}
	for index, list := range all {
		for _, v := range list {
			vlans[int(index)] = append(vlans[int(index)], PortVLAN{
				ID: int(v.Vid), PVID: v.Flags&nl.BRIDGE_VLAN_INFO_PVID != 0, Untagged: v.Flags&nl.BRIDGE_VLAN_INFO_UNTAGGED != 0,
			})
		}
	}
	return vlans, err
}
