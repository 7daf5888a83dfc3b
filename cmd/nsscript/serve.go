//go:build linux

package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"nsscript/builtins/probe"
)

// newServe is the server behind the builtin serve: it listens where it is
// started.
func newServe() *cobra.Command {
	var o probe.ServeOptions
	var reply string
	var readyFD int
	cmd := &cobra.Command{
		Use: "serve", Short: "Serve TCP, UDP and HTTP: echo, greet, or answer --reply", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Reply, o.HasReply = []byte(reply), cmd.Flags().Changed("reply")
			s, err := probe.Listen(o)
			if err != nil {
				return err
			}
			return serving(cmd.Context(), s, readyFD)
		},
	}
	f := cmd.Flags()
	f.IntSliceVar(&o.TCP, "tcp", nil, "TCP `PORT`")
	f.IntSliceVar(&o.UDP, "udp", nil, "UDP `PORT`")
	f.IntSliceVar(&o.HTTP, "http", nil, "HTTP `PORT`")
	f.StringVar(&reply, "reply", "", "answer this `TEXT`")
	f.StringVar(&o.Name, "name", "", "the `NAME` that HTTP greets with")
	cmd.PersistentFlags().IntVar(&readyFD, "ready-fd", 0, "write a line to this descriptor once it listens")
	_ = cmd.PersistentFlags().MarkHidden("ready-fd")
	cmd.AddCommand(newServeDNS(&readyFD), newServeDHCP(&readyFD), newServeDHCPRelay(&readyFD))
	return cmd
}

// server is one that listens already.
type server interface {
	Serve(ctx context.Context) error
}

// serving says on a descriptor, if there is one, that a server listens, and serves.
func serving(ctx context.Context, s server, readyFD int) error {
	if readyFD > 0 {
		f := os.NewFile(uintptr(readyFD), "ready")
		if _, err := fmt.Fprintln(f, "ready"); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return s.Serve(ctx)
}
