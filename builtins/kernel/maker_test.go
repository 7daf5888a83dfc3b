//go:build linux

package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMaker holds that namespaces which are made ahead are as they were asked for, and
// that the thread which makes them stays in none.
func TestMaker(t *testing.T) {
	t.Parallel()
	var m Maker
	defer m.Close()
	seen := map[NSID]bool{}
	for i := range 40 {
		setup := Setup{Alias: "mark", Sysctls: []Sysctl{{Key: "net.ipv4.ip_forward", Value: "1"}}}
		if i >= 30 { // others were made ahead
			setup = Setup{Alias: fmt.Sprint("mark", i), Sysctls: []Sysctl{{Key: "net.ipv4.ip_forward", Value: "0"}}}
		}
		n, err := m.take(setup)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		if seen[n.ID()] {
			t.Fatalf("namespace %d was there before", i)
		}
		seen[n.ID()] = true
		lo, err := n.LinkByIndex(loIndex)
		if err != nil {
			t.Fatal(err)
		}
		if lo.Name != "lo" || !lo.Up() || lo.Alias != setup.Alias {
			t.Errorf("namespace %d has the interface %+v, want lo, up and called %q", i, lo, setup.Alias)
		}
		if v, err := n.ReadSysctl("net.ipv4.ip_forward"); err != nil || v != setup.Sysctls[0].Value {
			t.Errorf("namespace %d forwards: %q, %v", i, v, err)
		}
	}
	links, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if id, err := NSIDOf(l); err == nil && seen[id] {
			t.Errorf("%s is one of the namespaces", l)
		}
	}
}

// TestMakerFails holds that a failure is told of the namespace that it is of, and that
// the next one is made all the same.
func TestMakerFails(t *testing.T) {
	t.Parallel()
	var m Maker
	defer m.Close()
	for range 12 {
		n, err := m.take(Setup{})
		if err != nil {
			t.Fatal(err)
		}
		n.Close()
	}
	_, err := m.take(Setup{Sysctls: []Sysctl{{Key: "net.ipv4.nothing", Value: "1"}}})
	var missing *NoSysctlError
	if !errors.As(err, &missing) {
		t.Errorf("a sysctl that there is not: %v", err)
	}
	n, err := m.take(Setup{})
	if err != nil {
		t.Fatal(err)
	}
	n.Close()
}

// TestChanges holds that of several changes in one call the one that has failed is told,
// in the kernel's words, and that the others are made.
func TestChanges(t *testing.T) {
	t.Parallel()
	n := freshNetNS(t)
	failed, err := n.Change(
		SetAlias(loIndex, "one"),
		NewAddr(loIndex, netip.MustParsePrefix("192.0.2.1/24")),
		NewAddr(loIndex, netip.MustParsePrefix("192.0.2.1/24")),
		SetMaster(loIndex, 4711),
		SetUp(loIndex),
	)
	if failed != 2 || !errors.Is(err, unix.EEXIST) {
		t.Errorf("change %d has failed: %v; want 2 and %v", failed, err, unix.EEXIST)
	}
	lo, err := n.LinkByIndex(loIndex)
	if err != nil {
		t.Fatal(err)
	}
	if !lo.Up() || lo.Alias != "one" {
		t.Errorf("lo is %+v", lo)
	}
	addrs, err := n.Addrs(loIndex)
	if err != nil {
		t.Fatal(err)
	}
	if len(addrs) < 2 || addrs[0].Prefix.String() != "192.0.2.1/24" || addrs[0].Scope != "global" {
		t.Errorf("the addresses are %+v", addrs)
	}
	if _, err := n.Link("nothing"); !errors.Is(err, unix.ENODEV) {
		t.Errorf("an interface that there is not: %v", err)
	}
}
