package kernel

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// SysctlReader reads many parameters of the namespace of the calling thread. It keeps
// the directories open: the kernel finds a name in /proc/sys among those of all
// namespaces, one after the other, so that whole paths take long where there are many.
type SysctlReader struct{ dirs map[string]int }

// Read returns a parameter. The error is fs.ErrNotExist where there is none of that
// name.
func (r *SysctlReader) Read(key string) (string, error) {
	path, err := SysctlPath(key)
	if err != nil {
		return "", err
	}
	dir, err := r.open(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	fd, err := unix.Openat(dir, filepath.Base(path), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	var text []byte
	for buf := make([]byte, 512); ; {
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return "", &os.PathError{Op: "read", Path: path, Err: err}
		}
		text = append(text, buf[:n]...)
		if n < len(buf) {
			return strings.TrimRight(string(text), "\n"), nil
		}
	}
}

// sysctlRoot is where the parameters of namespaces are.
const sysctlRoot = "/proc/sys/net"

// open returns the descriptor of a directory.
func (r *SysctlReader) open(dir string) (int, error) {
	if fd, ok := r.dirs[dir]; ok {
		return fd, nil
	}
	parent, name := unix.AT_FDCWD, dir
	if strings.HasPrefix(dir, sysctlRoot+"/") {
		up, err := r.open(filepath.Dir(dir))
		if err != nil {
			return 0, err
		}
		parent, name = up, filepath.Base(dir)
	}
	fd, err := unix.Openat(parent, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	if r.dirs == nil {
		r.dirs = map[string]int{}
	}
	r.dirs[dir] = fd
	return fd, nil
}

// Close closes the directories.
func (r *SysctlReader) Close() {
	for _, fd := range r.dirs {
		_ = unix.Close(fd)
	}
	r.dirs = nil
}
