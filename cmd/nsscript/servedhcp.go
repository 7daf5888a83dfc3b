//go:build linux

package main

import (
	"encoding/json"
	"net/netip"
	"os"

	"github.com/spf13/cobra"

	"nsscript/builtins/probe/dhcp"
)

// newServeDHCP is the server behind the builtin dhcp_server.
func newServeDHCP(readyFD *int) *cobra.Command {
	return &cobra.Command{
		Use: "dhcp CONFIG", Short: "Give out addresses, as a text of JSON says", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var config dhcp.Config
			if err := json.Unmarshal([]byte(args[0]), &config); err != nil {
				return usage("the configuration: %v", err)
			}
			s, err := dhcp.Listen(config, os.Stdout)
			if err != nil {
				return err
			}
			return serving(cmd.Context(), s, *readyFD)
		},
	}
}

// newServeDHCPRelay is the relay behind the builtin dhcp_relay.
func newServeDHCPRelay(readyFD *int) *cobra.Command {
	var servers, devices []string
	cmd := &cobra.Command{
		Use: "dhcp-relay", Short: "Pass the messages of DHCP clients on to servers", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var to []netip.Addr
			for _, text := range servers {
				a, err := netip.ParseAddr(text)
				if err != nil {
					return usage("--server: %v", err)
				}
				to = append(to, a)
			}
			s, err := dhcp.ListenRelay(to, devices, os.Stdout)
			if err != nil {
				return err
			}
			return serving(cmd.Context(), s, *readyFD)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&servers, "server", nil, "the `ADDRESS` of a server")
	f.StringArrayVar(&devices, "dev", nil, "an `INTERFACE` where clients are")
	return cmd
}
