//go:build linux

package floor

import "net/netip"

// The star of @std//topo.star: n namespaces on one bridge, whose address is the default
// route of all.

var starNetwork = netip.MustParsePrefix("10.0.0.0/16")

func starUp(n int) error {
	m, err := newMachine()
	if err != nil {
		return err
	}
	return m.star(n)
}

func (m *machine) star(n int) error {
	if err := mountNames(); err != nil {
		return err
	}
	sw, err := m.bridge("sw0")
	if err != nil {
		return err
	}
	gateway := nth(starNetwork, 1)
	if err := m.host.AddrAdd(sw, address(gateway)); err != nil {
		return err
	}
	for i := range n {
		s, err := m.namespace(host(i))
		if err != nil {
			return err
		}
		if err := m.plug(s, host(i)+"-eth0", sw, nth(starNetwork, i+2)); err != nil {
			return err
		}
		if err := s.via(everything, gateway.Addr()); err != nil {
			return err
		}
		s.close()
	}
	return m.host.LinkSetUp(sw)
}

func starDown(n int) error {
	if err := deleteGroup(); err != nil {
		return err
	}
	return forget(n)
}
