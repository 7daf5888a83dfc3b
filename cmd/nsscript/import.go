package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nsscript/builtins"
	"nsscript/builtins/kernel"
	"nsscript/builtins/lab"
	"nsscript/builtins/picture"
	"nsscript/builtins/program"
	"nsscript/interp"
	"nsscript/interp/format"
)

// importOptions are the flags of import.
type importOptions struct {
	host, all bool
	file      string
}

func newImport() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import --host",
		Short: "Write the network of this machine as a script that builds it",
		Long: `Write the network of this machine as a script that builds the same one: what Docker,
Kubernetes or ip commands have made, as a lab to look at and to try things in.

All network namespaces are read: those that have a name, and those of processes, such
as containers, which are called after them. What is in them becomes the script: cables,
bridges and the other kinds of interfaces, addresses, routes, policy rules, settings
that are not the usual ones, and the rules of iptables, in the words of firewall and nat
where these have some.

The hardware of the machine and the processes stay where they are: comments in the
script tell of them. Nothing is changed; what may not be read without root is told.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !o.host {
				return usage("say what is read: --host is the network of this machine")
			}
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.host, "host", false, "the network of this machine, with all its namespaces")
	f.BoolVar(&o.all, "all", false, "also namespaces without a name in which nothing was made, as services have them")
	f.StringVarP(&o.file, "output", "o", "", "write the script to `FILE` in place of printing it")
	return cmd
}

// imported says what of a network becomes a program.
var imported = picture.ScanOptions{Settings: true, Chosen: true, Services: true}

func (o *importOptions) run(ctx context.Context) error {
	p, missing, err := readMachine(ctx, o.all)
	if err != nil {
		return err
	}
	return o.write(ctx, p, missing)
}

// readMachine reads the network of this machine, and tells what may not be read of it.
// Without all, namespaces are left out that nobody has named, and in which there is
// nothing.
func readMachine(ctx context.Context, all bool) (p *picture.Picture, missing []string, err error) {
	m, err := picture.OpenMachine()
	if err != nil {
		return nil, nil, err
	}
	defer m.Close()
	opts := imported
	opts.Iptables = &kernel.IptablesFinder{}
	if p, err = picture.Scan(ctx, "", m.Sources, opts); err != nil {
		return nil, nil, err
	}
	if !all {
		p.Namespaces = slices.DeleteFunc(p.Namespaces, func(n *picture.Namespace) bool {
			return n.Name != picture.Host && !m.Named(n.Name) && n.Empty()
		})
	}
	return p, unreadable(m), nil
}

// unreadable tells what may not be read.
func unreadable(m *picture.Machine) []string {
	var said []string
	for _, c := range m.Closed {
		said = append(said, "the namespace "+c+": it may not be opened")
	}
	if m.Hidden > 0 {
		said = append(said, fmt.Sprintf("the namespaces of %d %s, which only root may see", m.Hidden, plural(m.Hidden, "process")))
	}
	return said
}

// write writes the program for a picture.
func (o *importOptions) write(ctx context.Context, p *picture.Picture, missing []string) error {
	file := o.file
	if file == "" {
		file = "FILE"
	}
	names := language(ctx, io.Discard, builtins.Options{Lab: lab.NewPlan(lab.Options{Name: "imported"})}).interp.Names()
	text := program.Write(p, program.Options{
		Head: []string{
			"The network of this machine. In a place of its own it is built by:",
			"nsscript run --sandbox " + filepath.Base(file),
		},
		Reserved: func(name string) bool { _, found := slices.BinarySearch(names, name); return found },
		Missing:  missing,
	})
	text, err := format.Source(interp.Source{Name: file, Text: text})
	if err != nil {
		return err
	}
	for _, m := range missing {
		fmt.Fprintln(os.Stderr, "not read:", m)
	}
	if o.file == "" || o.file == "-" {
		_, err = stdout.Write(text)
		return err
	}
	err = os.WriteFile(o.file, text, 0o644)
	var at *os.PathError
	if errors.As(err, &at) {
		return usage("%q cannot be written: %s", o.file, builtins.FileProblem(err))
	}
	fmt.Fprintf(os.Stderr, "%s: %d %s\n", o.file, strings.Count(string(text), "\n"), plural(strings.Count(string(text), "\n"), "line"))
	return err
}
