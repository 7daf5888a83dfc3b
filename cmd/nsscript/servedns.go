//go:build linux

package main

import (
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"nsscript/builtins/probe/dns"
)

// newServeDNS is the server behind the builtin dns_server.
func newServeDNS(readyFD *int) *cobra.Command {
	var views, forward []string
	o := dns.ServerOptions{Log: os.Stdout}
	cmd := &cobra.Command{
		Use: "dns", Short: "Serve names", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.Views, err = readViews(views); err != nil {
				return err
			}
			if o.Forward, err = readForwards(forward); err != nil {
				return err
			}
			s, err := dns.Listen(o)
			if err != nil {
				return err
			}
			return serving(cmd.Context(), s, *readyFD)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.Records, "record", nil, "a `RECORD` as in a zone file")
	f.StringArrayVar(&views, "view", nil, "a record for clients of certain networks: `NETWORKS RECORD`")
	f.StringArrayVar(&forward, "forward", nil, "whom to ask for the names of a domain: `DOMAIN SERVERS`")
	f.StringVar(&o.Names, "names", "", "serve the names of this `FILE`, which is like /etc/hosts")
	f.IntVar(&o.Port, "port", dns.Port, "the `PORT`, over UDP and TCP")
	return cmd
}

// readViews joins the records of each view.
func readViews(lines []string) ([]dns.View, error) {
	var views []dns.View
	at := map[string]int{}
	for _, l := range lines {
		networks, record, _ := strings.Cut(l, " ")
		i, known := at[networks]
		if !known {
			i = len(views)
			at[networks] = i
			views = append(views, dns.View{})
			for text := range strings.SplitSeq(networks, ",") {
				p, err := netip.ParsePrefix(text)
				if err != nil {
					return nil, usage("--view: %v", err)
				}
				views[i].Clients = append(views[i].Clients, p)
			}
		}
		views[i].Records = append(views[i].Records, record)
	}
	return views, nil
}

func readForwards(lines []string) ([]dns.Forward, error) {
	var list []dns.Forward
	for _, l := range lines {
		domain, servers, _ := strings.Cut(l, " ")
		f := dns.Forward{Domain: domain}
		for text := range strings.SplitSeq(servers, ",") {
			a, err := netip.ParseAddrPort(text)
			if err != nil {
				ip, ierr := netip.ParseAddr(text)
				if ierr != nil {
					return nil, usage("--forward: %v", fmt.Errorf("%q is no address of a server", text))
				}
				a = netip.AddrPortFrom(ip, dns.Port)
			}
			f.Servers = append(f.Servers, a)
		}
		list = append(list, f)
	}
	return list, nil
}
