package builtins

import (
	"context"
	"os"
	"os/exec"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// Use has what the builtins do end with ctx from now on. It is for sessions that
// run one line after the other.
func (s *Session) Use(ctx context.Context) { s.ctx = ctx }

// SetConsole makes c the interactive session that the builtins know, until the
// function that it returns is called.
func (s *Session) SetConsole(c Console) (restore func()) {
	console, interact := s.opts.Console, s.opts.Interact
	s.opts.Console, s.opts.Interact = c, nil
	return func() { s.opts.Console, s.opts.Interact = console, interact }
}

// NamespaceNamed returns a namespace of the lab by its name, nil if there is
// none.
func (s *Session) NamespaceNamed(name string) *Namespace {
	for _, n := range s.everyNamespace() {
		if n.name == name {
			return n
		}
	}
	return nil
}

// Links lists the names of the interfaces of a namespace.
func (n *Namespace) Links() ([]string, error) {
	ns, err := n.open()
	if err != nil {
		return nil, err
	}
	links, err := ns.Links()
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = l.Name
	}
	return names, err
}

// Command runs a shell's command line in a namespace, with this process' own
// output, and with its own input if that is a terminal. It returns the exit
// status.
func (s *Session) Command(ns *Namespace, line string, terminal bool) (int, error) {
	if err := ns.alive(); err != nil {
		return 0, err
	}
	environ, err := s.environ(nil, "", ns)
	if err != nil {
		return 0, err
	}
	view, err := s.lab.View(ns.name)
	if err != nil {
		return 0, err
	}
	s.lab.Explain("", op.InNS(ns.name, "sh", "-c", line))
	defer s.lab.Forgetful(ns.name)
	cmd := &exec.Cmd{Path: "/bin/sh", Args: []string{"sh", "-c", line}, Env: environ, Stdout: os.Stdout, Stderr: os.Stderr}
	if terminal {
		cmd.Stdin = os.Stdin
	}
	if err := kernel.Start(cmd, view); err != nil {
		return 0, op.StartError(err, cmd.Args, ns.name)
	}
	_ = cmd.Wait() // its status tells
	return exitCode(cmd.ProcessState), nil
}
