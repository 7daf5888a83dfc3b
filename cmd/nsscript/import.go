//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

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
		Use:   "import LAB | --host",
		Short: "Write the network of this machine, or a lab's, as a script that builds it",
		Long: `Write the network of this machine as a script that builds the same one: what Docker,
Kubernetes or ip commands have made, as a lab to look at and to try things in. Of a lab
that is up, the script has what was done to it since, by hand too.

With --host all network namespaces are read: those that have a name, and those of processes, such
as containers, which are called after them. What is in them becomes the script: cables,
bridges and the other kinds of interfaces, addresses, routes, policy rules, settings
that are not the usual ones, and the rules of iptables, in the words of firewall and nat
where these have some.

The hardware of the machine and the processes stay where they are: comments in the
script tell of them. Not read are rules that nft knows and iptables does not, and what
bridges and VXLANs were told of addresses. Nothing is changed; what may not be read
without root is told.`,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: completeLab,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.host == (len(args) == 1):
				return usage("give a lab that is up, or --host for the network of this machine")
			case o.host:
				return o.machine(cmd.Context())
			case o.all:
				return usage("--all is about the namespaces of --host: a lab has its own")
			}
			return o.lab(cmd.Context(), args[0])
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

func (o *importOptions) machine(ctx context.Context) error {
	p, missing, err := readMachine(ctx, o.all, imported)
	if err != nil {
		return err
	}
	out, err := openOutput(o.file)
	if err != nil {
		return err
	}
	return o.write(ctx, out, p, "this machine", missing)
}

// lab writes the program of a lab that is up.
func (o *importOptions) lab(ctx context.Context, name string) error {
	l, out, err := lookWriting(name, o.file)
	if l == nil || err != nil {
		return err
	}
	defer l.Close()
	p, err := l.Scan(ctx, imported)
	if err != nil {
		return err
	}
	if host := p.Namespace(picture.Host); host != nil && l.Foreign(picture.Host) {
		host.Sysctls = nil // the machine's own
		for _, link := range host.Links {
			link.MAC = "" // the lab chooses it there, to know the interface again
		}
	}
	return o.write(ctx, out, p, "the lab "+name, nil)
}

// readMachine reads the network of this machine, and tells what may not be read of it.
// Without all, namespaces are left out that nobody has named, and in which there is
// nothing.
func readMachine(ctx context.Context, all bool, opts picture.ScanOptions) (p *picture.Picture, missing []string, err error) {
	m, err := picture.OpenMachine()
	if err != nil {
		return nil, nil, err
	}
	defer m.Close()
	opts.Iptables = &kernel.IptablesFinder{}
	missing = unreadable(m)
	p, err = picture.Scan(ctx, "", m.Sources, opts)
	if errors.Is(err, unix.EPERM) {
		opts.Iptables = nil
		missing = append(missing, "the rules of iptables, which only root may read")
		p, err = picture.Scan(ctx, "", m.Sources, opts)
	}
	if err != nil {
		return nil, nil, err
	}
	if !all {
		p.Namespaces = slices.DeleteFunc(p.Namespaces, func(n *picture.Namespace) bool {
			return n.Name != picture.Host && !m.Named(n.Name) && n.Empty()
		})
	}
	return p, missing, nil
}

// unreadable tells what may not be read.
func unreadable(m *picture.Machine) []string {
	var said []string
	for _, c := range m.Closed {
		said = append(said, "the namespace "+c+": it may not be opened")
	}
	switch {
	case m.Hidden == 1:
		said = append(said, "the namespace of a process that only root may see")
	case m.Hidden > 1:
		said = append(said, fmt.Sprintf("the namespaces of %d processes that only root may see", m.Hidden))
	}
	return said
}

// write writes the program for a picture.
func (o *importOptions) write(ctx context.Context, out *os.File, p *picture.Picture, of string, missing []string) error {
	file := o.file
	if file == "" {
		file = "FILE"
	}
	names := language(ctx, io.Discard, builtins.Options{Lab: lab.NewPlan(lab.Options{Name: "imported"})}).interp.Names()
	text := program.Write(p, program.Options{
		Head: []string{
			"The network of " + of + ". In a place of its own it is built by:",
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
	return writeOutput(out, string(text))
}
