//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// privateMounts makes the mount namespace of a sandbox what its package comment
// promises. The notes say what could not be had.
func privateMounts(o order) (notes []string, _ *stepError) {
	// What is mounted in here is not seen outside, what is mounted outside later is seen here.
	if err := mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return nil, err
	}
	notes, err := privateRun("/run", o)
	if err != nil {
		return notes, err
	}
	more, err := privateVarRun(o)
	notes = append(notes, more...)
	if err != nil {
		return notes, err
	}
	if err := freshSys(); err != nil {
		notes = append(notes, fmt.Sprintf("/sys shows the machine's devices, not the sandbox's: %v", err.errno))
	}
	return notes, nil
}

func mount(source, target, kind string, flags uintptr, data string) *stepError {
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		return failed("mounting "+target, err)
	}
	return nil
}

// failed makes a stepError.
func failed(step string, err error) *stepError {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		errno = unix.EIO
	}
	return &stepError{step, errno}
}

// hidden are the entries of /run that a sandbox has of its own: the names of
// network namespaces, the lock of iptables and the labs of root.
func hidden(o order) []string {
	return slices.DeleteFunc([]string{"netns", "xtables.lock", "nsscript"}, func(name string) bool {
		return slices.Contains(o.Share, name)
	})
}

// privateRun puts a private directory over dir, through which what was there is seen
// but for what is hidden, and makes netns in it.
func privateRun(dir string, o order) (notes []string, _ *stepError) {
	old, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, failed("opening "+dir, err)
	}
	defer unix.Close(old)
	below := fmt.Sprintf("/proc/self/fd/%d", old)
	entries, err := os.ReadDir(below)
	if err != nil {
		return nil, failed("reading "+dir, err)
	}
	if err := mount(o.Mark, dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return nil, err
	}
	skip := hidden(o)
	for _, entry := range entries {
		if slices.Contains(skip, entry.Name()) {
			continue
		}
		if err := showThrough(filepath.Join(below, entry.Name()), filepath.Join(dir, entry.Name()), entry); err != nil {
			notes = append(notes, fmt.Sprintf("%s is not seen inside: %v", filepath.Join(dir, entry.Name()), err))
		}
	}
	return notes, namesDir(filepath.Join(dir, "netns"))
}

// showThrough makes the file from seen as to.
func showThrough(from, to string, entry os.DirEntry) error {
	if entry.Type()&os.ModeSymlink != 0 {
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	}
	if err := placeholder(to, entry.IsDir()); err != nil {
		return err
	}
	if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		_ = os.Remove(to)
		return err
	}
	return nil
}

// placeholder makes something that a file or directory can be mounted on.
func placeholder(path string, dir bool) error {
	if dir {
		return os.Mkdir(path, 0o755)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

// namesDir makes the directory of named network namespaces, in the way `ip netns
// add` does: a shared mount, so that a namespace named in one mount namespace is
// seen in those made from it.
func namesDir(dir string) *stepError {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return failed("making "+dir, err)
	}
	if err := mount(dir, dir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	return mount("", dir, "", unix.MS_SHARED|unix.MS_REC, "")
}

// privateVarRun does for /var/run what was done for /run. It is a symbolic link to
// /run nearly everywhere; else it may be a directory of its own, or a bind mount.
func privateVarRun(o order) ([]string, *stepError) {
	const dir = "/var/run"
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return nil, nil // a link shows the new /run
	}
	notes, wrong := privateRun(dir, o)
	if wrong != nil {
		return notes, wrong
	}
	// A namespace has one name, whichever directory a program looks in.
	return notes, mount("/run/netns", dir+"/netns", "", unix.MS_BIND|unix.MS_REC, "")
}

// freshSys mounts a /sys that shows the network namespace we are in. What is
// mounted below the machine's /sys (cgroups) stays visible.
func freshSys() *stepError {
	const dir = "/sys"
	old, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return failed("opening "+dir, err)
	}
	defer unix.Close(old)
	below := mountsBelow(dir)
	if err := mount("sysfs", dir, "sysfs", flagsOf(dir)|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return err
	}
	for _, name := range below {
		_ = unix.Mount(fmt.Sprintf("/proc/self/fd/%d/%s", old, name), filepath.Join(dir, name), "", unix.MS_BIND|unix.MS_REC, "")
	}
	return nil
}

// flagsOf returns the mount flags that the kernel does not let a user namespace
// drop when it mounts the same file system again.
func flagsOf(dir string) (flags uintptr) {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return 0
	}
	for _, f := range []struct{ has, keep int64 }{
		{unix.ST_RDONLY, unix.MS_RDONLY}, {unix.ST_NOATIME, unix.MS_NOATIME},
		{unix.ST_NODIRATIME, unix.MS_NODIRATIME}, {unix.ST_RELATIME, unix.MS_RELATIME},
	} {
		if int64(st.Flags)&f.has != 0 {
			flags |= uintptr(f.keep)
		}
	}
	return flags
}

// mountsBelow returns the topmost mount points below dir, relative to it.
func mountsBelow(dir string) (names []string) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		name, below := strings.CutPrefix(fields[4], dir+"/")
		covered := slices.ContainsFunc(names, func(top string) bool {
			return name == top || strings.HasPrefix(name, top+"/")
		})
		if below && !covered {
			names = append(names, name)
		}
	}
	return names
}
