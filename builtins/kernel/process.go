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
	"strings"
	"syscall"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// View is what a program run inside a namespace sees of the file system beside
// the machine's own, in a mount namespace of its own (ip-netns(8), "exec").
type View struct {
	NS    *NetNS
	Name  string // files of /etc/netns/NAME lie over those of /etc; "" for none
	Etc   string // a directory whose files lie over those of /etc; "" for none
	Hosts string // a file that lies over /etc/hosts; "" for none
}

// Start starts cmd inside the view. The caller waits for it as usual.
func Start(cmd *exec.Cmd, v View) error {
	done := make(chan error, 1)
	go func() {
		// This thread is never unlocked: it ends with the goroutine, and
		// with it go the namespaces that it was moved to.
		runtime.LockOSThread()
		if err := v.enter(); err != nil {
			done <- err
			return
		}
		if restrictPrograms {
			if err := landlock(); err != nil {
				done <- err
				return
			}
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
		if err := v.enter(); err != nil {
			done <- err
			return
		}
		if restrictPrograms {
			if err := landlock(); err != nil {
				done <- err
				return
			}
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

// enter moves the calling thread, which must be locked and must not be used for
// anything else afterwards, to a new mount namespace and to the view's network
// namespace.
func (v View) enter() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("a mount namespace for the program: %w", err)
	}
	// What is mounted from here on must not be seen outside; what is unmounted
	// outside must not be held here.
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount --make-rslave /: %w", err)
	}
	if v.NS != nil && !v.NS.home {
		if err := netns.Set(v.NS.handle); err != nil {
			return fmt.Errorf("entering the namespace: %w", err)
		}
		if err := mountSys(); err != nil {
			return err
		}
	}
	if v.Name != "" {
		if err := bindEtc(filepath.Join(NetNSEtc, v.Name)); err != nil {
			return err
		}
	}
	if v.Etc != "" {
		if err := bindEtc(v.Etc); err != nil {
			return err
		}
	}
	if v.Hosts != "" {
		if err := bindFile(v.Hosts, "/etc/hosts"); err != nil {
			return err
		}
	}
	return nil
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

// NetNSEtc is where the files lie that `ip netns exec NAME` shows over /etc.
const NetNSEtc = "/etc/netns"

// bindEtc shows the files of a directory over those of /etc.
func bindEtc(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	for _, e := range entries {
		if err := bindFile(filepath.Join(dir, e.Name()), filepath.Join("/etc", e.Name())); err != nil {
			return err
		}
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

// adminDirs hold programs such as ip and iptables on distributions that keep
// them from an ordinary user's PATH.
var adminDirs = []string{"/usr/local/sbin", "/usr/sbin", "/sbin"}

// AdminPath returns path, a list as in $PATH, with the directories of
// administrators' programs at its end where they are not in it: whoever works
// in a namespace is its administrator.
func AdminPath(path string) string {
	if path == "" {
		path = "/usr/local/bin:/usr/bin:/bin"
	}
	have := map[string]bool{}
	for _, d := range filepath.SplitList(path) {
		have[d] = true
	}
	for _, d := range adminDirs {
		if !have[d] {
			path += string(filepath.ListSeparator) + d
		}
	}
	return path
}

// LookPath finds a program in path, a list as in $PATH; a name with a slash is
// looked for from dir. The error is fs.ErrNotExist or fs.ErrPermission.
func LookPath(name, path, dir string) (string, error) {
	if strings.Contains(name, "/") {
		at := name
		if !filepath.IsAbs(name) && dir != "" {
			at = filepath.Join(dir, name)
		}
		if err := executable(at); err != nil {
			return "", err
		}
		return filepath.Abs(at)
	}
	err := fs.ErrNotExist
	for _, d := range filepath.SplitList(path) {
		if d == "" {
			d = "."
		}
		at := filepath.Join(d, name)
		e := executable(at)
		if e == nil {
			return filepath.Abs(at)
		}
		// Found, but not to be run; a directory that may not be searched is
		// passed over, as shells do.
		if errors.Is(e, fs.ErrPermission) && exists(at) {
			err = e
		}
	}
	return "", err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func executable(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.IsDir() {
		return &os.PathError{Op: "exec", Path: path, Err: syscall.EISDIR}
	}
	return unix.Access(path, unix.X_OK)
}

// Programs lists the names of the programs that are found by name, sorted.
func Programs() []string {
	var names []string
	for _, dir := range filepath.SplitList(AdminPath(os.Getenv("PATH"))) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // most paths name a directory or two that are not there
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
