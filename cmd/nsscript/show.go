//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"nsscript/builtins"
	"nsscript/builtins/lab"
	"nsscript/builtins/op"
)

func newShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show LAB", Short: "Show a lab's parts", Args: cobra.ExactArgs(1), ValidArgsFunction: completeLab,
		RunE: func(_ *cobra.Command, args []string) error {
			r := registryHere()
			l, err := lookInside(r, args[0])
			if err != nil || l == nil {
				return err
			}
			defer l.Close()
			if asJSON {
				d, err := lab.Describe(l)
				if err != nil {
					return err
				}
				enc := json.NewEncoder(&stdout)
				enc.SetIndent("", "  ")
				return enc.Encode(d)
			}
			text, err := lab.Table(l)
			fmt.Fprint(&stdout, text)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// lookInside opens a lab that is up. For one in a sandbox this very command is
// run inside; then no lab is returned, and the error says how that ended.
func lookInside(r lab.Registry, name string) (*lab.Lab, error) {
	m, err := r.Meta(name)
	if err != nil {
		return nil, r.NoLab(name)
	}
	inside := os.Getenv(envWorker) != ""
	if m.Sandbox != nil && !inside {
		return nil, enter(r, m)
	}
	return lab.Look(name, r.Path(name), m.Sandbox != nil)
}

// lookAt opens the lab of [LAB/]NS as a script sees it, and finds the namespace. For
// a lab in a sandbox it does what lookInside does. The caller closes the lab.
func lookAt(ctx context.Context, target string) (*builtins.Session, *builtins.Namespace, error) {
	r := registryHere()
	name, ns, err := splitTarget(r, target)
	if err != nil {
		return nil, nil, err
	}
	l, err := lookInside(r, name)
	if err != nil || l == nil {
		return nil, nil, err
	}
	s := builtins.Look(ctx, l)
	n, err := s.Find(ns)
	if err == nil {
		err = joinLab(l)
	}
	if err != nil {
		l.Close()
		return nil, nil, err
	}
	return s, n, nil
}

// joinLab has this command count as one of the lab's processes, so that it is ended
// with the lab: a socket of it would keep a namespace alive. A process is told by the
// environment with which it was started, so the command starts anew in its own place.
func joinLab(l *lab.Lab) error {
	sign := l.System().Sign
	if l.Private() || os.Getenv(op.EnvLab) == sign {
		return nil // a sandbox ends with all that is in it
	}
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, op.EnvLab+"=") {
			env = append(env, kv)
		}
	}
	return restart(append(env, op.EnvLab+"="+sign))
}

// lookWriting opens a lab that is up, and the file that the command writes about it, nil
// for the standard output. Inside a sandbox there may be no file to write: it is opened
// outside, and the command is run again inside; then there is no lab left to look at.
func lookWriting(name, file string) (l *lab.Lab, out *os.File, err error) {
	r := registryHere()
	m, err := r.Meta(name)
	if err != nil {
		return nil, nil, r.NoLab(name)
	}
	if out, err = openOutput(file); err != nil {
		return nil, nil, err
	}
	if m.Sandbox != nil && os.Getenv(envWorker) == "" {
		if out == nil {
			return nil, nil, enter(r, m)
		}
		return nil, nil, errors.Join(enter(r, m, out), out.Close())
	}
	l, err = lookInside(r, name)
	return l, out, err
}
