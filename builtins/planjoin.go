package builtins

import (
	"path/filepath"
	"slices"
	"strings"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// plannedTwin is what the lab calls a namespace already that a plan joins, "" where it
// takes that for another one: it has the same file, or a process that the lab has
// started in it.
func (c *call) plannedTwin(o *op.JoinNamespace) string {
	for _, e := range slices.Backward(c.lab.Entries()) {
		switch m := e.Op.(type) {
		case *op.AddNamespace:
			if o.Path == kernel.NetNSPath(m.Name) {
				return m.Name
			}
		case *op.JoinNamespace:
			if o.Path == m.Path {
				return m.Name
			}
		case *op.StartProcess:
			if o.Job != 0 && o.Job == m.Job && !leaves(m.Argv) {
				return m.NS
			}
		}
	}
	return ""
}

// leavers are programs that run others in another network namespace than their own:
// unshare(1), nsenter(1), `ip netns exec`, and those that make containers.
var leavers = []string{"unshare", "nsenter", "netns", "docker", "podman", "nerdctl", "runc", "crun", "lxc-start", "systemd-nspawn", "bwrap", "firejail"}

// leaves reports whether a command, or what it has a shell do, looks as if its process
// would not stay in the namespace that it is started in.
func leaves(argv []string) bool {
	return slices.ContainsFunc(strings.Fields(strings.Join(argv, " ")), func(word string) bool {
		return slices.Contains(leavers, filepath.Base(word))
	})
}
