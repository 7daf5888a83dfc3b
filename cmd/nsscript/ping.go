//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/cobra"
	"go.starlark.net/starlark"

	"nsscript/builtins"
	"nsscript/builtins/probe"
)

func newPing() *cobra.Command {
	o := pingOptions{req: probe.PingRequest{Count: 1, Size: 56}}
	cmd := &cobra.Command{
		Use: "ping [LAB/]NS TARGET", Short: "Ping an address or a namespace from a namespace of a lab",
		Long: "Ping an address, or a namespace of the lab by its name, from a namespace of a lab.\nThe exit status is 1 when something was lost.",
		Args: cobra.ExactArgs(2), ValidArgsFunction: completePing,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.read(cmd); err != nil {
				return err
			}
			s, ns, err := lookAt(cmd.Context(), args[0])
			if err != nil || s == nil {
				return err
			}
			defer s.Lab().Close()
			return o.ping(s, ns, args[1])
		},
	}
	f := cmd.Flags()
	f.IntVarP(&o.req.Count, "count", "c", 1, "how many requests")
	f.IntVarP(&o.req.Size, "size", "s", 56, "how many `BYTES` of data each carries")
	f.IntVarP(&o.req.TTL, "ttl", "t", 0, "through how many routers they may go; 0 for the usual")
	f.StringVarP(&o.discover, "pmtudisc", "M", "", "do: they may not be fragmented; dont: they may")
	f.BoolVar(&o.req.DF, "df", false, "they may not be fragmented")
	f.StringVarP(&o.interval, "interval", "i", "100ms", "the `TIME` from one to the next, such as 200ms; a bare number is seconds")
	f.StringVarP(&o.timeout, "timeout", "W", "1s", "the `TIME` to wait for each answer")
	f.StringVarP(&o.req.Dev, "dev", "I", "", "the `INTERFACE` by which they leave")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

type pingOptions struct {
	req                         probe.PingRequest
	discover, interval, timeout string
	json                        bool
}

// read reads what the flags' own types do not.
func (o *pingOptions) read(cmd *cobra.Command) (err error) {
	switch o.discover {
	case "", "dont", "want":
	case "do", "probe":
		o.req.DF = true
	default:
		return usage("-M wants do or dont, got %q", o.discover)
	}
	if o.req.Interval, err = timeOf("-i", o.interval); err != nil {
		return err
	}
	if o.req.Timeout, err = timeOf("-W", o.timeout); err != nil {
		return err
	}
	for _, b := range []struct {
		flag           string
		n, least, most int
	}{{"-c", o.req.Count, 1, 1000000}, {"-s", o.req.Size, 0, 65507}, {"-t", o.req.TTL, 0, 255}} {
		if b.n < b.least || b.n > b.most {
			return usage("%s wants a number from %d to %d, got %d (see `%s --help`)", b.flag, b.least, b.most, b.n, cmd.CommandPath())
		}
	}
	return nil
}

// timeOf reads a length of time that may be a bare number of seconds.
func timeOf(flag, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "s")
	}
	if err != nil || d < 0 {
		return 0, usage("%s wants a time such as 200ms or 0.2, got %q", flag, text)
	}
	return d, nil
}

func (o *pingOptions) ping(s *builtins.Session, ns *builtins.Namespace, target string) error {
	if !o.json {
		o.req.Heard = func(a probe.PingAnswer) { fmt.Fprintln(&stdout, answerLine(a)) }
	}
	r, err := s.Ping(ns, target, o.req)
	if r != nil {
		if err := o.print(r); err != nil {
			return err
		}
	}
	switch {
	case err != nil:
		_, why := builtins.WrongArgument(err)
		return why
	case !bool(r.Truth()):
		return &exitError{status: exitFailed}
	}
	return nil
}

func (o *pingOptions) print(r starlark.Value) error {
	if !o.json {
		fmt.Fprintln(&stdout, r)
		return nil
	}
	enc := json.NewEncoder(&stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// answerLine is what became of one request.
func answerLine(a probe.PingAnswer) string {
	if a.Error == "" {
		return fmt.Sprintf("%d: %s answers in %.3f ms", a.Number, a.From, a.RTT.Seconds()*1000)
	}
	text := fmt.Sprintf("%d: %s", a.Number, a.Error)
	if a.MTU != 0 {
		text += fmt.Sprintf(" (mtu %d)", a.MTU)
	}
	if a.From != (netip.Addr{}) {
		text += " from " + a.From.String()
	}
	return text
}

// completePing completes the namespace, and after it the target.
func completePing(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return completePlace(cmd, args, typed)
	}
	r := registryHere()
	name, _, err := splitTarget(r, args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	m, err := r.Meta(name)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	spaces, err := spacesOf(r, m)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return spaces, cobra.ShellCompDirectiveNoFileComp
}
