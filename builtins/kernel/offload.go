//go:build linux

package kernel

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/safchain/ethtool"
)

// offloadNames are the short names that ethtool(8) has for features of an interface,
// each with the beginnings of the kernel's names for what it stands for.
var offloadNames = map[string][]string{
	"rx": {"rx-checksum"}, "tx": {"tx-checksum-"}, "sg": {"tx-scatter-gather"}, "tso": {"tx-tcp"},
	"gso": {"tx-generic-segmentation"}, "gro": {"rx-gro"}, "lro": {"rx-lro"},
	"rxvlan": {"rx-vlan-hw-parse"}, "txvlan": {"tx-vlan-hw-insert"},
}

// whole are those of the names above that stand for one feature, and not for all that
// begin so.
var whole = map[string]bool{"rx": true, "sg": true, "gso": true, "gro": true, "lro": true, "rxvlan": true, "txvlan": true}

// OffloadNames lists the short names.
func OffloadNames() []string { return slices.Sorted(maps.Keys(offloadNames)) }

// An UnknownOffloadError is a feature that an interface does not have.
type UnknownOffloadError struct {
	Name string
	Have []string
}

func (e *UnknownOffloadError) Error() string { return fmt.Sprintf("no feature is called %q", e.Name) }

// SetOffload switches features of an interface on and off, and returns what those that
// were changed were before, by the kernel's names.
func (n *NetNS) SetOffload(dev string, want map[string]bool) (before map[string]bool, err error) {
	err = n.Do(func() error {
		e, err := ethtool.NewEthtool()
		if err != nil {
			return err
		}
		defer e.Close()
		have, err := e.Features(dev)
		if err != nil {
			return err
		}
		change, err := expandOffload(want, have)
		if err != nil {
			return err
		}
		before = map[string]bool{}
		for name := range change {
			before[name] = have[name]
		}
		return e.Change(dev, change)
	})
	return before, err
}

// expandOffload turns names of features into the kernel's.
func expandOffload(want, have map[string]bool) (map[string]bool, error) {
	change := map[string]bool{}
	for name, on := range want {
		found := false
		for real := range have {
			if real == name || real == strings.ReplaceAll(name, "_", "-") || standsFor(name, real) {
				change[real], found = on, true
			}
		}
		if !found {
			return nil, &UnknownOffloadError{Name: name, Have: append(OffloadNames(), slices.Sorted(maps.Keys(have))...)}
		}
	}
	return change, nil
}

func standsFor(short, real string) bool {
	return slices.ContainsFunc(offloadNames[short], func(begin string) bool {
		return real == begin || !whole[short] && strings.HasPrefix(real, begin)
	})
}
