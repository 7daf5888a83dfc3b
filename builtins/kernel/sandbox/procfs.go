//go:build linux

package sandbox

import (
	"errors"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ProcFS returns the root of a procfs that is mounted nowhere and that nothing else
// uses (fsmount(2), Linux 5.2); the caller closes it.
//
// The kernel gives one only to the root of the process namespace that it shows. In a
// user's sandbox, whose processes are in the machine's, a child in a namespace of its
// own gets it, and leaves it in the files that it shares with us.
func ProcFS() (int, error) {
	fd, err := ownProcFS()
	if errors.Is(err, unix.EPERM) {
		return childsProcFS()
	}
	return fd, err
}

func ownProcFS() (int, error) {
	fs, err := unix.Fsopen("proc", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer func() { _ = unix.Close(fs) }()
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
}

func childsProcFS() (int, error) {
	place, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	name, err := syscall.BytePtrFromString("proc")
	if err == nil {
		err = awaitProcFS(name, place)
	}
	if err != nil {
		_ = unix.Close(place)
		return -1, err
	}
	return place, nil
}

// awaitProcFS has a child put the procfs at place, an open file.
func awaitProcFS(name *byte, place int) error {
	syscall.ForkLock.Lock()
	pid, errno := forkProcFS(name, uintptr(place))
	syscall.ForkLock.Unlock()
	runtime.KeepAlive(name)
	if errno != 0 {
		return errno
	}
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(int(pid), &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case !status.Exited():
			return unix.EINTR
		case status.ExitStatus() != 0:
			return unix.Errno(status.ExitStatus())
		}
		return nil
	}
}

// forkProcFS forks as forkChild does, by whose rules the child lives. Its exit status
// is the error number.
//
//go:noinline
//go:norace
//go:nocheckptr
func forkProcFS(name *byte, place uintptr) (pid uintptr, errno syscall.Errno) {
	var fs, root uintptr
	beforeFork()
	pid, _, errno = syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD)|unix.CLONE_NEWPID|unix.CLONE_FILES, 0, 0, 0, 0, 0)
	if errno != 0 || pid != 0 {
		afterFork()
		return pid, errno
	}
	afterForkInChild()
	fs, _, errno = syscall.RawSyscall(unix.SYS_FSOPEN, uintptr(unsafe.Pointer(name)), unix.FSOPEN_CLOEXEC, 0)
	if errno != 0 {
		goto out
	}
	_, _, errno = syscall.RawSyscall6(unix.SYS_FSCONFIG, fs, unix.FSCONFIG_CMD_CREATE, 0, 0, 0, 0)
	if errno == 0 {
		root, _, errno = syscall.RawSyscall(unix.SYS_FSMOUNT, fs, unix.FSMOUNT_CLOEXEC, 0)
	}
	if errno == 0 {
		_, _, errno = syscall.RawSyscall(unix.SYS_DUP3, root, place, unix.O_CLOEXEC)
		syscall.RawSyscall(syscall.SYS_CLOSE, root, 0, 0)
	}
	syscall.RawSyscall(syscall.SYS_CLOSE, fs, 0, 0)
out:
	for {
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, uintptr(errno), 0, 0)
	}
}
