//go:build !linux

package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"go.starlark.net/starlark"

	"nsscript/builtins/kernel"
)

// commands are those that need no Linux, and the names of the others.
func commands() []*cobra.Command {
	list := []*cobra.Command{
		newPlan(),
		newGraph(),
		newExamples(),
		newFmt(),
		newCheck(),
		newLsp(),
		newDoc(),
		newCompletion(),
		newVersion(),
	}
	for _, name := range []string{"run", "repl", "test", "ls", "show", "down", "exec", "shell", "ping", "trace", "capture", "import", "serve", "doctor", "exercise"} {
		list = append(list, &cobra.Command{
			Use: name, Short: "Needs Linux", DisableFlagParsing: true,
			RunE: func(*cobra.Command, []string) error { return fmt.Errorf("%s: %w", name, kernel.ErrNotLinux) },
		})
	}
	return list
}

// begin is nothing.
func begin() {}

// lacksSandbox is no question where there are none.
func lacksSandbox(error) bool { return false }

// lab is an error: no lab is up.
func (o *graphOptions) lab(context.Context, string) error { return kernel.ErrNotLinux }

// machine is an error: another system has no network namespaces.
func (o *graphOptions) machine(context.Context) error { return kernel.ErrNotLinux }

// completeLabs completes nothing.
func completeLabs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// spacesNamed are none.
func spacesNamed(string) []string { return nil }

// interactWith is an error.
func interactWith(*ready) func(*starlark.Thread) error {
	return func(*starlark.Thread) error { return kernel.ErrNotLinux }
}
