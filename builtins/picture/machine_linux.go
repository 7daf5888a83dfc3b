package picture

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// OpenMachine opens the network namespaces of this machine: the one of this process,
// which is the host, those that have a name, and those of processes, such as
// containers.
func OpenMachine() (*Machine, error) {
	found, hidden, err := kernel.FindAllNetNS()
	if err != nil {
		return nil, err
	}
	m := &Machine{Hidden: hidden, named: map[string]bool{}}
	of := map[*kernel.FoundNetNS]description{}
	for _, f := range found {
		of[f] = describe(f)
	}
	slices.SortStableFunc(found, func(a, b *kernel.FoundNetNS) int {
		if a.Home != b.Home {
			return map[bool]int{true: -1, false: 1}[a.Home]
		}
		return natural(of[a].name, of[b].name)
	})
	taken := map[string]bool{}
	for _, f := range found {
		d := of[f]
		ns, err := enter(f)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ESRCH):
			continue // it has ended meanwhile
		case err != nil && f.Home:
			m.Close()
			return nil, err
		case err != nil:
			m.Closed = append(m.Closed, strings.TrimSpace(d.name+" "+d.note))
			continue
		}
		name := unique(d.name, taken)
		m.named[name] = f.Name != ""
		m.Sources = append(m.Sources, Source{Name: name, NS: ns, Note: d.note, Empty: len(f.PIDs) == 0})
	}
	return m, nil
}

// enter opens a namespace, if it may be looked into: its file may be open to all.
func enter(f *kernel.FoundNetNS) (*kernel.NetNS, error) {
	if f.Home {
		return kernel.Home()
	}
	ns, err := kernel.OpenNetNS(f.Path)
	if err != nil {
		return nil, err
	}
	if _, err := ns.Netlink(); err != nil {
		ns.Close()
		return nil, err
	}
	return ns, nil
}

// describe names a namespace: as `ip netns` does where that is a name that somebody has
// chosen, or else after the container or the program that lives in it.
func describe(f *kernel.FoundNetNS) description {
	if f.Home {
		return description{name: Host}
	}
	d := description{name: f.Name}
	host, container := "", ""
	if len(f.PIDs) > 0 {
		host, container = kernel.Hostname(f.PIDs[0]), kernel.Container(f.PIDs[0])
	}
	if d.name == "" || isCNI(f.Name) {
		program := ""
		if len(f.PIDs) > 0 {
			program = kernel.Command(f.PIDs[0])
		}
		d.name = cmp.Or(kernel.ContainerName(container), host, container[:min(len(container), 12)], f.Name[:min(len(f.Name), 12)], program, "unnamed")
	}
	d.note = note(f, container)
	return d
}
