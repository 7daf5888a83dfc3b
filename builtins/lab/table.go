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
	spaces, err := l.shownSpaces()
	if err != nil {
		return "", err
	}
	var rows strings.Builder
	ports := false
	for _, s := range spaces {
		first := s.name
		for _, k := range s.links {
			ports = ports || k.master != ""
			fmt.Fprintf(&rows, "%s\t%s\t%s\t%s\t%s\t%s\n", first, k.Name, k.Kind, state(&k.Link), strings.Join(k.global(), " "), k.master)
			first = ""
		}
		if first == s.name && s.name != op.Host {
			fmt.Fprintf(&rows, "%s\t-\t\t\t\t\n", s.name)
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
	return trimLines(b.String()) + routeTable(spaces) + resolverTable(spaces), nil
}

func state(k *kernel.Link) string {
	if k.Up() && k.State == "unknown" {
		return k.State
	}
	return k.OperState()
}

// routeTable lists the routes that somebody has made.
func routeTable(spaces []*shownSpace) string {
	var b strings.Builder
	for _, s := range spaces {
		if s.name == op.Host {
			continue
		}
		for _, r := range s.routes {
			if r.Protocol == "kernel" {
				continue
			}
			if b.Len() == 0 {
				b.WriteString("\nROUTES\n")
			}
			fmt.Fprintf(&b, "%s: %s\n", s.name, r.String())
		}
	}
	return b.String()
}

func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}
