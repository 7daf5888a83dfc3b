//go:build linux

package kernel

import (
	"fmt"
	"testing"

	"github.com/vishvananda/netlink"
)

func TestAddrsChanged(t *testing.T) {
	t.Parallel()
	n := freshNetNS(t)
	nl, err := n.Netlink()
	if err != nil {
		t.Fatal(err)
	}
	lo, err := nl.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	addr := func(s string) *netlink.Addr {
		a, err := netlink.ParseAddr(s)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, c := range []struct {
		what    string
		do      func() error
		changed bool
	}{
		{"what was before is not known", func() error { return nil }, true},
		{"nothing", func() error { return nil }, false},
		{"an address", func() error { return nl.AddrAdd(lo, addr("10.9.9.9/32")) }, true},
		{"an MTU", func() error { return nl.LinkSetMTU(lo, 1500) }, false},
		{"many", func() error {
			for i := range 600 {
				if err := nl.AddrAdd(lo, addr(fmt.Sprintf("10.1.%d.%d/32", i>>8, i&255))); err != nil {
					return err
				}
			}
			return nil
		}, true},
		{"nothing more", func() error { return nil }, false},
		{"an address less", func() error { return nl.AddrDel(lo, addr("10.9.9.9/32")) }, true},
		{"an IPv6 address", func() error { return nl.AddrAdd(lo, addr("fd00::9/128")) }, true},
	} {
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if changed := n.AddrsChanged(); changed != c.changed {
			t.Errorf("%s: changed: %v", c.what, changed)
		}
	}
	n.Close()
	if !n.AddrsChanged() {
		t.Error("closed, and yet known to be the same")
	}
}
