package probe

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// PortError says why a server cannot have a port.
type PortError struct {
	Proto string // tcp or udp
	Port  int
	Err   error // the errno, or nil if there is no such port
}

// Error says it for a person.
func (e *PortError) Error() string {
	switch {
	case e.Err == nil:
		return fmt.Sprintf("there is no %s port %d: 1 to 65535 are possible", e.Proto, e.Port)
	case errors.Is(e.Err, unix.EADDRINUSE):
		return fmt.Sprintf("%s port %d is taken: another socket has it", e.Proto, e.Port)
	case errors.Is(e.Err, unix.EACCES), errors.Is(e.Err, unix.EPERM):
		return fmt.Sprintf("no right to use %s port %d (CAP_NET_BIND_SERVICE): %v", e.Proto, e.Port, e.Err)
	}
	return fmt.Sprintf("%s port %d: %v", e.Proto, e.Port, e.Err)
}

// Unwrap returns the errno, if there is one.
func (e *PortError) Unwrap() error { return e.Err }
