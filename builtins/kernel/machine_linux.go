package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"
)

// Hostname returns the host name that a process sees, where that is one of its own, as
// a container has: "" for the name that this process sees itself, and where it may not
// be asked for.
func Hostname(pid int) string {
	path := fmt.Sprintf("/proc/%d/ns/uts", pid)
	id, err := NSIDOf(path)
	if own, ownErr := NSIDOf("/proc/self/ns/uts"); err != nil || ownErr != nil || id == own {
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	done := make(chan string)
	go func() {
		// The thread is never unlocked: it ends with this goroutine, in that namespace.
		runtime.LockOSThread()
		var u unix.Utsname
		if unix.Setns(int(f.Fd()), unix.CLONE_NEWUTS) != nil || unix.Uname(&u) != nil {
			done <- ""
			return
		}
		done <- unix.ByteSliceToString(u.Nodename[:])
	}()
	return <-done
}

// FindAllNetNS lists the network namespaces of this machine: this process's own, those
// that have a name, and those of processes. Hidden is how many processes there are
// whose namespace may not be seen.
func FindAllNetNS() (list []*FoundNetNS, hidden int, err error) {
	byID := map[NSID]*FoundNetNS{}
	add := func(id NSID, path string) *FoundNetNS {
		n := byID[id]
		if n == nil {
			n = &FoundNetNS{ID: id, Path: path}
			byID[id], list = n, append(list, n)
		}
		return n
	}
	home, err := NSIDOf("/proc/self/ns/net")
	if err != nil {
		return nil, 0, err
	}
	add(home, "/proc/self/ns/net").Home = true
	names, err := NetNSNames()
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, 0, err
	}
	for _, name := range names {
		if id, ok := boundNetNS(NetNSPath(name)); ok {
			if n := add(id, NetNSPath(name)); n.Name == "" {
				n.Name = name
			}
		}
	}
	for _, dir := range containerDirs {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			return nil, 0, err
		}
		for _, file := range files {
			if id, ok := boundNetNS(file); ok {
				add(id, file)
			}
		}
	}
	err = eachProcess(func(pid int) error {
		path := fmt.Sprintf("/proc/%d/ns/net", pid)
		id, err := NSIDOf(path)
		switch {
		case errors.Is(err, fs.ErrPermission):
			hidden++
		case err == nil:
			n := add(id, path)
			n.PIDs = append(n.PIDs, pid)
		}
		return nil
	})
	for _, n := range list {
		slices.Sort(n.PIDs)
	}
	return list, hidden, err
}

// boundNetNS returns the identity of the network namespace that a file is bound to, if
// it is: without the right to enter it, the kernel tells that too.
func boundNetNS(path string) (NSID, bool) {
	var sfs unix.Statfs_t
	if err := unix.Statfs(path, &sfs); err != nil || int64(sfs.Type) != nsfsMagic {
		return NSID{}, false
	}
	id, err := NSIDOf(path)
	return id, err == nil
}
