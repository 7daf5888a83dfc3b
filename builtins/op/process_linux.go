package op

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

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

// shares reports whether a process lives in this one's mount namespace.
func (o *StartProcess) shares(pid int) (bool, error) {
	ns, err := kernel.MountNS(pid)
	return ns != 0 && ns == o.MountNS, err
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

// Undo ends the process and all its children.
func (o *StartProcess) Undo(_ context.Context, s *System) error {
	family, release, err := o.Family(s.Sign)
	if err != nil {
		return err
	}
	defer release()
	return EndProcesses(func() ([]int, error) { return kernel.Processes(family) })
}

// Do ends the process.
func (o *StopProcess) Do(ctx context.Context, s *System) error { return o.Process.Undo(ctx, s) }
