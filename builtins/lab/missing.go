//go:build linux

package lab

import (
	"fmt"
	"strings"

	"nsscript/builtins/op"
)

// missing lists what the lab made and nothing of the lab has removed, and that is
// there no more: its namespaces, its processes, and its interfaces in namespaces
// that are not its own.
func (l *Lab) missing(entries []*Entry) []string {
	removed := map[string]bool{} // names of interfaces and namespaces that the script deleted, moved or renamed
	for _, e := range entries {
		switch o := e.Op.(type) {
		case *op.DelNamespace:
			removed[o.Name] = true
		case *op.DelLink:
			removed[o.Name] = true
		case *op.MoveLink:
			removed[o.Name] = true
		case *op.SetLink:
			removed[o.Name] = removed[o.Name] || o.Rename != nil
		}
	}
	var list []string
	for _, e := range entries {
		if e.State != Done {
			continue
		}
		switch o := e.Op.(type) {
		case *op.AddNamespace:
			if _, err := l.sys.NS(o.Name); err != nil && !removed[o.Name] {
				list = append(list, fmt.Sprintf("namespace %q", o.Name))
			}
		case *op.AddBridge:
			if !removed[o.Name] && l.lacks(o.NS, o.Name) {
				list = append(list, fmt.Sprintf("bridge %q", o.Name))
			}
		case *op.AddVeth:
			for _, end := range []op.End{o.A, o.B} {
				if !removed[end.Name] && l.lacks(end.NS, end.Name) {
					list = append(list, fmt.Sprintf("interface %q", end.Name))
				}
			}
		case *op.StartProcess:
			if alive, err := o.Alive(); !alive && err == nil {
				list = append(list, fmt.Sprintf("process %d (%s)", o.PID, strings.Join(o.Argv, " ")))
			}
		}
	}
	return list
}
