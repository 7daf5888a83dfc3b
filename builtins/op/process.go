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

// Alive reports whether the process runs.
func (o *StartProcess) Alive() (bool, error) {
	start, err := kernel.StartTime(o.PID)
	return start != 0 && start == o.Start, err
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
