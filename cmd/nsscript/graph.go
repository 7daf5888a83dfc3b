package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nsscript/builtins/graph"
	"nsscript/builtins/picture"
)

// graphOptions are the flags of graph.
type graphOptions struct {
	format, file string
	host         bool   // this machine is drawn
	from, to     string // whom a packet is sent from, and where
	tcp, udp     int
	set          []string
}

func newGraph() *cobra.Command {
	var o graphOptions
	cmd := &cobra.Command{
		Use: "graph LAB|FILE|@EXAMPLE|-|--host [--trace FROM TO]", Short: "Draw a lab: for the terminal, as SVG, for Graphviz or Mermaid, or as JSON",
		Long: `Draw a lab that is up, or the one that a script would build: its namespaces with
their interfaces and addresses, bridges and cables, and where there are routers, NAT
and firewalls. For a script no rights are needed, and nothing is built. With --host the
network of this machine is drawn, with all namespaces that may be read.

With --trace a packet is sent in a lab that is up, and its way is drawn too: what it
passed is numbered in order, and where it was lost there is a cross with the reason.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.host {
				return cobra.NoArgs(cmd, args)
			}
			if !cmd.Flags().Changed("trace") {
				return cobra.ExactArgs(1)(cmd, args)
			}
			if len(args) != 2 {
				return errors.New("give a lab, and from where to where: nsscript graph LAB --trace FROM TO")
			}
			return nil
		},
		ValidArgsFunction: completeGraph,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd, args); err != nil {
				return err
			}
			if o.host {
				return o.machine(cmd.Context())
			}
			return o.run(cmd.Context(), args[0])
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.format, "format", "f", "", "the `FORMAT`: "+strings.Join(graph.Formats(), ", ")+"; without it the one that FILE ends with, or text")
	f.StringVarP(&o.file, "output", "o", "", "write the drawing to `FILE` in place of printing it")
	f.BoolVar(&o.host, "host", false, "draw the network of this machine")
	f.StringVar(&o.from, "trace", "", "draw the way of a packet: `FROM` a namespace to another one or an address, which follows")
	f.IntVar(&o.tcp, "tcp", 0, "the packet opens a TCP connection to `PORT`")
	f.IntVar(&o.udp, "udp", 0, "the packet is a UDP datagram to `PORT`")
	f.StringArrayVar(&o.set, "set", nil, "set a parameter of the script: `NAME=VALUE`")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(graph.Formats(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// check reads what stands in the arguments.
func (o *graphOptions) check(cmd *cobra.Command, args []string) error {
	if !cmd.Flags().Changed("format") {
		o.format = graph.FormatOf(o.file)
	}
	if err := graph.CheckFormat(o.format); err != nil {
		return usage("%w", err)
	}
	traced := cmd.Flags().Changed("trace")
	switch {
	case o.host && (traced || o.set != nil):
		return usage("--trace and --set are about a lab, and --host is this machine")
	case !traced && (cmd.Flags().Changed("tcp") || cmd.Flags().Changed("udp")):
		return usage("--tcp and --udp are about the packet of --trace")
	case o.host:
	case traced && isScript(args[0]):
		return usage("--trace sends a packet, and of a script nothing is built: run it first")
	case o.set != nil && !isScript(args[0]):
		return usage("--set is about a script, and %q is a lab", args[0])
	case traced:
		o.to = args[1]
	}
	return nil
}

// isScript tells a script from the name of a lab.
func isScript(arg string) bool {
	return arg == "-" || strings.HasPrefix(arg, "@") || strings.HasSuffix(arg, ".star") || strings.Contains(arg, "/")
}

func (o *graphOptions) run(ctx context.Context, what string) error {
	if !isScript(what) {
		return o.lab(ctx, what)
	}
	p, err := planOf(ctx, []string{what}, planOptions{set: o.set}, io.Discard)
	if err != nil {
		return err
	}
	out, err := openOutput(o.file)
	if err != nil {
		return err
	}
	return o.draw(out, p.session.Lab().Picture(), nil)
}

// draw draws to a file, or to the standard output.
func (o *graphOptions) draw(out *os.File, p *picture.Picture, w *graph.Walk) error {
	opts := graph.Options{Format: o.format, Walk: w}
	if out == nil {
		opts.Width = columns()
		return graph.Draw(&stdout, p, opts)
	}
	var text strings.Builder
	if err := graph.Draw(&text, p, opts); err != nil {
		return err
	}
	return writeOutput(out, text.String())
}

// completeGraph completes a lab or a script, and after --trace where a packet goes.
func completeGraph(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return spacesNamed(args[0]), cobra.ShellCompDirectiveNoFileComp
	}
	labs, _ := completeLabs(cmd, args, typed)
	scripts, how := completeScripts(cmd, args, typed)
	return slices.Concat(labs, scripts), how
}
