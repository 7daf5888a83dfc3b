package main

import (
	"strings"

	"github.com/spf13/cobra"

	"nsscript/examples"
)

// What the shells' completion (`nsscript completion bash`) asks for.

// completeScripts completes a script's file or the name of an example.
func completeScripts(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeAllScripts(nil, nil, typed)
}

// completeAllScripts completes one of several scripts.
func completeAllScripts(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	if !strings.HasPrefix(typed, "@") {
		return []string{"star"}, cobra.ShellCompDirectiveFilterFileExt
	}
	names := examples.Names()
	for i, n := range names {
		names[i] = "@" + n
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeExample completes the name of an example.
func completeExample(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault // the file to copy it to
	}
	var names []string
	all, _ := examples.All() // what one of them lacks is no matter here
	for _, e := range all {
		names = append(names, e.Name+"\t"+e.Title)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
