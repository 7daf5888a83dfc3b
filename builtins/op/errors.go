package op

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Error is what went wrong with an operation, worded for a person.
type Error struct {
	Msg  string // one sentence, lower case, names in quotes as the user wrote them
	Tip  string // what to do about it, or ""
	Err  error  // the kernel's reason, or nil
	Mute bool   // Msg says all; do not append the kernel's reason
	// Untouched says that the operation has changed nothing: what it was to make
	// is there already, and was not made by it.
	Untouched bool
}

func (e *Error) Error() string {
	if e.Err == nil || e.Mute {
		return e.Msg
	}
	return e.Msg + ": " + Reason(e.Err)
}

// Hint returns what to do about the error.
func (e *Error) Hint() string {
	if e.Tip != "" || e.Err == nil {
		return e.Tip
	}
	if errors.Is(e.Err, unix.EPERM) {
		return "this needs the right to change networks: run as root, or without root in a sandbox"
	}
	return ""
}

func (e *Error) Unwrap() error { return e.Err }

// failed words an error that only the kernel can explain.
func failed(err error, format string, args ...any) error {
	return &Error{Msg: fmt.Sprintf(format, args...), Err: err}
}

// Reason words the kernel's reason: the errno's text and name, and the extended
// acknowledgement where there is one.
func Reason(err error) string {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	text := errno.Error()
	if name := unix.ErrnoName(errno); name != "" {
		text += " (" + name + ")"
	}
	// netlink appends the extended acknowledgement to the errno's text.
	if _, more, ok := strings.Cut(err.Error(), errno.Error()); ok {
		if more = strings.Trim(more, ": \x00"); more != "" {
			text += ": " + strings.TrimSuffix(more, ".")
		}
	}
	return text
}
