package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"nsscript/interp"
	"nsscript/interp/lsp"
	"nsscript/stdlib"
)

func newLsp() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lsp",
		Short: "Serve an editor: the language server, on the standard input and output",
		Long: `Serve an editor: the language server, on the standard input and output.

It tells what is wrong with a script while it is written, completes, explains what
the cursor is on, shows the arguments of a call, leads to definitions, also in what
is loaded, and lays scripts out. It runs nothing and needs no rights.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			lib, err := library()
			if err != nil {
				return err
			}
			err = lsp.Serve(cmd.Context(), os.Stdin, os.Stdout, lsp.Config{
				Version: version, Library: lib, Std: stdlib.FS, StdDir: stdDir(),
				Interp: func(overlay func(string) ([]byte, bool)) *interp.Interp { return reader(lib, overlay) },
			})
			if errors.Is(err, lsp.ErrNoShutdown) {
				return &exitError{status: exitFailed} // as the protocol has it
			}
			return err
		},
	}
	// Editors give it, as the protocol's tools have it: there is no other way here.
	cmd.Flags().Bool("stdio", true, "talk on the standard input and output")
	return cmd
}

// stdDir is where the embedded modules are put for an editor to open, in the user's
// cache; "" where there is none.
func stdDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "nsscript", "std")
}
