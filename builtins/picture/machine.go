package picture

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// Machine is the network namespaces of this machine, open for [Scan].
type Machine struct {
	Sources []Source // the one of this process first
	// Closed are namespaces that may not be opened, by what is known of them, and Hidden
	// the processes whose namespace may not even be asked for.
	Closed []string
	Hidden int

	named map[string]bool
}

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

// Close closes the namespaces.
func (m *Machine) Close() {
	for _, s := range m.Sources {
		s.NS.Close()
	}
}

// Named reports whether a namespace of the picture has a name that `ip netns` knows.
func (m *Machine) Named(name string) bool { return m.named[name] }

// description is what a namespace of the machine is called, and what there is to say
// of it.
type description struct{ name, note string }

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

// isCNI reports whether a name is one that container runtimes make up for the
// namespaces of Kubernetes' pods: cni- and a UUID.
func isCNI(name string) bool { return strings.HasPrefix(name, "cni-") && strings.Count(name, "-") == 5 }

// note tells who lives in a namespace: the programs, the first of several of a name by
// its number.
func note(f *kernel.FoundNetNS, container string) string {
	var programs []string
	seen := map[string]int{}
	for _, pid := range f.PIDs {
		program := kernel.Command(pid)
		if program == "" {
			continue
		}
		if seen[program]++; seen[program] == 1 {
			programs = append(programs, fmt.Sprintf("%s (%d)", program, pid))
		}
	}
	const most = 4
	if len(programs) > most {
		programs = append(programs[:most], fmt.Sprintf("%d more", len(programs)-most))
	}
	var parts []string
	if container != "" {
		parts = append(parts, "container "+container[:12])
	}
	if len(programs) > 0 {
		parts = append(parts, strings.Join(programs, ", "))
	}
	if isCNI(f.Name) {
		parts = append(parts, "called "+f.Name)
	}
	return strings.Join(parts, ": ")
}

// natural orders names as people do: r2 before r10.
func natural(a, b string) int {
	digits := func(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }
	for a != "" && b != "" {
		if x, y := digits(a), digits(b); x > 0 && y > 0 {
			n, m := strings.TrimLeft(a[:x], "0"), strings.TrimLeft(b[:y], "0")
			if c := cmp.Or(len(n)-len(m), strings.Compare(n, m)); c != 0 {
				return c
			}
			a, b = a[x:], b[y:]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

// unique is a name that no other has.
func unique(name string, taken map[string]bool) string {
	for i, base := 2, name; taken[name]; i++ {
		name = fmt.Sprintf("%s-%d", base, i)
	}
	taken[name] = true
	return name
}

// Empty reports whether nothing was made in a namespace: it has lo alone, without an
// address of its own.
func (n *Namespace) Empty() bool {
	return !slices.ContainsFunc(n.Links, func(l *Link) bool {
		return l.Kind != "loopback" || slices.ContainsFunc(l.Addrs, kernel.Addr.Global)
	}) && len(n.Tables) == 0
}
