package kernel

import (
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// drainTime is how long output is still read after a program has ended whose
	// children hold its output open.
	drainTime = 100 * time.Millisecond
	// lookTime is how often it is looked whether a program has ended, while its
	// output is open, where the kernel has no descriptors of processes (before 5.2).
	lookTime = 10 * time.Millisecond
)

// streams are the standard input and output of one program, served by the thread that
// waits for it: waking others would take longer than many programs do.
type streams struct {
	theirs [3]uintptr // until the program has been started
	ours   []stream
	pid    int
	pidfd  int       // -1 for none
	until  time.Time // how long to go on; zero while the program runs
}

// stream is this process's end of one.
type stream struct {
	fd     int
	events int16
	serve  func(fd int) error // io.EOF at its end
}

// noFile is no descriptor.
const noFile = ^uintptr(0)

// readSize is how much is read at once.
const readSize = 32 << 10

// streams makes the program's standard input and output. What is read goes through buf.
func (p *Program) streams(buf []byte) (*streams, error) {
	s := &streams{theirs: [3]uintptr{noFile, noFile, noFile}, ours: make([]stream, 0, 3), pidfd: -1}
	err := s.open(p, buf)
	if err != nil {
		s.close()
	}
	return s, err
}

func (s *streams) open(p *Program, buf []byte) error {
	if p.Input == nil {
		fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return &os.PathError{Op: "open", Path: os.DevNull, Err: err}
		}
		s.theirs[0] = uintptr(fd)
	} else if err := s.writing(p.Input); err != nil {
		return err
	}
	for i, to := range []io.Writer{p.Stdout, p.Stderr} {
		if err := s.reading(i+1, to, buf); err != nil {
			return err
		}
	}
	return nil
}

// writing has the program read an input.
func (s *streams) writing(input []byte) error {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return os.NewSyscallError("pipe2", err)
	}
	s.theirs[0] = uintptr(fds[0])
	s.ours = append(s.ours, stream{fd: fds[1], events: unix.POLLOUT, serve: func(fd int) error {
		n, err := unix.Write(fd, input)
		input = input[max(n, 0):]
		if len(input) == 0 || errors.Is(err, unix.EPIPE) {
			return io.EOF // it need not read all
		}
		return err
	}})
	// One that is slow to read must not keep others from being read.
	return unix.SetNonblock(fds[1], true)
}

// reading has what the program writes to a descriptor go to a writer.
func (s *streams) reading(n int, to io.Writer, buf []byte) error {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return os.NewSyscallError("pipe2", err)
	}
	s.theirs[n] = uintptr(fds[1])
	s.ours = append(s.ours, stream{fd: fds[0], events: unix.POLLIN, serve: func(fd int) error {
		n, err := unix.Read(fd, buf)
		if n > 0 {
			_, err = to.Write(buf[:n])
		} else if err == nil {
			err = io.EOF
		}
		return err
	}})
	return nil
}

// started closes what the program has now, and notes which one it is.
func (s *streams) started(pid, pidfd int) {
	s.pid, s.pidfd = pid, pidfd
	s.closeTheirs()
}

func (s *streams) closeTheirs() {
	for i, fd := range s.theirs {
		if fd != noFile {
			_ = unix.Close(int(fd))
			s.theirs[i] = noFile
		}
	}
}

// serve reads and writes until the program has closed its output and has read its
// input, or has ended and its children keep on using them.
func (s *streams) serve() error {
	for len(s.ours) > 0 {
		poll := s.poll()
		_, err := unix.Poll(poll, s.timeout())
		if err != nil && !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("poll", err)
		}
		if err == nil {
			s.answer(poll[:len(s.ours)])
		}
		switch {
		case !s.until.IsZero():
			if !time.Now().Before(s.until) {
				return nil
			}
		case s.hasEnded(poll):
			s.until = time.Now().Add(drainTime)
		}
	}
	return nil
}

func (s *streams) poll() []unix.PollFd {
	fds := make([]unix.PollFd, 0, 4)
	for _, o := range s.ours {
		fds = append(fds, unix.PollFd{Fd: int32(o.fd), Events: o.events})
	}
	if s.pidfd >= 0 && s.until.IsZero() {
		fds = append(fds, unix.PollFd{Fd: int32(s.pidfd), Events: unix.POLLIN})
	}
	return fds
}

// timeout is how long poll waits, in milliseconds; -1 is without end.
func (s *streams) timeout() int {
	switch {
	case !s.until.IsZero():
		return int(max(time.Until(s.until), 0).Milliseconds()) + 1
	case s.pidfd < 0:
		return int(lookTime.Milliseconds())
	}
	return -1
}

// answer serves the streams that are ready. One that cannot be served, for nobody takes
// what was read, is closed as one at its end is.
func (s *streams) answer(ready []unix.PollFd) {
	for i := len(ready) - 1; i >= 0; i-- {
		if ready[i].Revents == 0 {
			continue
		}
		err := s.ours[i].serve(s.ours[i].fd)
		if err == nil || errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			continue
		}
		_ = unix.Close(s.ours[i].fd)
		s.ours = slices.Delete(s.ours, i, i+1)
	}
}

// hasEnded reports whether the program has.
func (s *streams) hasEnded(polled []unix.PollFd) bool {
	if s.pidfd >= 0 {
		return polled[len(polled)-1].Revents != 0
	}
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, s.pid, &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
	return err == nil && info.Signo != 0
}

// close closes whatever is still open.
func (s *streams) close() {
	s.closeTheirs()
	for _, o := range s.ours {
		_ = unix.Close(o.fd)
	}
	if s.pidfd >= 0 {
		_ = unix.Close(s.pidfd)
	}
	s.ours, s.pidfd = nil, -1
}
