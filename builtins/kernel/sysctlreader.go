package kernel

import (
	"golang.org/x/sys/unix"
)

// SysctlReader reads many parameters of the namespace of the calling thread. It keeps
// the directories open: the kernel finds a name in /proc/sys among those of all
// namespaces, one after the other, so that whole paths take long where there are many.
type SysctlReader struct{ dirs map[string]int }

// sysctlRoot is where the parameters of namespaces are.
const sysctlRoot = "/proc/sys/net"

// Close closes the directories.
func (r *SysctlReader) Close() {
	for _, fd := range r.dirs {
		_ = unix.Close(fd)
	}
	r.dirs = nil
}
