package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// enter moves the calling thread, which must be locked and must not be used for
// anything else afterwards, to a new mount namespace and to the view's network
// namespace.
func (v View) enter() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("a mount namespace for the program: %w", err)
	}
	names, err := sharedNames()
	if err != nil {
		return err
	}
	// What is mounted from here on must not be seen outside; what is unmounted
	// outside must not be held here.
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount --make-rslave /: %w", err)
	}
	if err := names.put(); err != nil {
		return err
	}
	if v.NS != nil && !v.NS.home {
		if err := netns.Set(v.NS.handle); err != nil {
			return fmt.Errorf("entering the namespace: %w", err)
		}
		if err := mountSys(); err != nil {
			return err
		}
	}
	files, err := v.overlays()
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := bindFile(f.from, f.to); err != nil {
			return err
		}
	}
	return nil
}

// overlay is a file that lies over another one.
type overlay struct{ from, to string }

// overlays lists the files of the view that lie over those of /etc, one for each.
func (v View) overlays() ([]overlay, error) {
	var files []overlay
	var dirs []string
	if v.Name != "" {
		dirs = append(dirs, filepath.Join(NetNSEtc, v.Name))
	}
	if v.Etc != "" {
		dirs = append(dirs, v.Etc)
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			files = append(files, overlay{filepath.Join(dir, e.Name()), filepath.Join("/etc", e.Name())})
		}
	}
	if v.Hosts != "" {
		files = append(files, overlay{v.Hosts, "/etc/hosts"})
	}
	// Of several for one file the last one is seen.
	shown := files[:0]
	for i, f := range files {
		if !slices.ContainsFunc(files[i+1:], func(later overlay) bool { return later.to == f.to }) {
			shown = append(shown, f)
		}
	}
	return shown, nil
}

// shared is a mount that was taken up, to be put down elsewhere.
type shared int

// noMount is none.
const noMount shared = -1

// sharedNames takes up the directory of named namespaces, as long as it is shared with
// those outside: a namespace that a program in the view names (ip netns add) is to be
// seen by all. Linux 5.2 can do that (open_tree(2)).
func sharedNames() (shared, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, NetNSDir, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	switch {
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.ENOENT), errors.Is(err, unix.EINVAL), errors.Is(err, unix.EPERM):
		return noMount, nil // there is no such directory, or it cannot be done
	case err != nil:
		return noMount, fmt.Errorf("the directory %s: %w", NetNSDir, err)
	}
	return shared(fd), nil
}

// put puts the directory of named namespaces over the one that is there.
func (m shared) put() error {
	if m == noMount {
		return nil
	}
	err := unix.MoveMount(int(m), "", unix.AT_FDCWD, NetNSDir, unix.MOVE_MOUNT_F_EMPTY_PATH)
	if err != nil {
		err = fmt.Errorf("the directory %s: %w", NetNSDir, err)
	}
	return errors.Join(err, unix.Close(int(m)))
}

// mountSys puts the /sys of the thread's network namespace in place of the old
// one, with the old one's flags. Where the kernel forbids it to an ordinary
// user because parts of the machine's own /sys are hidden (a container), the
// old one stays.
func mountSys() error {
	var st unix.Statfs_t
	if err := unix.Statfs("/sys", &st); err != nil {
		return nil // no /sys on this machine
	}
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	if st.Flags&unix.ST_RDONLY != 0 {
		flags |= unix.MS_RDONLY
	}
	// In a user namespace the old one is locked in place and stays beneath.
	_ = unix.Unmount("/sys", unix.MNT_DETACH)
	err := unix.Mount("sysfs", "/sys", "sysfs", flags, "")
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EBUSY) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("mounting /sys: %w", err)
	}
	return nil
}

func bindFile(from, to string) error {
	err := unix.Mount(from, to, "none", unix.MS_BIND, "")
	if errors.Is(err, unix.ENOENT) {
		return nil // nothing there to lie over, as with `ip netns exec`
	}
	if err != nil {
		return &os.PathError{Op: "mount --bind " + from, Path: to, Err: err}
	}
	return nil
}

// enterRestricted is enter for a program, which is started under Landlock if all are.
func (v View) enterRestricted() error {
	if err := v.enter(); err != nil || !restrictPrograms {
		return err
	}
	return landlock()
}

// Start starts cmd inside the view. The caller waits for it as usual.
func Start(cmd *exec.Cmd, v View) error {
	done := make(chan error, 1)
	go func() {
		// This thread is never unlocked: it ends with the goroutine, and
		// with it go the namespaces that it was moved to.
		runtime.LockOSThread()
		if err := v.enterRestricted(); err != nil {
			done <- err
			return
		}
		done <- cmd.Start()
	}()
	return <-done
}

// Exec replaces this process by a program inside the view. It returns only when
// that cannot be done.
func Exec(path string, argv, env []string, dir string, v View) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := v.enterRestricted(); err != nil {
			done <- err
			return
		}
		if dir != "" {
			if err := unix.Chdir(dir); err != nil {
				done <- &os.PathError{Op: "chdir", Path: dir, Err: err}
				return
			}
		}
		done <- &os.PathError{Op: "exec", Path: path, Err: unix.Exec(path, argv, env)}
	}()
	return <-done
}
