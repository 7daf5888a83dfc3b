//go:build linux

// Package fault stops a program at its system calls, for tests that end it or
// let a call fail at every place where it changes something.
//
// It rests on seccomp's user notification (seccomp_unotify(2)): the kernel asks
// this process about each call of the program and of all that it starts, and
// does or refuses it as it is told. It knows nothing of the program, which is
// the one that is shipped.
package fault

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Decide is asked about one call. It returns 0 to let it be done, or the error
// that it is to fail with. Calls are asked about one after the other.
type Decide func(*Call) unix.Errno

// The structures and requests of linux/seccomp.h.
type (
	notification struct {
		ID    uint64
		PID   uint32
		Flags uint32
		NR    int32
		Arch  uint32
		IP    uint64
		Args  [6]uint64
	}
	response struct {
		ID    uint64
		Val   int64
		Error int32
		Flags uint32
	}
)

const (
	notifRecv  = 0xc0502100 // SECCOMP_IOCTL_NOTIF_RECV
	notifSend  = 0xc0182101 // SECCOMP_IOCTL_NOTIF_SEND
	letItBe    = 1          // SECCOMP_USER_NOTIF_FLAG_CONTINUE
	offsetOfNR = 0          // of struct seccomp_data
)

// launchEnv tells a process which program it is to become, launchUser as which
// user.
const (
	launchEnv  = "FAULT_LAUNCH"
	launchUser = "FAULT_UID"
)

// Main must be called first by every program that calls Start: in a process
// started by Start it does not return.
func Main() {
	program := os.Getenv(launchEnv)
	if program == "" {
		return
	}
	// The filter is put on this thread only, and the program inherits it.
	runtime.LockOSThread()
	if err := launch(program); err != nil {
		fmt.Fprintln(os.Stderr, "fault:", err)
		os.Exit(1)
	}
}

func launch(program string) error {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, launchEnv+"=") || strings.HasPrefix(v, launchUser+"=")
	})
	uid, err := strconv.Atoi(os.Getenv(launchUser))
	if err != nil {
		return err
	}
	if err := install(); err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	if uid != 0 {
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(uid), syscall.Setuid(uid)); err != nil {
			return err
		}
	}
	return syscall.Exec(program, os.Args, env)
}

// Start starts cmd, as the user of that id, with all its [watched] calls asked
// about, also those of the processes that it starts. done is closed when the
// last of them has ended. It needs CAP_SYS_ADMIN and CAP_SYS_PTRACE.
func Start(cmd *exec.Cmd, uid int, decide Decide) (done <-chan struct{}, err error) {
	// Not by this process itself: were one of its threads to wait for an answer
	// within a fork, Go could not go on to give it.
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(slices.Clip(cmd.Env), launchEnv+"="+cmd.Path, fmt.Sprintf("%s=%d", launchUser, uid))
	cmd.Path = "/proc/self/exe"
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	listener, err := fetch(cmd.Process.Pid)
	if err != nil {
		return nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		answer(listener, decide)
		_ = unix.Close(listener)
	}()
	return ended, nil
}

// fetch takes a copy of a process' listener, as soon as it has one. The process
// could not hand it over: its calls are waiting for an answer by then.
func fetch(pid int) (listener int, err error) {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Close(pidfd) }()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	for range 5000 {
		fds, err := os.ReadDir(dir)
		if err != nil {
			return 0, err
		}
		for _, fd := range fds {
			if name, err := os.Readlink(dir + "/" + fd.Name()); err != nil || name != "anon_inode:seccomp notify" {
				continue
			}
			n, err := strconv.Atoi(fd.Name())
			if err != nil {
				return 0, err
			}
			return unix.PidfdGetfd(pidfd, n, 0)
		}
		time.Sleep(time.Millisecond)
	}
	return 0, fmt.Errorf("process %d has no listener", pid)
}

// install puts the filter on the calling thread. Its listener goes with exec.
func install() error {
	prog := []bpf.Instruction{bpf.LoadAbsolute{Off: offsetOfNR, Size: 4}}
	for i, c := range watched {
		prog = append(prog, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(c.nr), SkipTrue: uint8(len(watched) - i)})
	}
	prog = append(prog,
		bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW},
		bpf.RetConstant{Val: unix.SECCOMP_RET_USER_NOTIF})
	raw, err := bpf.Assemble(prog)
	if err != nil {
		return err
	}
	filter := unix.SockFprog{Len: uint16(len(raw)), Filter: (*unix.SockFilter)(unsafe.Pointer(&raw[0]))}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&filter)))
	runtime.KeepAlive(raw)
	if errno != 0 {
		return errno
	}
	return nil
}

// answer answers until no watched process is left.
func answer(listener int, decide Decide) {
	poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(poll, -1); err != nil && !errors.Is(err, unix.EINTR) {
			panic(err)
		}
		switch {
		case poll[0].Revents&unix.POLLIN != 0:
		case poll[0].Revents != 0:
			return
		default:
			continue
		}
		var n notification
		if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), notifRecv, uintptr(unsafe.Pointer(&n))); e != 0 {
			continue // the process was ended meanwhile
		}
		r := response{ID: n.ID, Flags: letItBe}
		if errno := decide(newCall(&n)); errno != 0 {
			r.Flags, r.Error = 0, -int32(errno)
		}
		// It fails when the process has been ended.
		_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(listener), notifSend, uintptr(unsafe.Pointer(&r)))
	}
}
