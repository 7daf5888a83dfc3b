//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Closed says what can be found in a closed sandbox: one with a root directory of
// its own, in which there is of the machine's files only what programs need to
// run, and whose processes see no others. It needs a user namespace, in which the
// caller must not be the machine's root, and Linux 5.12 (mount_setattr(2)).
type Closed struct {
	Dirs []string // directories that are seen at the same place and can be written to
	Self string   // a program that is seen as SelfPath
}

// SelfPath is where a closed sandbox has the program Closed.Self.
const SelfPath = "/run/nsscript.exe"

// systemDirs are seen in a closed sandbox, read only: they are what a
// distribution installs, and nothing of a user's (file-hierarchy(7)).
var systemDirs = []string{
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store",
	"/etc/alternatives", "/etc/bash.bashrc", "/etc/ethertypes", "/etc/gai.conf", "/etc/group", "/etc/host.conf", "/etc/hosts",
	"/etc/inputrc", "/etc/iproute2", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime",
	"/etc/nsswitch.conf", "/etc/os-release", "/etc/passwd", "/etc/profile", "/etc/protocols", "/etc/resolv.conf", "/etc/rpc",
	"/etc/services", "/etc/ssl/certs", "/etc/terminfo", "/etc/timezone", "/etc/xtables.conf",
}

// devices are those of /dev that a closed sandbox has.
var devices = []string{"null", "zero", "full", "random", "urandom", "net/tun"}

// furnish makes the root directory of a closed sandbox and moves into it.
func (c *Closed) furnish(mark string) *stepError {
	// Nothing that is mounted later on either side is seen on the other.
	if err := mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return err
	}
	const root = "/run" // any directory that there is
	if err := mount("nsscript-root", root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return err
	}
	for _, step := range []func(string) *stepError{c.system, c.proc, c.dev, c.own(mark), enter} {
		if err := step(root); err != nil {
			return err
		}
	}
	return nil
}

// system shows the directories of the machine.
func (c *Closed) system(root string) *stepError {
	for _, path := range systemDirs {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := show(path, root+path, true); err != nil {
			return err
		}
	}
	return nil
}

// show mounts a file or directory at another place. A symbolic link is made anew
// where it stands at the top, and followed elsewhere.
func show(from, to string, readOnly bool) *stepError {
	info, err := os.Lstat(from)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 && filepath.Dir(from) == "/" {
		target, err := os.Readlink(from)
		if err == nil {
			err = os.Symlink(target, to)
		}
		return failedIf("linking "+to, err)
	}
	if info, err = os.Stat(from); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a link that leads nowhere
		}
		return failed("looking at "+from, err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return failed("making "+filepath.Dir(to), err)
	}
	if err := placeholder(to, info.IsDir()); err != nil && !errors.Is(err, fs.ErrExist) {
		return failed("making "+to, err)
	}
	if err := mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID}
	if readOnly {
		attr.Attr_set |= unix.MOUNT_ATTR_RDONLY
	}
	return failedIf("protecting "+to, unix.MountSetattr(unix.AT_FDCWD, to, unix.AT_RECURSIVE, &attr))
}

func failedIf(step string, err error) *stepError {
	if err == nil {
		return nil
	}
	return failed(step, err)
}

// proc mounts the file systems of the kernel that show this sandbox alone.
func (c *Closed) proc(root string) *stepError {
	for _, kind := range []string{"proc", "sys"} {
		dir := filepath.Join(root, kind)
		if err := os.Mkdir(dir, 0o555); err != nil {
			return failed("making "+dir, err)
		}
		name := map[string]string{"proc": "proc", "sys": "sysfs"}[kind]
		if err := mount(name, dir, name, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
			return err
		}
	}
	return nil
}

// dev makes a /dev of a few devices.
func (c *Closed) dev(root string) *stepError {
	for _, name := range devices {
		if err := show("/dev/"+name, root+"/dev/"+name, false); err != nil {
			return err
		}
	}
	for _, dir := range []string{"pts", "shm"} {
		if err := os.MkdirAll(root+"/dev/"+dir, 0o755); err != nil {
			return failed("making /dev/"+dir, err)
		}
	}
	if err := mount("devpts", root+"/dev/pts", "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"); err != nil {
		return err
	}
	for name, target := range map[string]string{"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0",
		"stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := os.Symlink(target, root+"/dev/"+name); err != nil {
			return failed("making /dev/"+name, err)
		}
	}
	return mount("nsscript-shm", root+"/dev/shm", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777")
}

// own makes the directories that are the sandbox's, and shows those of the caller
// that it may have.
func (c *Closed) own(mark string) func(string) *stepError {
	return func(root string) *stepError {
		for _, dir := range []struct{ path, name, data string }{{"/run", mark, "mode=0755"}, {"/tmp", "nsscript-tmp", "mode=1777"}} {
			if err := os.Mkdir(root+dir.path, 0o755); err != nil {
				return failed("making "+dir.path, err)
			}
			if err := mount(dir.name, root+dir.path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, dir.data); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(root+"/var/tmp", 0o755); err != nil {
			return failed("making /var", err)
		}
		if err := os.Symlink("/run", root+"/var/run"); err != nil {
			return failed("making /var/run", err)
		}
		if err := namesDir(root + "/run/netns"); err != nil {
			return err
		}
		if err := show(c.Self, root+SelfPath, true); err != nil {
			return err
		}
		for _, dir := range c.Dirs {
			if err := show(dir, root+dir, false); err != nil {
				return err
			}
		}
		return nil
	}
}

// enter makes root the root directory, and lets go of the old one.
func enter(root string) *stepError {
	const old = "/.old"
	if err := os.Mkdir(root+old, 0o700); err != nil {
		return failed("making "+old, err)
	}
	if err := unix.PivotRoot(root, root+old); err != nil {
		return failed("changing the root directory", err)
	}
	if err := os.Chdir("/"); err != nil {
		return failed("changing the working directory", err)
	}
	if err := unix.Unmount(old, unix.MNT_DETACH); err != nil {
		return failed("letting go of the machine's files", err)
	}
	return failedIf("removing "+old, os.Remove(old))
}

// reapOrphans waits for the processes whose parents have ended: the keeper is the
// first of its process namespace.
func reapOrphans() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	for range ended {
		for {
			pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil || pid <= 0 {
				break
			}
		}
	}
}

// CheckClosed says why a closed sandbox would not be one here, if anything.
func CheckClosed() error {
	if os.Geteuid() == 0 {
		return &Missing{What: "as root a stranger's programs would be root to the kernel", Remedy: "run it as an ordinary user"}
	}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/nsscript/none", 0, &unix.MountAttr{}); errors.Is(err, unix.ENOSYS) {
		return &Missing{What: "the kernel cannot make mounts read-only with all below them (mount_setattr)",
			Remedy: fmt.Sprintf("use Linux %d.%d or later", 5, 12), Err: err}
	}
	return nil
}
