//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"syscall"
)

// spaces are a sandbox's namespaces, held open: while they are, none of them ends
// and no other gets its inode number.
type spaces struct {
	user, mount, net *os.File // user is nil without a user namespace
	ipc, pid         *os.File // nil but in a closed sandbox
}

// openSpaces opens the namespaces of a keeper.
func (m machine) openSpaces(pid int, user, closed bool) (held spaces, err error) {
	open := func(kind string) *os.File {
		if err != nil {
			return nil
		}
		var f *os.File
		f, err = os.Open(fmt.Sprintf("%s/%d/ns/%s", m.proc, pid, kind))
		return f
	}
	if user {
		held.user = open("user")
	}
	held.mount, held.net = open("mnt"), open("net")
	if closed {
		held.ipc, held.pid = open("ipc"), open("pid")
	}
	if err != nil {
		held.close()
	}
	return held, err
}

func (h spaces) close() {
	for _, f := range []*os.File{h.user, h.mount, h.net, h.ipc, h.pid} {
		if f != nil {
			f.Close()
		}
	}
}

// inode returns a namespace's inode number, by which /proc/PID/ns names it; 0 for
// none.
func (spaces) inode(f *os.File) uint64 {
	if f == nil {
		return 0
	}
	info, err := f.Stat()
	if err != nil {
		return 0
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

// are reports whether these are the namespaces that id names.
func (h spaces) are(id Identity) bool {
	return h.inode(h.user) == id.UserNS && h.inode(h.mount) == id.MountNS && h.inode(h.net) == id.NetNS
}

// nsLink is what a namespace's link in /proc/PID/ns reads.
func nsLink(kind string, inode uint64) string {
	return fmt.Sprintf("%s:[%d]", kind, inode)
}
