package picture

import (
	"errors"
	"io/fs"
	"maps"
	"slices"

	"nsscript/builtins/kernel"
)

// freshSettings are the parameters of a new namespace: this kernel's, where one may be
// made, or else those that are known.
func freshSettings() map[string]string {
	keys := settingKeys(append([]string{"lo"}, everyInterface...))
	fresh := map[string]string{}
	if kernel.InNewNetNS(func() error { return readKeys(keys, fresh) }) == nil {
		return fresh
	}
	n := &Namespace{Sysctls: map[string]string{}, Links: []*Link{{Name: "lo"}}}
	for _, key := range keys {
		if value, ok := n.Sysctl(key); ok {
			fresh[key] = value
		}
	}
	// An interface takes it, as long as that for all does not forbid it.
	for _, dev := range []string{"default", "lo"} {
		fresh[interfaceKey("ipv4", dev, "accept_source_route")] = "1"
	}
	return fresh
}

// readKeys reads parameters in the namespace of the calling thread, as far as there are
// such.
func readKeys(keys []string, to map[string]string) error {
	var r kernel.SysctlReader
	defer r.Close()
	for _, key := range keys {
		value, err := r.Read(key)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		to[key] = value
	}
	return nil
}

// readSettings keeps the parameters that somebody has set.
func (n *Namespace) readSettings(ns *kernel.NetNS, fresh map[string]string) error {
	devs := slices.Clone(everyInterface)
	for _, l := range n.Links {
		devs = append(devs, l.Name)
	}
	now := map[string]string{}
	if err := ns.Do(func() error { return readKeys(settingKeys(devs), now) }); err != nil {
		return err
	}
	set := maps.Clone(now)
	for key, value := range now {
		if expected(key, n.Name == Host, fresh, now) == value {
			delete(set, key)
		}
	}
	maps.Copy(n.Sysctls, set)
	return nil
}
