//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"nsscript/builtins"
	"nsscript/builtins/lab"
	"nsscript/builtins/op"
	"nsscript/builtins/probe/capture"
)

func newCapture() *cobra.Command {
	o := captureOptions{}
	cmd := &cobra.Command{
		Use: "capture [LAB/]NS [FILTER…] | --all [LAB] [FILTER…]", Short: "Print the packets of a namespace of a lab, or of all of them, as tcpdump does",
		Long: "Print the packets that pass in a namespace of a lab until Ctrl-C, one a line, as tcpdump -nn does, or write them to a pcapng file.\n" +
			"FILTER is in tcpdump's language; the names of namespaces are hosts in it: host web and tcp port 80.\n\n" +
			"With --all they are those of every namespace and of the lab's own interfaces on the host, in the order of their\n" +
			"times: a line is printed 100 ms after its packet has passed, and one that the kernel tells of later than that\n" +
			"stands out of its place.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 && !o.all {
				return errors.New("give a namespace, or --all")
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if o.all {
				return completeLab(cmd, args, typed)
			}
			return completePlace(cmd, args, typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return o.run(cmd.Context(), args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.dev, "dev", "i", builtins.AnyDev, "the `INTERFACE`, or any")
	f.StringVarP(&o.path, "write", "w", "", "write them to `FILE` as pcapng, - for the standard output, in place of printing them")
	f.IntVarP(&o.count, "count", "c", 0, "end after so many packets")
	f.IntVarP(&o.snaplen, "snaplen", "s", capture.MaxSnapLen, "keep so many `BYTES` of each packet")
	f.BoolVar(&o.all, "all", false, "all namespaces of the lab")
	f.BoolVarP(&o.style.Link, "link", "e", false, "print the link's header: MAC addresses, VLANs")
	f.CountVarP(&o.verbose, "verbose", "v", "print time to live, id and flags too")
	f.BoolVarP(&o.style.Quick, "quick", "q", false, "print less of each protocol")
	f.CountVarP(&o.stamp, "time", "t", "print no time; -tt: seconds since 1970; -ttt: since the line before; -tttt: with the date")
	f.BoolVar(&o.json, "json", false, "print a JSON object for each packet")
	f.CountP("numeric", "n", "names are never looked up, with or without this")
	f.BoolP("line", "l", false, "each line is printed at once, with or without this")
	f.BoolP("packet", "U", false, "each packet is written at once, with or without this")
	return cmd
}

type captureOptions struct {
	dev, path      string
	count, snaplen int
	all, json      bool
	style          capture.Style
	verbose, stamp int
}

func (o *captureOptions) check() error {
	o.style.Verbose = o.verbose > 0
	if o.snaplen == 0 {
		o.snaplen = capture.MaxSnapLen // as tcpdump has it
	}
	switch {
	case o.snaplen < 0 || o.snaplen > capture.MaxSnapLen:
		return usage("-s wants a number from 1 to %d, got %d", capture.MaxSnapLen, o.snaplen)
	case o.count < 0:
		return usage("-c wants a number of packets, got %d", o.count)
	case o.all && o.dev != builtins.AnyDev:
		return usage("--all is about all interfaces: leave out -i")
	case o.json && o.path != "":
		return usage("give --json or -w, not both")
	case o.path == "-" && os.Getenv(envWorker) == "" && isatty.IsTerminal(os.Stdout.Fd()):
		return usage("-w - writes packets to the standard output, which is a terminal here: have it go to a file or a pipe")
	}
	return nil
}

// fdCapture is the descriptor of the file to write, inside a sandbox.
const fdCapture = 3

func (o *captureOptions) run(ctx context.Context, args []string) error {
	r := registryHere()
	labName, ns, words, err := o.place(r, args)
	if err != nil {
		return err
	}
	m, err := r.Meta(labName)
	if err != nil {
		return r.NoLab(labName)
	}
	if m.Sandbox != nil && os.Getenv(envWorker) == "" {
		return o.enter(r, m)
	}
	l, err := lookInside(r, labName)
	if err != nil || l == nil {
		return err
	}
	defer l.Close()
	if err := joinLab(l); err != nil {
		return err
	}
	c := &capturing{captureOptions: o, session: builtins.Look(ctx, l), filter: strings.Join(words, " ")}
	if c.spots, err = spotsOf(c.session, o, ns); err != nil {
		return err
	}
	if c.out, err = o.open(); err != nil {
		return err
	}
	if c.out != nil {
		defer c.out.discard()
	}
	return c.run(ctx)
}

// enter has the command run inside a sandbox, which may not have the file to write:
// it is opened here.
func (o *captureOptions) enter(r lab.Registry, m *lab.Meta) error {
	if o.path == "" || o.path == "-" {
		return enter(r, m)
	}
	out, err := o.open()
	if err != nil {
		return err
	}
	defer out.discard()
	return enter(r, m, out.File)
}

// open opens the file to write, nil for none.
func (o *captureOptions) open() (*captureFile, error) {
	switch {
	case o.path == "":
		return nil, nil
	case o.path == "-":
		return &captureFile{File: os.Stdout}, nil
	case os.Getenv(envWorker) != "":
		return &captureFile{File: os.NewFile(fdCapture, o.path)}, nil
	}
	return openCapture(o.path)
}

// place finds the lab, its namespace and the filter in the arguments.
func (o *captureOptions) place(r lab.Registry, args []string) (labName, ns string, words []string, err error) {
	if !o.all {
		labName, ns, err = splitTarget(r, args[0])
		return labName, ns, args[1:], err
	}
	names, err := r.Names()
	if err != nil {
		return "", "", nil, err
	}
	switch {
	case len(args) > 0 && slices.Contains(names, args[0]):
		return args[0], "", args[1:], nil
	case len(names) == 1:
		return names[0], "", args, nil
	case len(names) == 0:
		return "", "", nil, &op.Error{Msg: "no lab is up"}
	}
	return "", "", nil, &op.Error{Msg: fmt.Sprintf("%d labs are up", len(names)), Tip: "say which one: nsscript capture --all " + strings.Join(names, ", or ")}
}

// captureFile is the file that packets are written to.
type captureFile struct {
	*os.File
	made bool // it was not there before
}

// openCapture opens a file without touching what is in it: that is done when all
// else is right.
func openCapture(path string) (*captureFile, error) {
	f, err := builtins.CreateCapture(path, os.O_EXCL)
	made := err == nil
	if errors.Is(err, fs.ErrExist) {
		f, err = builtins.CreateCapture(path, 0)
	}
	if err != nil {
		return nil, &op.Error{Msg: fmt.Sprintf("%q cannot be written: %s", path, builtins.FileProblem(err))}
	}
	return &captureFile{File: f, made: made}, nil
}

// discard closes the file, and removes one that was made in vain.
func (f *captureFile) discard() {
	if st, err := f.Stat(); err == nil && f.made && st.Size() == 0 {
		_ = os.Remove(f.Name())
	}
	_ = f.Close()
}

// begin empties a file that was there before.
func (f *captureFile) begin() error {
	st, err := f.Stat()
	if err == nil && st.Mode().IsRegular() && f.File != os.Stdout {
		err = f.Truncate(0)
	}
	return err
}
