package lab

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// Table prints a lab: its namespaces and their interfaces, addresses and routes,
// as the kernel has them now. Of the host only what the lab made is shown,
// unless it is the lab's own.
func Table(l *Lab) (string, error) {
	var rows strings.Builder
	ports := false
	for _, name := range append([]string{op.Host}, l.sys.Names()...) {
		ns, err := l.sys.Look(name)
		if err != nil {
			continue
		}
		links, err := l.shownLinks(name, ns)
		if err != nil {
			return "", err
		}
		first := name
		for _, k := range links {
			ports = ports || k.master != ""
			fmt.Fprintf(&rows, "%s\t%s\t%s\t%s\t%s\t%s\n", first, k.Name, k.Kind, state(&k.Link), strings.Join(k.global(), " "), k.master)
			first = ""
		}
		if first == name && name != op.Host {
			fmt.Fprintf(&rows, "%s\t-\t\t\t\t\n", name)
		}
	}
	head := "NAMESPACE\tINTERFACE\tKIND\tSTATE\tADDRESSES\t"
	if ports {
		head += "PORT OF"
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head+"\n"+strings.TrimSuffix(rows.String(), "\n"))
	if err := w.Flush(); err != nil {
		return "", err
	}
	routes, err := routeTable(l)
	if err != nil {
		return "", err
	}
	resolvers, err := resolverTable(l)
	return trimLines(b.String()) + routes + resolvers, err
}

func state(k *kernel.Link) string {
	if k.Up() && k.State == "unknown" {
		return k.State
	}
	return k.OperState()
}

func routeTable(l *Lab) (string, error) {
	var b strings.Builder
	for _, name := range l.sys.Names() {
		ns, err := l.sys.Look(name)
		if err != nil {
			continue
		}
		routes, err := ns.Routes()
		if err != nil {
			return "", err
		}
		for _, r := range routes {
			if r.Protocol == "kernel" {
				continue
			}
			if b.Len() == 0 {
				b.WriteString("\nROUTES\n")
			}
			fmt.Fprintf(&b, "%s: %s\n", name, r.String())
		}
	}
	return b.String(), nil
}

func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}
