package picture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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
