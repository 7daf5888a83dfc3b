//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"nsscript/builtins"
	"nsscript/builtins/kernel"
	"nsscript/builtins/lab"
	"nsscript/builtins/near"
	"nsscript/builtins/op"
)

func newExec() *cobra.Command {
	cmd := &cobra.Command{
		Use: "exec [LAB/]NS [--] CMD…", Short: "Run a command in a namespace of a lab, as `ip netns exec` does",
		Args: cobra.MinimumNArgs(2), DisableFlagsInUseLine: true, ValidArgsFunction: completePlace,
		RunE: func(cmd *cobra.Command, args []string) error {
			argv := args[1:]
			if argv[0] == "--" {
				argv = argv[1:]
			}
			if len(argv) == 0 {
				return usage("give a command (see `%s --help`)", cmd.CommandPath())
			}
			return execIn(args[0], argv)
		},
	}
	cmd.Flags().SetInterspersed(false) // what follows the namespace is the command's
	return cmd
}

func newShell() *cobra.Command {
	var pid string
	cmd := &cobra.Command{
		Use: "shell [LAB/]NS | --pid PID", Short: "Open a shell in a namespace of a lab, or in that of a process",
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: completePlace,
		RunE: func(cmd *cobra.Command, args []string) error {
			if (pid != "") == (len(args) == 1) {
				return usage("give a namespace or --pid (see `%s --help`)", cmd.CommandPath())
			}
			if pid != "" {
				return shellOf(pid)
			}
			return execIn(args[0], []string{builtins.Shell()})
		},
	}
	cmd.Flags().StringVar(&pid, "pid", "", "the namespace of the process `PID`, as `nsenter -n` does")
	return cmd
}

// execIn replaces this process by a command in a namespace of a lab.
func execIn(target string, argv []string) error {
	r := registryHere()
	labName, ns, err := splitTarget(r, target)
	if err != nil {
		return err
	}
	l, err := lookInside(r, labName)
	if err != nil || l == nil {
		return err
	}
	if m, err := r.Meta(labName); err == nil && m.Sandbox != nil && !m.Sandbox.SubIDs && filepath.Base(argv[0]) == "tcpdump" {
		fmt.Fprintf(os.Stderr, "nsscript: %s\n   hint: %s\n", m.Sandbox.Reason, builtins.OwnUserHint(argv[0], "Couldn't change to"))
	}
	view, err := l.View(ns)
	if err != nil {
		return noSpace(l, ns)
	}
	return become(argv, view, op.EnvLab+"="+l.System().Sign, "NSSCRIPT_NS="+ns)
}

// noSpace is the error of a namespace that a lab does not have.
func noSpace(l *lab.Lab, ns string) error {
	return &op.Error{Msg: fmt.Sprintf("the lab %q has no namespace %q", l.Name(), ns), Tip: near.Hint(append(l.System().Names(), op.Host), ns)}
}

// become replaces this process by a command.
func become(argv []string, view kernel.View, extra ...string) error {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "NSSCRIPT_") && !strings.HasPrefix(kv, "PATH=") {
			env = append(env, kv)
		}
	}
	path := kernel.AdminPath(os.Getenv("PATH"))
	env = append(append(env, "PATH="+path), extra...)
	program, err := kernel.LookPath(argv[0], path, "")
	if err != nil {
		status := 127
		if errors.Is(err, fs.ErrPermission) {
			status = 126
		}
		return &exitError{status, &op.Error{Msg: fmt.Sprintf("there is no program %q", argv[0]), Tip: builtins.PackageHint(argv[0])}}
	}
	return kernel.Exec(program, argv, env, "", view)
}

// sandboxOf finds the lab in whose sandbox a process is, if it is in a user
// namespace of its own.
func sandboxOf(r lab.Registry, pid int) *lab.Meta {
	var st unix.Stat_t
	if unix.Stat(fmt.Sprintf("/proc/%d/ns/user", pid), &st) != nil {
		return nil
	}
	names, err := r.Names()
	if err != nil {
		return nil
	}
	for _, name := range names {
		m, err := r.Meta(name)
		if err == nil && m.Sandbox != nil && m.Sandbox.User && m.Sandbox.UserNS == st.Ino {
			return m
		}
	}
	return nil
}

// shellOf opens a shell in the network namespace of a process.
func shellOf(text string) error {
	pid, err := atoi(text)
	if err != nil {
		return err
	}
	if r := registryHere(); os.Getenv(envWorker) == "" {
		if m := sandboxOf(r, pid); m != nil {
			return enter(r, m)
		}
	}
	ns, err := kernel.OpenNetNS(fmt.Sprintf("/proc/%d/ns/net", pid))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &op.Error{Msg: fmt.Sprintf("there is no process %d", pid)}
	case errors.Is(err, fs.ErrPermission):
		return &exitError{exitMissing, &op.Error{Msg: fmt.Sprintf("the namespace of process %d may not be entered", pid),
			Tip: "run as root; without root, use `nsscript shell LAB/NS`"}}
	case err != nil:
		return err
	}
	err = become([]string{builtins.Shell()}, kernel.View{NS: ns})
	if errors.Is(err, fs.ErrPermission) {
		return &exitError{exitMissing, &op.Error{Msg: fmt.Sprintf("the namespace of process %d may not be entered", pid),
			Tip: "run as root; without root, use `nsscript shell LAB/NS`"}}
	}
	return err
}
