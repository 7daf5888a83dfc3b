package kernel

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// procNet reads a file of /proc/net of the calling thread's namespace. A trace reads some
// of each of a thousand namespaces: the os package would read each in small parts, which the
// kernel makes anew each time, and offer it to the runtime's poller.
func procNet(name string) (string, error) {
	path := "/proc/thread-self/net/" + name
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	var text []byte
	for buf := make([]byte, 8<<10); ; {
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return "", &os.PathError{Op: "read", Path: path, Err: err}
		case n == 0:
			return string(text), nil
		default:
			text = append(text, buf[:n]...)
		}
	}
}
