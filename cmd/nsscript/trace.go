//go:build linux

package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"nsscript/builtins"
)

func newTrace() *cobra.Command {
	var o traceOptions
	cmd := &cobra.Command{
		Use: "trace [LAB/]NS TARGET", Short: "Follow a packet through a lab, and tell where it died and why",
		Long: "Follow one packet from a namespace of a lab to an address, or to a namespace by its name, over every interface on its way,\nand tell where it died and why. The exit status is 1 when it did not arrive, or its answer did not.",
		Args: cobra.ExactArgs(2), ValidArgsFunction: completePing,
		RunE: func(cmd *cobra.Command, args []string) error {
			named, err := o.read(cmd)
			if err != nil {
				return err
			}
			s, ns, err := lookAt(cmd.Context(), args[0])
			if err != nil || s == nil {
				return err
			}
			defer s.Lab().Close()
			return o.trace(s, []any{ns, args[1]}, named)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.tcp, "tcp", 0, "open a TCP connection to `PORT`")
	f.IntVar(&o.udp, "udp", 0, "send a UDP datagram to `PORT`")
	f.IntVarP(&o.size, "size", "s", 0, "how many `BYTES` of data it carries")
	f.BoolVar(&o.df, "df", false, "it may not be fragmented")
	f.StringVarP(&o.timeout, "timeout", "W", "1s", "the `TIME` to wait for the answer, such as 200ms; a bare number is seconds")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

type traceOptions struct {
	tcp, udp, size int
	df, json       bool
	timeout        string
}

// read returns the arguments of the builtin trace.
func (o *traceOptions) read(cmd *cobra.Command) (map[string]any, error) {
	if cmd.Flags().Changed("tcp") && cmd.Flags().Changed("udp") {
		return nil, usage("give --tcp or --udp, not both")
	}
	timeout, err := timeOf("-W", o.timeout)
	if err != nil {
		return nil, err
	}
	named := map[string]any{"df": o.df, "timeout": timeout}
	for _, n := range []struct {
		flag  string
		value int
	}{{"tcp", o.tcp}, {"udp", o.udp}, {"size", o.size}} {
		if cmd.Flags().Changed(n.flag) {
			named[n.flag] = n.value
		}
	}
	return named, nil
}

func (o *traceOptions) trace(s *builtins.Session, args []any, named map[string]any) error {
	path, err := s.Call("trace", args, named)
	if err != nil {
		name, why := builtins.WrongArgument(err)
		if _, flag := named[name]; flag {
			return usage("--%s: %v", name, why)
		}
		return why
	}
	if o.json {
		enc := json.NewEncoder(&stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err = enc.Encode(path)
	} else {
		fmt.Fprintln(&stdout, path)
	}
	if err == nil && !bool(path.Truth()) {
		return &exitError{status: exitFailed}
	}
	return err
}
