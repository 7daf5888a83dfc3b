package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nsscript/builtins/op"
)

// completeLabs completes the names of labs that are up.
func completeLabs(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	names, err := registryHere().Names()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return without(names, args), cobra.ShellCompDirectiveNoFileComp
}

// completeLab completes one lab's name.
func completeLab(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeLabs(cmd, args, typed)
}

func without(names, given []string) []string {
	return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(given, n) })
}

// completePlace completes [LAB/]NS: a bare namespace where one lab only has one of
// that name.
func completePlace(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	r := registryHere()
	labs, err := r.Names()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	having := map[string]int{}
	var all []string
	for _, name := range labs {
		m, err := r.Meta(name)
		if err != nil {
			continue // it is being made or ended
		}
		spaces, err := spacesOf(r, m)
		if err != nil {
			continue
		}
		for _, ns := range append(spaces, op.Host) {
			having[ns]++
			all = append(all, name+"/"+ns)
		}
	}
	if !strings.Contains(typed, "/") {
		for ns, n := range having {
			if n == 1 {
				all = append(all, ns)
			}
		}
	}
	slices.Sort(all)
	return all, cobra.ShellCompDirectiveNoFileComp
}
