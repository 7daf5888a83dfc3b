//go:build linux

package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// An around knows what makes a process a member of a sandbox; see the package
// comment. Its zero fields do not count.
type around struct {
	machine
	userNS  uint64 // membership is by this alone, if it is known
	mountNS uint64
	netNS   uint64
	mark    string
	run     string // the sandbox's /run/netns, for the namespaces named in it
	keeper  int    // never a member
}

// around returns what the members of s have in common, which holds only while s is
// open.
func (s *Sandbox) around() around {
	a := around{
		machine: thisMachine(), mark: s.id.Mark, keeper: s.id.PID,
		mountNS: s.id.MountNS, netNS: s.id.NetNS, userNS: s.id.UserNS,
	}
	a.run = fmt.Sprintf("%s/%d/root/run/netns", a.proc, s.id.PID)
	return a
}

// surroundings returns what the members of the sandbox have in common that this
// process, its keeper, is in.
func surroundings(o order) (around, error) {
	a := around{machine: thisMachine(), mark: o.Mark, keeper: os.Getpid(), run: "/run/netns"}
	held, err := a.openSpaces(os.Getpid(), o.User, false)
	if err != nil {
		return a, err
	}
	defer held.close()
	a.userNS, a.mountNS, a.netNS = held.inode(held.user), held.inode(held.mount), held.inode(held.net)
	return a, nil
}

// Processes returns the ids of all processes in the sandbox but the keeper and the
// caller.
func (s *Sandbox) Processes() ([]int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrGone
	}
	return s.around().members()
}

// A survey is one look over all processes. It remembers what it found out about a
// namespace, which goes by what its link in /proc/PID/ns reads.
type survey struct {
	around
	users  map[string]bool // user namespaces that are the sandbox's or descend from it
	mounts map[string]bool // mount namespaces that are copies of the sandbox's
	nets   map[string]bool // the sandbox's own network namespace and those it has named
}

func (a around) members() ([]int, error) {
	v := survey{around: a, users: map[string]bool{}, mounts: map[string]bool{}, nets: map[string]bool{}}
	if a.userNS == 0 {
		v.learn()
	}
	entries, err := os.ReadDir(a.proc)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == a.keeper || pid == os.Getpid() {
			continue
		}
		if v.member(pid) {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}

// learn fills in what is known before any process was looked at.
func (v *survey) learn() {
	if v.mountNS != 0 {
		v.mounts[nsLink("mnt", v.mountNS)] = true
	}
	// Our own is not the sandbox's, unless we are inside.
	if own, err := os.Readlink(v.proc + "/self/ns/mnt"); err == nil && !v.mounts[own] {
		v.mounts[own] = v.marked(v.proc + "/self")
	}
	if v.netNS == 0 {
		return
	}
	v.nets[nsLink("net", v.netNS)] = true
	names, _ := os.ReadDir(v.run)
	for _, name := range names {
		info, err := os.Stat(filepath.Join(v.run, name.Name()))
		if err == nil && info.Mode().IsRegular() {
			v.nets[nsLink("net", info.Sys().(*syscall.Stat_t).Ino)] = true
		}
	}
}

// member reports whether a process is in the sandbox and alive. One that may not be
// looked at is not: its owner's sandboxes are other people's.
func (v *survey) member(pid int) bool {
	dir := fmt.Sprintf("%s/%d", v.proc, pid)
	if v.userNS != 0 {
		return v.inUser(dir) && v.alive(pid)
	}
	st, err := v.stat(pid)
	if err != nil || st.dead() {
		return false
	}
	if st.state == 'Z' { // the first thread has ended and is in no namespace any more
		dir = v.livingThread(dir)
	}
	net, err := os.Readlink(dir + "/ns/net")
	return err == nil && v.nets[net] || v.inMount(dir)
}

func (v *survey) alive(pid int) bool {
	st, err := v.stat(pid)
	return err == nil && !st.dead()
}

// livingThread returns the directory of a thread that has not ended.
func (v *survey) livingThread(dir string) string {
	threads, _ := filepath.Glob(dir + "/task/*")
	for _, thread := range threads {
		if _, err := os.Readlink(thread + "/ns/mnt"); err == nil {
			return thread
		}
	}
	return dir
}

// inUser reports whether a process's user namespace is the sandbox's or below it.
func (v *survey) inUser(dir string) bool {
	link, err := os.Readlink(dir + "/ns/user")
	if err != nil {
		return false
	}
	in, known := v.users[link]
	if !known {
		in = v.descends(dir + "/ns/user")
		v.users[link] = in
	}
	return in
}

// descends follows a user namespace's parents.
func (v *survey) descends(path string) bool {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	for err == nil {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err == nil && st.Ino == v.userNS {
			unix.Close(fd)
			return true
		}
		var parent int
		// The kernel refuses to go above the namespace we are in.
		parent, err = unix.IoctlRetInt(fd, unix.NS_GET_PARENT)
		unix.Close(fd)
		fd = parent
	}
	return false
}

// inMount reports whether a process's mount namespace is the sandbox's or a copy.
func (v *survey) inMount(dir string) bool {
	link, err := os.Readlink(dir + "/ns/mnt")
	if err != nil {
		return false
	}
	in, known := v.mounts[link]
	if known {
		return in
	}
	in = v.marked(dir)
	// A process with another root directory does not see all mounts: that it sees no
	// mark says nothing of the others in its mount namespace.
	root, err := os.Readlink(dir + "/root")
	if in || err == nil && root == "/" {
		v.mounts[link] = in
	}
	return in
}

// marked reports whether a process sees the sandbox's mark among its mounts.
func (v *survey) marked(dir string) bool {
	// An identity comes from a file. Were its mark "tmpfs", all processes would have it.
	if !strings.HasPrefix(v.mark, markPrefix) {
		return false
	}
	text, err := os.ReadFile(dir + "/mountinfo")
	return err == nil && bytes.Contains(text, []byte(" - tmpfs "+v.mark+" "))
}

// remains returns what the members of a sandbox have in common whose namespaces
// nobody holds open: only its mark is sure to be its own.
func (m machine) remains(id Identity) around { return around{machine: m, mark: id.Mark} }
