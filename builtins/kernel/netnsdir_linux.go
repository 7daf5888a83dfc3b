package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// PrepareNetNSDir makes NetNSDir as `ip netns add` does: a directory that is a
// mount point with shared propagation, so that mount namespaces made later see
// namespaces come and go. Before it makes the mount it calls note, with whether
// the directory has to be made too; it does not where all is as it should be.
func PrepareNetNSDir(note func(dirToo bool) error) error {
	err := unix.Mount("", NetNSDir, "", unix.MS_SHARED|unix.MS_REC, "")
	if err == nil {
		return nil
	}
	missing := errors.Is(err, fs.ErrNotExist)
	if !missing && !errors.Is(err, unix.EINVAL) {
		return &os.PathError{Op: "mount --make-shared", Path: NetNSDir, Err: err}
	}
	if err := note(missing); err != nil {
		return err
	}
	if err := os.MkdirAll(NetNSDir, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(NetNSDir, NetNSDir, "none", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return &os.PathError{Op: "mount --bind", Path: NetNSDir, Err: err}
	}
	if err := unix.Mount("", NetNSDir, "", unix.MS_SHARED|unix.MS_REC, ""); err != nil {
		_ = unix.Unmount(NetNSDir, unix.MNT_DETACH)
		return &os.PathError{Op: "mount --make-shared", Path: NetNSDir, Err: err}
	}
	return nil
}

// RemoveNetNSDir takes back what PrepareNetNSDir made, or a part of it, unless
// namespaces are still named there.
func RemoveNetNSDir(dirToo bool) error {
	entries, err := os.ReadDir(NetNSDir)
	if err != nil || len(entries) > 0 {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	if err := unix.Unmount(NetNSDir, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
		return &os.PathError{Op: "umount", Path: NetNSDir, Err: err}
	}
	if !dirToo {
		return nil
	}
	if err := os.Remove(NetNSDir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// newNamespace makes a namespace on a thread of its own, sets it up and then
// binds it to path, so that whoever finds it by its name finds it marked.
func newNamespace(path string, setup Setup) (*NetNS, error) {
	type result struct {
		ns  *NetNS
		err error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread()
		home, err := netns.GetFromPath("/proc/thread-self/ns/net")
		if err != nil {
			runtime.UnlockOSThread()
			done <- result{err: err}
			return
		}
		defer func() { _ = home.Close() }()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			runtime.UnlockOSThread()
			done <- result{err: fmt.Errorf("unshare: %w", namespaceLimit(err))}
			return
		}
		ns, err := setupHere(path, setup)
		if netns.Set(home) == nil {
			runtime.UnlockOSThread()
		}
		done <- result{ns, err}
	}()
	r := <-done
	return r.ns, r.err
}

// loIndex is the index of lo, the first interface of every namespace.
const loIndex = 1

func setupHere(path string, setup Setup) (*NetNS, error) {
	h, err := netns.GetFromPath("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	n, err := newNetNS(h)
	if err != nil {
		_ = h.Close()
		return nil, err
	}
	if err := func() error {
		if err := setup.Proc.write(setup.Sysctls); err != nil {
			return err
		}
		if n.rt, err = openRoute(); err != nil {
			return err
		}
		changes := []Change{SetUp(loIndex)}
		if setup.Alias != "" {
			changes = append(changes, SetAlias(loIndex, setup.Alias))
		}
		if which, err := n.rt.change(changes); err != nil {
			return fmt.Errorf("%s lo: %w", []string{"setting up", "marking"}[which], err)
		}
		if err := unix.Mount("/proc/thread-self/ns/net", path, "none", unix.MS_BIND, ""); err != nil {
			return &os.PathError{Op: "mount --bind", Path: path, Err: err}
		}
		return nil
	}(); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// RemoveNetNS takes the name of a namespace away, as `ip netns del` does. The
// namespace itself ends when nothing holds it any more. A name that is already
// gone is no error.
func RemoveNetNS(name string) error {
	path := NetNSPath(name)
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil &&
		!errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return &os.PathError{Op: "umount", Path: path, Err: err}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// AddNetNS makes a network namespace called name, with lo up, as
// `ip netns add NAME; ip -n NAME link set lo up` does. The error is fs.ErrExist
// when the name is taken.
func AddNetNS(name string, setup Setup) (*NetNS, error) {
	path := NetNSPath(name)
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	_ = unix.Close(fd)
	n, err := newNamespace(path, setup)
	if err != nil {
		_ = os.Remove(path)
		return nil, err
	}
	return n, nil
}

// FindNamed opens the network namespace of that inode, if it is the one of this
// process or has a name; otherwise it returns nil.
func FindNamed(inode uint64) *NetNS {
	paths := []string{"/proc/self/ns/net"}
	names, err := NetNSNames()
	if err != nil {
		return nil
	}
	for _, name := range names {
		paths = append(paths, NetNSPath(name))
	}
	for _, path := range paths {
		if id, err := NSIDOf(path); err != nil || id.Ino != inode {
			continue
		}
		if ns, err := OpenNetNS(path); err == nil {
			if ns.ID().Ino == inode {
				return ns
			}
			ns.Close()
		}
	}
	return nil
}

// FindNetNS looks for the namespace of the given identity by its processes, for
// a namespace that has no name: it returns the path of its file, "" if there is none.
func FindNetNS(id NSID) (string, error) {
	found := ""
	err := eachProcess(func(pid int) error {
		if found != "" {
			return nil
		}
		of, err := NetNSOf(pid)
		if of == id {
			found = fmt.Sprintf("/proc/%d/ns/net", pid)
		}
		return err
	})
	return found, err
}
