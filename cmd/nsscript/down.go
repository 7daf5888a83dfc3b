package main

import (
	"context"
	"errors"
	"fmt"
	"os"

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
				var err error
				if args, err = r.Names(); err != nil {
					return err
				}
			}
			return errors.Join(down(cmd.Context(), r, args), r.Tidy())
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

func downOne(ctx context.Context, r lab.Registry, name string) error {
	claim, err := r.Hold(name)
	if err != nil {
		return err
	}
	if err := tearDown(ctx, claim); err != nil {
		claim.Release()
		return fmt.Errorf("taking the lab %q down: %w", name, err)
	}
	return claim.Remove()
}

// completeLabs completes the names of labs that are up.
func completeLabs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	names, err := registryHere().Names()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
