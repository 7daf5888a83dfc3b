package kernel

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// MissingError says that the machine lacks a right, a program or a kernel
// feature, and what to do about it.
type MissingError struct {
	What   string // what is missing, as a sentence without a full stop
	Remedy string // the command or step that mends it; may be empty
	Err    error  // the kernel's reason, or nil
}

func (e *MissingError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.What, e.Err)
	}
	return e.What
}

// Hint returns the remedy.
func (e *MissingError) Hint() string { return e.Remedy }

func (e *MissingError) Unwrap() error { return e.Err }

// IsGone reports whether err says that the object named in a request does not
// exist (any more).
func IsGone(err error) bool {
	return errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) ||
		errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EADDRNOTAVAIL)
}
