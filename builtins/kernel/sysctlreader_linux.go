package kernel

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

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
