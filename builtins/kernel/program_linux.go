package kernel

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// run starts the program on this thread, and waits for its end.
func (p *Program) run(ctx context.Context, buf []byte) (syscall.WaitStatus, error) {
	s, err := p.streams(buf)
	if err != nil {
		return 0, err
	}
	defer s.close()
	pidfd := -1
	pid, _, err := syscall.StartProcess(p.Path, p.Args, &syscall.ProcAttr{
		Dir: p.Dir, Env: p.Env, Files: s.theirs[:],
		// A group of its own, so that all of it can be ended.
		Sys: &syscall.SysProcAttr{Setpgid: true, PidFD: &pidfd},
	})
	if err != nil {
		return 0, &os.PathError{Op: "fork/exec", Path: p.Path, Err: err}
	}
	s.started(pid, pidfd)
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		endGroup(pid)
	})
	serr := s.serve()
	s.close() // what writes to nobody is not to wait for us
	// Until it is waited for, the number is its own.
	err = retryEINTR(func() error { return unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) })
	if !stop() {
		<-ended
	}
	var status unix.WaitStatus
	if werr := retryEINTR(func() error { _, err := unix.Wait4(pid, &status, 0, nil); return err }); werr != nil {
		err = werr
	}
	return syscall.WaitStatus(status), errors.Join(serr, err)
}

func retryEINTR(fn func() error) error {
	for {
		if err := fn(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// endGroup ends a process and its group: SIGTERM, and SIGKILL for what is left.
func endGroup(pid int) {
	if unix.Kill(-pid, unix.SIGTERM) != nil {
		return
	}
	time.AfterFunc(time.Second, func() { _ = unix.Kill(-pid, unix.SIGKILL) })
	for range 40 {
		time.Sleep(5 * time.Millisecond)
		if start, err := StartTime(pid); start == 0 || err != nil {
			return
		}
	}
	_ = unix.Kill(-pid, unix.SIGKILL)
}
