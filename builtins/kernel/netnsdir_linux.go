package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

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
