//go:build linux

package sandbox

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A birthPlan says what a new process is to become. The program is the first of
// paths that exists; the working directory the first of dirs that does.
type birthPlan struct {
	flags   uintptr // namespaces to make (CLONE_NEW…)
	session bool    // make a new session
	hold    bool    // wait for a byte of the parent's (child.control) first

	join     *spaces // namespaces to enter
	foreign  bool    // the caller is not the user that is root in them
	nofile   *unix.Rlimit
	files    []*os.File // the new process's files 0, 1, 2 …; then, with hold, its end of the pipe
	dirs     []string
	paths    []string
	argv     []string
	envv     []string
	skipUser bool // the caller is in the user namespace of join already
}

// The steps of a new process, by which it says what it could not do.
const (
	stepNone = iota
	stepSession
	stepHold
	stepUser
	stepMount
	stepNet
	stepIPC
	stepPID
	stepIDs
	stepDir
	stepLimit
	stepFiles
	stepExec
	stepBorn // no failure: the process is another one, of the id that follows
	stepLost // the same, but it was killed, because this could not be told at once
)

func stepText(step uint32) string {
	switch step {
	case stepSession:
		return "making a session"
	case stepHold:
		return "waiting for the starter"
	case stepUser:
		return "entering the user namespace"
	case stepMount:
		return "entering the mount namespace"
	case stepNet:
		return "entering the network namespace"
	case stepIPC:
		return "entering the IPC namespace"
	case stepPID:
		return "entering the process namespace"
	case stepIDs:
		return "becoming root of the user namespace"
	case stepDir:
		return "changing the working directory"
	case stepLimit:
		return "setting the limit of open files"
	case stepFiles:
		return "handing on open files"
	}
	return "running the program"
}

// A birthError says at which step a new process ended before it became a program.
type birthError struct {
	step  uint32
	errno syscall.Errno
}

func (e *birthError) Error() string { return stepText(e.step) }
func (e *birthError) Unwrap() error { return e.errno }

// A child is a process that was forked and may not have become its program yet.
type child struct {
	process *os.Process
	fate    *os.File // ends when the child becomes its program, carries a birthError before
	control *os.File // what a child on hold reads from
	unborn  bool     // process is not the one yet that becomes the program
}

// started waits until the child has become its program or has failed to.
func (c *child) started() error {
	defer c.fate.Close()
	var failed error // that the new process told before its parent told of it
	for {
		var msg [8]byte
		n, err := io.ReadFull(c.fate, msg[:])
		switch {
		case n == len(msg):
			step, value := binary.NativeEndian.Uint32(msg[:]), binary.NativeEndian.Uint32(msg[4:])
			switch step {
			case stepBorn, stepLost:
				if err := c.replace(int(value)); err != nil {
					return err
				}
				if step == stepLost {
					failed = &birthError{stepPID, unix.EPIPE}
				}
			default:
				failed = &birthError{step, syscall.Errno(value)}
			}
			if failed != nil && !c.unborn {
				return failed
			}
			continue
		case errors.Is(err, io.EOF) && c.unborn && failed == nil:
			return &birthError{stepPID, unix.EPIPE}
		case errors.Is(err, io.EOF):
			return failed
		}
		return err
	}
}

// replace puts a process in the place of the child that made it, a child of ours
// as well.
func (c *child) replace(pid int) error {
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	_, err = c.process.Wait()
	c.process, c.unborn = process, false
	return err
}

// end kills the child and waits for it.
func (c *child) end() {
	_ = c.process.Kill()
	_, _ = c.process.Wait()
	c.fate.Close()
}

// fork makes the process that plan describes. It returns at once; child.started
// tells what became of it.
func fork(plan birthPlan) (*child, error) {
	raw, err := prepare(plan)
	if err != nil {
		return nil, err
	}
	fate, told, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer told.Close()
	raw.fate = told.Fd()

	c := &child{fate: fate, unborn: raw.pid != noFile}
	pid, err := c.forkWith(raw, plan.hold)
	runtime.KeepAlive(plan)
	if err == nil {
		// No other process can have this id: we have not waited for it.
		c.process, err = os.FindProcess(pid)
	}
	if err != nil {
		fate.Close()
		if c.control != nil {
			c.control.Close()
		}
		return nil, err
	}
	return c, nil
}

// forkWith forks, with a pipe to hold the child by if that is asked for.
//
// Should this process be killed, a child on hold ends because its pipe does. All
// children are copies of this process and so have the pipes of their elder siblings
// open, until they become their programs. Each pipe is made under the same lock as
// its child, so that none has a younger sibling's: the youngest ends first, and then
// all do. Were it otherwise, two could hold each other for ever.
func (c *child) forkWith(raw *rawPlan, hold bool) (int, error) {
	syscall.ForkLock.Lock()
	defer syscall.ForkLock.Unlock()
	if hold {
		heard, control, err := os.Pipe()
		if err != nil {
			return 0, err
		}
		defer heard.Close()
		c.control = control
		raw.hold, raw.drop = heard.Fd(), control.Fd()
		raw.files = append(raw.files, raw.hold)
	}
	pid, errno := forkChild(raw)
	if errno != 0 {
		return 0, errno
	}
	return int(pid), nil
}

// rawPlan is a birthPlan as the child needs it: nothing has to be allocated.
type rawPlan struct {
	flags            uintptr
	session          bool
	hold, drop, fate uintptr
	user, mount, net uintptr
	ipc, pid         uintptr
	foreign          bool
	nofile           *unix.Rlimit
	files            []uintptr
	dirs, paths      []*byte
	argv, envv       []*byte
}

// noFile stands for a file that there is not, noDirectory for AT_FDCWD, which absolute
// paths have no need of.
const (
	noFile      = ^uintptr(0)
	noDirectory = ^uintptr(0) - 99
)

func prepare(plan birthPlan) (*rawPlan, error) {
	raw := &rawPlan{
		flags: plan.flags, session: plan.session, foreign: plan.foreign, nofile: plan.nofile,
		hold: noFile, drop: noFile, user: noFile, mount: noFile, net: noFile, ipc: noFile, pid: noFile,
	}
	if plan.join != nil {
		raw.mount, raw.net = fileOf(plan.join.mount), fileOf(plan.join.net)
		raw.ipc, raw.pid = fileOf(plan.join.ipc), fileOf(plan.join.pid)
		if !plan.skipUser {
			raw.user = fileOf(plan.join.user)
		}
	}
	for _, f := range plan.files {
		raw.files = append(raw.files, fileOf(f))
	}
	for _, list := range []struct {
		from []string
		to   *[]*byte
	}{{plan.dirs, &raw.dirs}, {plan.paths, &raw.paths}, {plan.argv, &raw.argv}, {plan.envv, &raw.envv}} {
		strings, err := syscall.SlicePtrFromStrings(list.from)
		if err != nil {
			return nil, err
		}
		*list.to = strings // ends in nil
	}
	return raw, nil
}

func fileOf(f *os.File) uintptr {
	if f == nil {
		return noFile
	}
	return f.Fd()
}

// The runtime's own preparations for a fork: they hold off signals and threads, and
// in the child take the runtime's signal handlers away.

//go:linkname beforeFork syscall.runtime_BeforeFork
func beforeFork()

//go:linkname afterFork syscall.runtime_AfterFork
func afterFork()

//go:linkname afterForkInChild syscall.runtime_AfterForkInChild
func afterForkInChild()

// forkChild forks. In the parent it returns; the child never comes back from here.
//
// The child is a copy of one thread of a Go program: no scheduler, no collector,
// perhaps locks held by threads that are not there. Between the fork and the
// exec there may be no allocation, no growth of the stack, no lock: only what is
// in p, plain variables and raw system calls.
//
//go:noinline
//go:norace
//go:nocheckptr
func forkChild(p *rawPlan) (pid uintptr, errno syscall.Errno) {
	var (
		step   uint32
		b      [1]byte
		n      uintptr
		e      syscall.Errno
		i      int
		denied bool
		msg    [2]uint32
		count  = uintptr(len(p.files))
	)
	beforeFork()
	pid, _, errno = syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD)|p.flags, 0, 0, 0, 0, 0)
	if errno != 0 || pid != 0 {
		afterFork()
		return pid, errno
	}
	afterForkInChild()

	if p.session {
		step = stepSession
		if _, _, e = syscall.RawSyscall(syscall.SYS_SETSID, 0, 0, 0); e != 0 {
			goto failed
		}
	}

	if p.hold != noFile {
		step = stepHold
		syscall.RawSyscall(syscall.SYS_CLOSE, p.drop, 0, 0)
		for {
			n, _, e = syscall.RawSyscall(syscall.SYS_READ, p.hold, uintptr(unsafe.Pointer(&b[0])), 1)
			if e == syscall.EINTR {
				continue
			}
			if e != 0 {
				goto failed
			}
			if n == 0 { // the starter is dead
				goto out
			}
			break
		}
	}

	if p.user != noFile {
		step = stepUser
		if p.foreign {
			// Only root enters other users' sandboxes, and does not take his groups along.
			// Inside, where most have no groups, it would be too late.
			if _, _, e = syscall.RawSyscall(syscall.SYS_SETGROUPS, 0, 0, 0); e != 0 {
				goto failed
			}
		}
		if _, _, e = syscall.RawSyscall(unix.SYS_SETNS, p.user, syscall.CLONE_NEWUSER, 0); e != 0 {
			goto failed
		}
	}
	if p.mount != noFile {
		step = stepMount
		if _, _, e = syscall.RawSyscall(unix.SYS_SETNS, p.mount, syscall.CLONE_NEWNS, 0); e != 0 {
			goto failed
		}
	}
	if p.net != noFile {
		step = stepNet
		if _, _, e = syscall.RawSyscall(unix.SYS_SETNS, p.net, syscall.CLONE_NEWNET, 0); e != 0 {
			goto failed
		}
	}
	if p.ipc != noFile {
		step = stepIPC
		if _, _, e = syscall.RawSyscall(unix.SYS_SETNS, p.ipc, syscall.CLONE_NEWIPC, 0); e != 0 {
			goto failed
		}
	}
	if p.pid != noFile {
		// Only a child gets into a process namespace. It is made a child of our parent,
		// which learns its id from the pipe and waits for us.
		step = stepPID
		if _, _, e = syscall.RawSyscall(unix.SYS_SETNS, p.pid, syscall.CLONE_NEWPID, 0); e != 0 {
			goto failed
		}
		n, _, e = syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD)|syscall.CLONE_PARENT, 0, 0, 0, 0, 0)
		if e != 0 {
			goto failed
		}
		if n != 0 {
			msg[0], msg[1] = stepBorn, uint32(n)
			if _, _, e = syscall.RawSyscall(syscall.SYS_WRITE, p.fate, uintptr(unsafe.Pointer(&msg[0])), unsafe.Sizeof(msg)); e == 0 {
				goto out
			}
			// Its namespace could not end before our parent has waited for it.
			syscall.RawSyscall(syscall.SYS_KILL, n, uintptr(syscall.SIGKILL), 0)
			msg[0] = stepLost
			syscall.RawSyscall(syscall.SYS_WRITE, p.fate, uintptr(unsafe.Pointer(&msg[0])), unsafe.Sizeof(msg))
			goto out
		}
	}
	if p.user != noFile || p.flags&syscall.CLONE_NEWUSER != 0 {
		step = stepIDs
		if _, _, e = syscall.RawSyscall(syscall.SYS_SETRESGID, 0, 0, 0); e != 0 {
			goto failed
		}
		if _, _, e = syscall.RawSyscall(syscall.SYS_SETRESUID, 0, 0, 0); e != 0 {
			goto failed
		}
	}

	step = stepDir
	for i = 0; p.dirs[i] != nil; i++ {
		if _, _, e = syscall.RawSyscall(syscall.SYS_CHDIR, uintptr(unsafe.Pointer(p.dirs[i])), 0, 0); e == 0 {
			break
		}
	}
	if e != 0 {
		goto failed
	}

	if p.nofile != nil {
		step = stepLimit
		if _, _, e = syscall.RawSyscall6(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE, uintptr(unsafe.Pointer(p.nofile)), 0, 0, 0); e != 0 {
			goto failed
		}
	}

	// First all files out of the way, then each to its place.
	step = stepFiles
	if p.fate < count {
		if n, _, e = syscall.RawSyscall(unix.SYS_FCNTL, p.fate, unix.F_DUPFD_CLOEXEC, count); e != 0 {
			goto failed
		}
		p.fate = n
	}
	for i = 0; i < len(p.files); i++ {
		if p.files[i] < count {
			if p.files[i], _, e = syscall.RawSyscall(unix.SYS_FCNTL, p.files[i], unix.F_DUPFD_CLOEXEC, count); e != 0 {
				goto failed
			}
		}
	}
	for i = 0; i < len(p.files); i++ {
		if _, _, e = syscall.RawSyscall(unix.SYS_DUP3, p.files[i], uintptr(i), 0); e != 0 {
			goto failed
		}
	}

	step = stepExec
	for i = 0; p.paths[i] != nil; i++ {
		_, _, e = syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(p.paths[i])),
			uintptr(unsafe.Pointer(&p.argv[0])), uintptr(unsafe.Pointer(&p.envv[0])))
		if e == syscall.EACCES {
			// Perhaps a later one may be run. It only counts if there is such a file:
			// PATH may name directories that this user cannot look into.
			if _, _, e = syscall.RawSyscall(unix.SYS_FACCESSAT, noDirectory, uintptr(unsafe.Pointer(p.paths[i])), 0); e == 0 {
				denied = true
			}
		} else if e != syscall.ENOENT && e != syscall.ENOTDIR {
			goto failed
		}
	}
	e = syscall.ENOENT
	if denied {
		e = syscall.EACCES
	}

failed:
	msg[0], msg[1] = step, uint32(e)
	syscall.RawSyscall(syscall.SYS_WRITE, p.fate, uintptr(unsafe.Pointer(&msg[0])), unsafe.Sizeof(msg))
out:
	for {
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 253, 0, 0)
	}
}
