package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"nsscript/builtins/near"

	"golang.org/x/sys/unix"
)

// Sysctl is a kernel parameter of a network namespace and a value for it.
type Sysctl struct {
	Key   string `json:"key"` // net.ipv4.ip_forward, or net/ipv4/conf/eth0.5/rp_filter
	Value string `json:"value"`
}

// SysctlPath checks a key and returns its file under /proc/sys. As in
// sysctl(8), the first of '.' and '/' that occurs separates the parts, and the
// other one then stands for itself (an interface may be called eth0.5).
func SysctlPath(key string) (string, error) {
	k := key
	if i := strings.IndexAny(k, "./"); i >= 0 && k[i] == '.' {
		k = strings.NewReplacer(".", "/", "/", ".").Replace(k)
	}
	for _, part := range strings.Split(k, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "\x00\n") {
			return "", fmt.Errorf("%q is no sysctl key", key)
		}
	}
	if !strings.HasPrefix(k, "net/") {
		return "", fmt.Errorf("%q does not belong to a network namespace: only net.* keys do", key)
	}
	return filepath.Join("/proc/sys", k), nil
}

// Read returns the value in the namespace of the calling thread.
func (s Sysctl) Read() (string, error) {
	path, err := SysctlPath(s.Key)
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", sysctlError(s.Key, err)
	}
	return strings.TrimRight(string(b), "\n"), nil
}

// Write sets the value in the namespace of the calling thread.
func (s Sysctl) Write() error { return s.writeAt(0) }

// writeAt is Write by way of the procfs of that descriptor, 0 for the one at /proc.
func (s Sysctl) writeAt(proc int) error {
	path, err := SysctlPath(s.Key)
	if err != nil {
		return err
	}
	at := unix.AT_FDCWD
	if proc > 0 {
		at, path = proc, strings.TrimPrefix(path, "/proc/")
	}
	// Without the os package, which would hand the file to the runtime's poller.
	fd, err := unix.Openat(at, path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return sysctlError(s.Key, err)
	}
	_, err = unix.Write(fd, []byte(s.Value+"\n"))
	if cerr := unix.Close(fd); err == nil {
		err = cerr
	}
	if err != nil { // the key is there: it was opened
		return &SysctlValueError{Sysctl: s, Err: err}
	}
	return nil
}

func sysctlError(key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &NoSysctlError{Key: key, Near: sysctlNear(key)}
	}
	if errors.Is(err, unix.EISDIR) {
		return fmt.Errorf("sysctl %s stands for many: name one of them", key)
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("sysctl %s belongs to the machine, not to a namespace, and cannot be set here", key)
	}
	var pe *os.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("sysctl %s: %w", key, err)
}

// SysctlValueError is the error of a value that the kernel does not take.
type SysctlValueError struct {
	Sysctl
	Err error
}

func (e *SysctlValueError) Error() string {
	return fmt.Sprintf("sysctl %s: the kernel does not accept the value %q", e.Key, e.Value)
}
func (e *SysctlValueError) Unwrap() error { return e.Err }

// NoSysctlError is the error of a key that a namespace does not have.
type NoSysctlError struct {
	Key  string
	Near string // the key that may be meant, "" for none
}

func (e *NoSysctlError) Error() string { return fmt.Sprintf("no sysctl %q in this namespace", e.Key) }
func (e *NoSysctlError) Unwrap() error { return fs.ErrNotExist }

// sysctlNear returns the key of the calling thread's namespace that differs from
// one which it does not have in one part, written nearly right.
func sysctlNear(key string) string {
	path, err := SysctlPath(key)
	if err != nil {
		return ""
	}
	dir, rest := path, ""
	for {
		parent, part := filepath.Split(strings.TrimSuffix(dir, "/"))
		entries, err := os.ReadDir(parent)
		if err != nil {
			dir, rest = parent, "/"+part+rest
			continue // up to /proc/sys, which is there, or to /, which is
		}
		names := make([]string, len(entries))
		for i, e := range entries {
			names[i] = e.Name()
		}
		best := near.Name(names, part)
		if _, err := os.Stat(filepath.Join(parent, best) + rest); best == "" || err != nil {
			return ""
		}
		found := strings.TrimPrefix(filepath.Join(parent, best)+rest, "/proc/sys/")
		if i := strings.IndexAny(key, "./"); i >= 0 && key[i] == '.' {
			found = strings.NewReplacer(".", "/", "/", ".").Replace(found)
		}
		return found
	}
}

// WriteSysctl sets a parameter of the namespace.
func (n *NetNS) WriteSysctl(s Sysctl) error { return n.Do(s.Write) }
