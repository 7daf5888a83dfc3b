package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"nsscript/builtins/near"
	"nsscript/builtins/op"
	"nsscript/examples"
	"nsscript/interp"
)

func newExamples() *cobra.Command {
	var copied, force, asJSON bool
	cmd := &cobra.Command{
		Use:   "examples [NAME [--copy [FILE]]]",
		Short: "List the examples, print one, or copy it to start from",
		Args:  cobra.MaximumNArgs(2), ValidArgsFunction: completeExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 2 && !copied:
				return usage("a FILE is for --copy (see `%s --help`)", cmd.CommandPath())
			case len(args) == 0 && copied:
				return usage("--copy wants the NAME of an example")
			case force && !copied:
				return usage("--force is for --copy")
			case copied && asJSON:
				return usage("give --copy or --json, not both")
			case len(args) == 0:
				return listExamples(asJSON)
			}
			e, err := findExample(args[0])
			if err != nil {
				return err
			}
			if copied {
				return copyExample(e, args[1:], force)
			}
			if asJSON {
				return printJSON(e)
			}
			_, err = io.WriteString(&stdout, e.Text)
			return err
		},
	}
	cmd.Flags().BoolVar(&copied, "copy", false, "copy the example to FILE, or to NAME.star here")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite the file that is there")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// listExamples prints what the examples teach, group by group.
func listExamples(asJSON bool) error {
	all, err := examples.All()
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(all)
	}
	w := tabwriter.NewWriter(&stdout, 0, 0, 2, ' ', 0)
	group := ""
	for _, e := range all {
		if e.Group != group {
			if group != "" {
				fmt.Fprintln(w)
			}
			fmt.Fprintln(w, e.Group)
			group = e.Group
		}
		fmt.Fprintf(w, "  %s\t%s%s\n", e.Name, e.Title, wants(e))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprint(&stdout, "\nnsscript run @NAME runs one, nsscript examples NAME prints it, --copy makes a file of it\n")
	return err
}

// wants is what an example needs of the kernel and of one's patience.
func wants(e examples.Example) string {
	var parts []string
	if len(e.Needs) > 0 {
		parts = append(parts, "needs "+strings.Join(e.Needs, ", "))
	}
	if e.Takes != "" {
		parts = append(parts, "takes "+e.Takes)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

// findExample finds an example by its name, which may have an @ before it.
func findExample(name string) (examples.Example, error) {
	name = strings.TrimSuffix(strings.TrimPrefix(name, "@"), ".star")
	e, err := examples.Read(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return e, &op.Error{Msg: fmt.Sprintf("no example is called %q", name), Tip: near.Hint(examples.Names(), name)}
	}
	return e, err
}

// readExample reads an example, which is named with an @ before it, as a script.
func readExample(name string) (interp.Source, error) {
	e, err := findExample(name)
	return interp.Source{Name: name, Text: []byte(e.Text)}, err
}

// copyExample writes an example to a file: the one that is named, or NAME.star in
// the directory that is named or the current one.
func copyExample(e examples.Example, to []string, force bool) error {
	file := e.Name + ".star"
	if len(to) > 0 {
		if info, err := os.Stat(to[0]); err == nil && info.IsDir() {
			file = filepath.Join(to[0], file)
		} else {
			file = to[0]
		}
	}
	how := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		how = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(file, how, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return &op.Error{Msg: fmt.Sprintf("there is a file %q already", file), Tip: "name another FILE after --copy, or give --force to overwrite it"}
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, e.Text)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "copied to %s; run it with: nsscript run %s\n", file, file)
	return nil
}

func printJSON(v any) error {
	enc := json.NewEncoder(&stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
