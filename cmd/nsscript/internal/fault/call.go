//go:build linux

package fault

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// kind tells what a watched call is about.
type kind int

const (
	other   kind = iota
	pathAt       // its second argument is a path
	path         // its first argument is a path
	onFile       // its first argument is a descriptor
	message      // the same, of a socket
)

// watched are the calls by which a program changes the system.
var watched = []struct {
	nr   int
	name string
	kind kind
}{
	{unix.SYS_OPENAT, "openat", pathAt}, {unix.SYS_MKDIRAT, "mkdirat", pathAt}, {unix.SYS_UNLINKAT, "unlinkat", pathAt},
	{unix.SYS_RENAMEAT, "renameat", pathAt}, {unix.SYS_RENAMEAT2, "renameat2", pathAt}, {unix.SYS_SYMLINKAT, "symlinkat", path},
	{unix.SYS_LINKAT, "linkat", pathAt}, {unix.SYS_FCHMODAT, "fchmodat", pathAt}, {unix.SYS_FCHOWNAT, "fchownat", pathAt},
	{unix.SYS_FTRUNCATE, "ftruncate", onFile}, {unix.SYS_WRITE, "write", onFile}, {unix.SYS_PWRITE64, "pwrite", onFile},
	{unix.SYS_FLOCK, "flock", onFile}, {unix.SYS_SENDTO, "sendto", message}, {unix.SYS_SENDMSG, "sendmsg", message},
	{unix.SYS_RECVFROM, "recvfrom", message}, {unix.SYS_SETSOCKOPT, "setsockopt", onFile},
	{unix.SYS_SOCKET, "socket", other}, {unix.SYS_BIND, "bind", onFile}, {unix.SYS_CONNECT, "connect", onFile},
	{unix.SYS_MOUNT, "mount", pathAt}, {unix.SYS_UMOUNT2, "umount", path}, {unix.SYS_PIVOT_ROOT, "pivot_root", path},
	{unix.SYS_UNSHARE, "unshare", other}, {unix.SYS_SETNS, "setns", onFile},
	{unix.SYS_CLONE, "clone", other}, {unix.SYS_CLONE3, "clone3", other}, {unix.SYS_EXECVE, "execve", path},
	{unix.SYS_KILL, "kill", other}, {unix.SYS_PIDFD_SEND_SIGNAL, "pidfd_send_signal", onFile},
}

// Call is a system call that a process is about to do.
type Call struct {
	Name string // of the call
	TID  int    // the thread's id
	Args [6]uint64
	// About is what it acts on: a path, a descriptor's file, a netlink message.
	About string
	kind  kind
	nr    int
}

func newCall(n *notification) *Call {
	c := &Call{TID: int(n.PID), Args: n.Args, nr: int(n.NR)}
	for _, w := range watched {
		if w.nr == c.nr {
			c.Name, c.kind = w.name, w.kind
		}
	}
	switch c.kind {
	case pathAt:
		c.About = c.text(c.Args[1])
	case path:
		c.About = c.text(c.Args[0])
	case onFile:
		c.About = c.file(c.Args[0])
	case message:
		c.About = c.message()
	}
	return c
}

func (c *Call) String() string { return strings.TrimSpace(c.Name + " " + c.About) }

// Process is the id of the process that does the call, 0 if it is gone.
func (c *Call) Process() int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.TID))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("\nTgid:\t"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	pid, err := strconv.Atoi(string(line))
	if err != nil {
		return 0
	}
	return pid
}

// Program is the path of the program that does the call.
func (c *Call) Program() string {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", c.TID))
	if err != nil {
		return ""
	}
	return exe
}

// Changes reports whether the call may change something outside of its process:
// ending the program before any other call is the same as ending it before the
// next of these.
func (c *Call) Changes() bool {
	switch c.nr {
	case unix.SYS_OPENAT:
		return c.Args[2]&(unix.O_CREAT|unix.O_TRUNC) != 0
	case unix.SYS_WRITE, unix.SYS_PWRITE64:
		return c.Telling() || strings.HasPrefix(c.About, "/") && !strings.HasPrefix(c.About, "/dev/")
	case unix.SYS_SENDTO, unix.SYS_SENDMSG:
		return strings.HasPrefix(c.About, "RTM_") && !strings.HasPrefix(c.About, "RTM_GET")
	case unix.SYS_SOCKET, unix.SYS_SETSOCKOPT, unix.SYS_BIND, unix.SYS_CONNECT, unix.SYS_RECVFROM, unix.SYS_SETNS:
		return false
	case unix.SYS_KILL:
		return c.Args[1] != 0
	}
	return !c.Thread()
}

// Telling reports whether the call writes into a pipe that is no standard
// stream: to another process of the same program.
func (c *Call) Telling() bool {
	return c.nr == unix.SYS_WRITE && c.Args[0] > 2 && strings.HasPrefix(c.About, "pipe:")
}

// Thread reports whether the call makes a thread, without which a Go program
// cannot be.
func (c *Call) Thread() bool {
	switch c.nr {
	case unix.SYS_CLONE:
		return c.Args[0]&unix.CLONE_THREAD != 0
	case unix.SYS_CLONE3:
		return binary.NativeEndian.Uint64(c.read(c.Args[0], 8))&unix.CLONE_THREAD != 0
	}
	return false
}

// Runtime reports whether the call belongs to Go's runtime, prints, or names the
// process for ps: one that changes nothing and on which nothing depends.
func (c *Call) Runtime() bool {
	if strings.HasPrefix(c.About, "/proc/") && strings.HasSuffix(c.About, "/comm") {
		return true
	}
	switch c.nr {
	case unix.SYS_WRITE:
		return !strings.HasPrefix(c.About, "/") && !c.Telling() || strings.HasPrefix(c.About, "/dev/")
	}
	return c.Thread()
}

// read returns n bytes of the process' memory; zeros where it has none.
func (c *Call) read(at uint64, n int) []byte {
	buf := make([]byte, n)
	local := []unix.Iovec{{Base: &buf[0], Len: uint64(n)}}
	_, _ = unix.ProcessVMReadv(c.TID, local, []unix.RemoteIovec{{Base: uintptr(at), Len: n}}, 0)
	return buf
}

func (c *Call) text(at uint64) string {
	const pageSize = 4096
	// A string may end just before memory that cannot be read.
	n := min(pageSize-int(at%pageSize), 256)
	s, _, found := bytes.Cut(c.read(at, n), []byte{0})
	if !found && n < 256 {
		rest, _, _ := bytes.Cut(c.read(at+uint64(n), 256-n), []byte{0})
		s = append(s, rest...)
	}
	return string(s)
}

func (c *Call) file(fd uint64) string {
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", c.TID, int32(fd)))
	if err != nil {
		return ""
	}
	return name
}

// message names what is sent to or received from a netlink socket.
func (c *Call) message() string {
	if c.nr == unix.SYS_SENDMSG {
		return "message"
	}
	const addressArg = 4
	if c.Args[addressArg] == 0 || c.nr == unix.SYS_RECVFROM {
		return c.file(c.Args[0])
	}
	if binary.NativeEndian.Uint16(c.read(c.Args[addressArg], 2)) != unix.AF_NETLINK {
		return c.file(c.Args[0])
	}
	return messageName(binary.NativeEndian.Uint16(c.read(c.Args[1], 6)[4:]))
}

// messageName names a route netlink message by its type (rtnetlink(7)): the
// types come in groups of four, which make, delete, get and set.
func messageName(t uint16) string {
	groups := map[uint16]string{
		unix.RTM_NEWLINK: "LINK", unix.RTM_NEWADDR: "ADDR", unix.RTM_NEWROUTE: "ROUTE", unix.RTM_NEWNEIGH: "NEIGH", unix.RTM_NEWRULE: "RULE",
	}
	if name, ok := groups[t-t%4]; ok {
		return "RTM_" + []string{"NEW", "DEL", "GET", "SET"}[t%4] + name
	}
	return fmt.Sprintf("RTM_%d", t)
}
