//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Command is a program to be run in a sandbox.
type Command struct {
	Path string   // the program; if empty, Args[0] looked up in the PATH of Env
	Args []string // its arguments, its own name first
	Env  []string // its environment; nil for the caller's
	Dir  string   // its working directory; if empty the caller's where that exists inside, else /

	Stdin, Stdout, Stderr *os.File   // nil for the caller's
	Files                 []*os.File // handed on as 3, 4 …

	Session bool // in a session of its own, without the caller's terminal and out of reach of its Ctrl-C
}

// Start starts the command inside the sandbox. It is in the caller's process group
// unless it is to have a session of its own. The caller must Wait for it.
func (s *Sandbox) Start(cmd Command) (*Process, error) {
	if len(cmd.Args) == 0 {
		return nil, errors.New("sandbox: a command without arguments")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrGone
	}
	if alive, err := thisMachine().lives(s.id); err != nil {
		return nil, err
	} else if !alive {
		return nil, ErrGone
	}
	plan, err := s.planFor(cmd)
	if err != nil {
		return nil, err
	}
	c, err := fork(plan)
	if err != nil {
		return nil, fmt.Errorf("starting %q: %w", cmd.Args[0], err)
	}
	if err := c.started(); err != nil {
		c.end()
		return nil, startError(cmd, err)
	}
	return &Process{c.process}, nil
}

// startError words why a command did not become a program.
func startError(cmd Command, err error) error {
	var b *birthError
	if !errors.As(err, &b) {
		return fmt.Errorf("starting %q: %w", cmd.Args[0], err)
	}
	program := cmd.Path
	if program == "" {
		program = cmd.Args[0]
	}
	switch {
	case b.step == stepExec && b.errno == unix.ENOENT && !strings.Contains(program, "/"):
		return fmt.Errorf("no program %q in PATH: %w", program, b.errno)
	case b.step == stepExec:
		return &os.PathError{Op: "exec", Path: program, Err: b.errno}
	case b.step == stepDir:
		return &os.PathError{Op: "chdir", Path: cmd.Dir, Err: b.errno}
	}
	return fmt.Errorf("starting %q: %w: %w", cmd.Args[0], b, b.errno)
}

func (s *Sandbox) planFor(cmd Command) (birthPlan, error) {
	plan := birthPlan{
		join:    &s.spaces,
		session: cmd.Session,
		argv:    cmd.Args,
		envv:    cmd.Env,
		dirs:    []string{cmd.Dir},
		nofile:  nofileLimit(),
		files:   append([]*os.File{cmd.Stdin, cmd.Stdout, cmd.Stderr}, cmd.Files...),
	}
	for i, own := range []*os.File{os.Stdin, os.Stdout, os.Stderr} {
		if plan.files[i] == nil {
			plan.files[i] = own
		}
	}
	if plan.envv == nil {
		plan.envv = os.Environ()
	}
	if cmd.Dir == "" {
		plan.dirs = []string{"/"}
		if dir, err := os.Getwd(); err == nil {
			plan.dirs = []string{dir, "/"}
		}
	}
	plan.paths = candidates(cmd, plan.envv)
	if s.spaces.user == nil {
		return plan, nil
	}
	// The kernel lets nobody enter the user namespace he is in.
	ours, err := os.Readlink("/proc/self/ns/user")
	if err != nil {
		return plan, err
	}
	plan.skipUser = ours == nsLink("user", s.id.UserNS)
	if owner, err := unix.IoctlGetUint32(int(s.spaces.user.Fd()), unix.NS_GET_OWNER_UID); err == nil {
		plan.foreign = int(owner) != os.Geteuid()
	}
	return plan, nil
}

// candidates returns the paths at which the program may be. Which of them exists is
// seen only from inside.
func candidates(cmd Command, env []string) []string {
	program := cmd.Path
	if program == "" {
		program = cmd.Args[0]
	}
	if strings.Contains(program, "/") {
		return []string{program}
	}
	path := ""
	for _, entry := range env {
		if value, found := strings.CutPrefix(entry, "PATH="); found {
			path = value
		}
	}
	var paths []string
	for _, dir := range filepath.SplitList(path) {
		if filepath.IsAbs(dir) && program != "" {
			paths = append(paths, filepath.Join(dir, program))
		}
	}
	return paths
}

// nofileLimit returns the limit of open files that a command is to have, or nil to
// leave it. Go raises its own to one below the highest; programs that count to the
// limit would suffer. The caller's parent tells what it was, else it is the usual.
func nofileLimit() *unix.Rlimit {
	var own, parent unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &own) != nil || own.Cur != own.Max-1 {
		return nil
	}
	err := unix.Prlimit(os.Getppid(), unix.RLIMIT_NOFILE, nil, &parent)
	if err == nil && parent.Max == own.Max && parent.Cur < own.Cur {
		return &parent
	}
	return &unix.Rlimit{Cur: min(1024, own.Cur), Max: own.Max}
}

// A Process is a command that was started in a sandbox.
type Process struct {
	process *os.Process
}

// A Status is how a process ended.
type Status struct {
	Code   int            // its exit status, if no signal ended it
	Signal syscall.Signal // the signal that ended it, or 0
}

// String says how the process ended, in words.
func (s Status) String() string {
	if s.Signal != 0 {
		return "signal: " + s.Signal.String()
	}
	return fmt.Sprintf("exit status %d", s.Code)
}

// PID returns the process's id, as seen outside and inside.
func (p *Process) PID() int { return p.process.Pid }

// Signal sends the process a signal. The error is os.ErrProcessDone when it has
// ended and was waited for.
func (p *Process) Signal(sig syscall.Signal) error { return p.process.Signal(sig) }

// Wait waits for the process to end. It must be called once.
func (p *Process) Wait() (Status, error) {
	state, err := p.process.Wait()
	if err != nil {
		return Status{}, err
	}
	ws := state.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return Status{Signal: ws.Signal()}, nil
	}
	return Status{Code: ws.ExitStatus()}, nil
}
