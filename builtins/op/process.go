package op

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// EnvLab is the variable by which every process of a lab can be told: its value
// is System.Sign, which no other lab has.
const EnvLab = "NSSCRIPT_LAB"

// StartProcess starts a program in a namespace, in the background.
type StartProcess struct {
	NS    string   `json:"ns"`
	Argv  []string `json:"argv"`
	Shown []string `json:"shown,omitempty"` // what a person would type, where that is not Argv
	Env   []string `json:"-"`
	Extra []string `json:"extra,omitempty"` // what the script added to Env
	Dir   string   `json:"dir,omitempty"`
	Job   int      `json:"job"` // the lab's how-manieth process, to name it in commands
	Path  string   `json:"path"`
	Log   string   `json:"log"`             // the file that collects its output
	Hosts string   `json:"hosts,omitempty"` // the file that lies over its /etc/hosts
	Etc   string   `json:"etc,omitempty"`   // the directory whose files lie over those of its /etc
	// ExtraFile is given to the program as descriptor 3.
	ExtraFile *os.File `json:"-"`

	PID   int    `json:"pid,omitempty"`   // filled in by Do
	Start uint64 `json:"start,omitempty"` // its start time, as kernel.StartTime tells
	// MountNS is the inode of the mount namespace that the process and all its
	// children live in.
	MountNS uint64 `json:"mntns,omitempty"`

	Cmd *exec.Cmd `json:"-"`
}

// Do starts the program in a session of its own, so that no terminal's signal
// reaches it.
func (o *StartProcess) Do(_ context.Context, s *System) error {
	ns, err := s.NS(o.NS)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(o.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return failed(err, "the file for the output of %q", o.Argv[0])
	}
	defer func() { _ = log.Close() }()
	cmd := &exec.Cmd{
		Path: o.Path, Args: o.Argv, Env: o.Env, Dir: o.Dir, Stdout: log, Stderr: log,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if o.ExtraFile != nil {
		cmd.ExtraFiles = []*os.File{o.ExtraFile}
	}
	view := kernel.View{NS: ns, Hosts: o.Hosts, Etc: o.Etc}
	if o.NS != Host {
		view.Name = o.NS
	}
	if err := kernel.Start(cmd, view); err != nil {
		return StartError(err, o.Argv, o.NS)
	}
	o.Cmd, o.PID = cmd, cmd.Process.Pid
	// Without these it could not be told from others when it is to be ended.
	var errs [2]error
	o.Start, errs[0] = kernel.StartTime(o.PID)
	o.MountNS, errs[1] = kernel.MountNS(o.PID)
	if err := errors.Join(errs[:]...); err != nil {
		_ = unix.Kill(-o.PID, unix.SIGKILL) // it leads its group and has just been started
		_ = cmd.Wait()
		return StartError(err, o.Argv, o.NS)
	}
	return nil
}

// StartError words why a program could not be started.
func StartError(err error, argv []string, ns string) error {
	e := &Error{Msg: fmt.Sprintf("starting %q in %s", argv[0], quoteNS(ns)), Err: err}
	switch {
	case errors.Is(err, unix.ENOEXEC):
		e.Msg, e.Mute = fmt.Sprintf("%q is no program", argv[0]), true
		e.Tip = "a script needs a first line such as #!/bin/sh"
	case errors.Is(err, unix.E2BIG):
		e.Msg, e.Mute = fmt.Sprintf("the arguments or the environment of %q are too long", argv[0]), true
	}
	return e
}

// Undo ends the process and all its children.
func (o *StartProcess) Undo(_ context.Context, s *System) error {
	family, release, err := o.Family(s.Sign)
	if err != nil {
		return err
	}
	defer release()
	return EndProcesses(func() ([]int, error) { return kernel.Processes(family) })
}

// Family tells which processes are this one or were started by it: those in its
// mount namespace. The number of a namespace that has ended is given to another,
// so it is held until release is called; where it may have ended already, only
// those count that also bear the lab's sign.
func (o *StartProcess) Family(sign string) (match kernel.Match, release func(), err error) {
	held, err := kernel.HoldMountNS(o.PID, o.MountNS)
	if err != nil {
		return nil, nil, err
	}
	alive, err := o.Alive()
	if held != nil && !alive {
		_ = held.Close()
	}
	if err != nil {
		return nil, nil, err
	}
	if held != nil && alive {
		return o.shares, func() { _ = held.Close() }, nil
	}
	return func(pid int) (bool, error) {
		if pid == o.PID {
			if alive, err := o.Alive(); alive || err != nil {
				return alive, err
			}
		}
		if ok, err := o.shares(pid); !ok || err != nil {
			return false, err
		}
		sent, _, err := kernel.Env(pid, EnvLab)
		return sent == sign, err
	}, func() {}, nil
}

// Alive reports whether the process runs.
func (o *StartProcess) Alive() (bool, error) {
	start, err := kernel.StartTime(o.PID)
	return start != 0 && start == o.Start, err
}

// shares reports whether a process lives in this one's mount namespace.
func (o *StartProcess) shares(pid int) (bool, error) {
	ns, err := kernel.MountNS(pid)
	return ns != 0 && ns == o.MountNS, err
}

// Commands is the program in the background.
func (o *StartProcess) Commands() []string {
	argv := o.Argv
	if o.Shown != nil {
		argv = o.Shown
	}
	return []string{fmt.Sprintf("%s & job%d=$!", RunCommand(o.NS, argv, o.Extra, o.Dir, nil), o.Job)}
}

// Inside is nothing: a namespace lives as long as its processes.
func (o *StartProcess) Inside() []string { return nil }

// Model notes what runs.
func (o *StartProcess) Model(p *picture.Picture) error {
	n, err := pictured(p, o.NS)
	if err == nil {
		n.Services = append(n.Services, o.shown())
	}
	return err
}

// shown is the command as a person would type it.
func (o *StartProcess) shown() string {
	if o.Shown != nil {
		return sh(o.Shown...)
	}
	return sh(o.Argv...)
}

// StopProcess ends a process of the lab and its children.
type StopProcess struct {
	Process StartProcess `json:"process"`
}

// Do ends the process.
func (o *StopProcess) Do(ctx context.Context, s *System) error { return o.Process.Undo(ctx, s) }

// Undo does nothing.
func (o *StopProcess) Undo(context.Context, *System) error { return nil }

// Commands is `kill`.
func (o *StopProcess) Commands() []string { return []string{fmt.Sprintf("kill $job%d", o.Process.Job)} }

// Inside is nothing.
func (o *StopProcess) Inside() []string { return nil }

// Model forgets what ran.
func (o *StopProcess) Model(p *picture.Picture) error {
	n, err := pictured(p, o.Process.NS)
	if err != nil {
		return err
	}
	if i := slices.Index(n.Services, o.Process.shown()); i >= 0 {
		n.Services = slices.Delete(n.Services, i, i+1)
	}
	return nil
}

const (
	// killGrace is how long a process has between SIGTERM and SIGKILL.
	killGrace = time.Second
	// killWait is how long a killed process may take to be gone.
	killWait = 5 * time.Second
)

// EndProcesses ends the processes that list returns, SIGTERM first, until it
// returns none. It never touches this process or its ancestors.
func EndProcesses(list func() ([]int, error)) error {
	kin, err := kernel.Ancestors(os.Getpid())
	if err != nil {
		return err
	}
	sig := unix.SIGTERM
	begun := time.Now()
	told := map[int]bool{}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		all, err := list()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		pids := slices.DeleteFunc(all, func(pid int) bool { return slices.Contains(kin, pid) })
		if len(pids) == 0 {
			return nil
		}
		if sig == unix.SIGTERM && time.Since(begun) > killGrace {
			sig = unix.SIGKILL
		}
		if time.Since(begun) > killGrace+killWait {
			return &Error{Msg: "these processes do not end: " + strings.Trim(fmt.Sprint(pids), "[]")}
		}
		for _, pid := range pids {
			if sig == unix.SIGTERM && told[pid] {
				continue
			}
			told[pid] = true
			_ = unix.Kill(pid, sig) // gone already, most likely; list tells
			_ = unix.Kill(pid, unix.SIGCONT)
		}
		time.Sleep(pause)
	}
}
