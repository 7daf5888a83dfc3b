//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Missing is the error for what this machine lacks or does not allow.
type Missing struct {
	What   string // what that is, a sentence without a full stop
	Remedy string // how to get it, for a person; may have several lines
	Err    error  // what the kernel said
}

func (e *Missing) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.What, e.Err)
	}
	return e.What
}

// Hint returns the remedy.
func (e *Missing) Hint() string { return e.Remedy }

// Unwrap returns what the kernel said.
func (e *Missing) Unwrap() error { return e.Err }

// refused finds out why the kernel refused a step of making a sandbox.
func (m machine) refused(step string, err error, user bool) error {
	plain := fmt.Errorf("%s: %w", step, err)
	missing := func(what, remedy string) error {
		return &Missing{What: what, Remedy: remedy, Err: plain}
	}
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return plain
	}
	switch errno {
	case unix.ENOSPC, unix.EUSERS:
		return m.exhausted(plain, user)
	case unix.EINVAL, unix.ENOSYS:
		return m.unbuilt(plain, user)
	case unix.EROFS:
		return missing("/proc/sys is read-only here", containerRemedy)
	case unix.EPERM, unix.EACCES:
	default:
		return plain
	}

	switch {
	case !user:
		return missing("the right to make namespaces (CAP_SYS_ADMIN) is missing", containerRemedy)
	case m.sysctl("kernel.unprivileged_userns_clone") == "0":
		return missing("only root may make user namespaces on this machine (kernel.unprivileged_userns_clone is 0)",
			"sudo sysctl -w kernel.unprivileged_userns_clone=1")
	case m.jailed():
		return missing("the kernel makes no user namespaces in a changed root directory (chroot)",
			"run it outside of the chroot")
	case m.filtered() && step == bearing:
		return missing("this container's seccomp filter forbids user namespaces", containerRemedy)
	case m.sysctl(apparmorKey) == "1":
		return missing("AppArmor lets only programs with a profile use user namespaces ("+apparmorKey+" is 1)", apparmorRemedy())
	case m.filtered():
		return missing("this container's seccomp filter or security module forbids what a sandbox needs", containerRemedy)
	}
	return missing("a security module or the container this runs in forbids user namespaces", containerRemedy)
}

// bearing is the step at which the namespaces are made.
const bearing = "making the namespaces of the sandbox"

const containerRemedy = "in a container, start it with more rights: docker run --privileged (or --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined --cap-add SYS_ADMIN)"

// exhausted is the answer when a namespace would be one too many.
func (m machine) exhausted(err error, user bool) error {
	for _, kind := range []struct{ key, name string }{
		{"user.max_user_namespaces", "user"}, {"user.max_mnt_namespaces", "mount"}, {"user.max_net_namespaces", "network"},
	} {
		if kind.name == "user" && !user {
			continue
		}
		if m.sysctl(kind.key) == "0" {
			return &Missing{
				What:   fmt.Sprintf("this machine allows no %s namespaces (%s is 0)", kind.name, kind.key),
				Remedy: fmt.Sprintf("sudo sysctl -w %s=15000", kind.key),
				Err:    err,
			}
		}
	}
	key := "user.max_net_namespaces"
	if user {
		key = "user.max_user_namespaces"
	}
	return &Missing{
		What: fmt.Sprintf("there are as many namespaces as this machine allows (%s is %s)", key, m.sysctl(key)),
		Remedy: "take labs down that are no longer needed (nsscript down --all), or allow more: " +
			"sudo sysctl -w user.max_user_namespaces=15000 user.max_mnt_namespaces=15000 user.max_net_namespaces=15000",
		Err: err,
	}
}

// unbuilt is the answer when the kernel does not know what was asked of it.
func (m machine) unbuilt(err error, user bool) error {
	for _, kind := range []struct {
		file, option string
		needed       bool
	}{
		{"self/ns/user", "CONFIG_USER_NS", user}, {"self/ns/net", "CONFIG_NET_NS", true}, {"self/ns/mnt", "CONFIG_NAMESPACES", true},
	} {
		if kind.needed && !m.has(kind.file) {
			return &Missing{
				What:   "this kernel was built without " + kind.option,
				Remedy: "boot a kernel with " + kind.option + "=y",
				Err:    err,
			}
		}
	}
	return err
}

// concealed words an error of reading the keeper's files in /proc: the keeper is
// there, so it must be /proc that does not show it.
func (m machine) concealed(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return &Missing{
			What:   m.proc + " hides processes of this user (a mount option such as hidepid or subset)",
			Remedy: "sudo mount -o remount,hidepid=0 /proc",
			Err:    err,
		}
	}
	return err
}

const apparmorKey = "kernel.apparmor_restrict_unprivileged_userns"

// apparmorRemedy gives the two ways out, the second with this program's own path.
func apparmorRemedy() string {
	path, err := os.Executable()
	if err != nil {
		path = "/usr/local/bin/nsscript"
	}
	var text strings.Builder
	fmt.Fprintf(&text, "either allow it to all programs: sudo sysctl -w %s=0\n", apparmorKey)
	fmt.Fprintf(&text, "or to this one: write to /etc/apparmor.d/nsscript\n\n%s\n", apparmorProfile(path))
	text.WriteString("and load it: sudo apparmor_parser -r /etc/apparmor.d/nsscript")
	return text.String()
}

// apparmorProfile is the profile that lets the program at path, and it alone, use user
// namespaces.
func apparmorProfile(path string) string {
	return fmt.Sprintf(`abi <abi/4.0>,
include <tunables/global>

profile nsscript %q flags=(unconfined) {
  userns,
  include if exists <local/nsscript>
}
`, path)
}
