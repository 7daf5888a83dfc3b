//go:build linux

package floor

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// The tree of @std//topo.star with two layers of switches: a switch with n others, each
// with n namespaces.

var treeNetwork = netip.MustParsePrefix("10.0.0.0/8")

func treeUp(fanout int) error {
	m, err := newMachine()
	if err != nil {
		return err
	}
	if err := mountNames(); err != nil {
		return err
	}
	root, err := m.bridge("s1")
	if err != nil {
		return err
	}
	switches := []*netlink.Bridge{root}
	for i := range fanout {
		sw, err := m.bridge(fmt.Sprintf("s%d", i+2))
		if err != nil {
			return err
		}
		if err := m.join(root, sw); err != nil {
			return err
		}
		switches = append(switches, sw)
	}
	for i := range fanout * fanout {
		s, err := m.namespace(host(i))
		if err != nil {
			return err
		}
		if err := m.plug(s, host(i)+"-eth0", switches[1+i/fanout], nth(treeNetwork, i+1)); err != nil {
			return err
		}
		s.close()
	}
	for _, sw := range switches {
		if err := m.host.LinkSetUp(sw); err != nil {
			return err
		}
	}
	return nil
}

// join makes a cable between two bridges.
func (m *machine) join(a, b *netlink.Bridge) error {
	v := veth(named(b.Name+"-up"), b.Name+"-down", nil)
	v.MasterIndex, v.Group = a.Index, group
	if err := m.host.LinkAdd(v); err != nil {
		return err
	}
	peer, err := m.host.LinkByName(v.PeerName)
	if err != nil {
		return err
	}
	if err := m.host.LinkSetMaster(peer, b); err != nil {
		return err
	}
	if err := portUp(m.host, v); err != nil {
		return err
	}
	return portUp(m.host, peer)
}

func treeDown(fanout int) error {
	if err := deleteGroup(); err != nil {
		return err
	}
	return forget(fanout * fanout)
}
