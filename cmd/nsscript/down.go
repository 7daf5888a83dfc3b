//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"nsscript/builtins/lab"
)

func newDown() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "down LAB… | --all",
		Short: "Take labs down, leaving the machine as it was",
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usage("give the names of labs, or --all (see `%s --help`)", cmd.CommandPath())
			}
			r := registryHere()
			if all {
				return downAll(cmd.Context(), r)
			}
			return down(cmd.Context(), r, args)
		},
		ValidArgsFunction: completeLabs,
	}
	cmd.Flags().BoolVar(&all, "all", false, "take all labs down")
	return cmd
}

func down(ctx context.Context, r lab.Registry, names []string) error {
	var errs []error
	for _, name := range names {
		if err := downOne(ctx, r, name); err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintf(os.Stderr, "lab %s is down\n", name)
	}
	return errors.Join(errs...)
}

// downAll takes down all labs, and those that are only known by their marks.
func downAll(ctx context.Context, r lab.Registry) error {
	names, err := r.Names()
	if err != nil {
		return err
	}
	errs := []error{down(ctx, r, names)}
	traces, err := r.FindTraces(ctx, lab.Where{Host: hostRights() == nil})
	errs = append(errs, err)
	for _, t := range traces {
		err := downLost(ctx, r, t)
		if err == nil {
			fmt.Fprintf(os.Stderr, "lab %s is down\n", t.Lab)
		}
		errs = append(errs, err)
	}
	return errors.Join(append(errs, r.Tidy())...)
}

func downOne(ctx context.Context, r lab.Registry, name string) error {
	claim, err := r.Hold(name)
	if errors.Is(err, fs.ErrNotExist) {
		traces, wrong := r.FindTraces(ctx, lab.Where{Host: hostRights() == nil, Lab: name})
		if wrong != nil || len(traces) == 0 {
			return errors.Join(err, wrong)
		}
		return downLost(ctx, r, traces[0])
	}
	if err != nil {
		return err
	}
	missing, err := tearDown(ctx, claim)
	for _, what := range missing {
		fmt.Fprintf(os.Stderr, "lab %s: gone already: %s\n", name, what)
	}
	if err != nil {
		claim.Release()
		return fmt.Errorf("taking the lab %q down: %w", name, err)
	}
	return claim.Remove()
}

// downLost ends what bears the mark of a lab that the registry does not know.
func downLost(ctx context.Context, r lab.Registry, t *lab.Traces) error {
	claim, err := r.Claim(t.Lab, "") // nobody builds it meanwhile
	if err != nil {
		return err
	}
	err = t.End(ctx)
	known := t.Whole()
	if err == nil && !known {
		known, err = claim.ReturnAll(ctx)
	}
	if err != nil {
		claim.Release()
		return fmt.Errorf("taking the lab %q down: %w", t.Lab, err)
	}
	fmt.Fprintf(os.Stderr, "lab %s: gone already: all that %s told of it; it was known by the marks on %s\n",
		t.Lab, r.Dir, strings.Join(t.Parts(), ", "))
	if !known {
		fmt.Fprintf(os.Stderr, "lab %s: sysctls, policies and empty chains of the machine that it changed cannot be known any more\n", t.Lab)
	}
	return claim.Remove()
}
