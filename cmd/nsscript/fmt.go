package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"nsscript/interp"
	"nsscript/interp/format"
)

// fmtOptions are the flags of fmt.
type fmtOptions struct{ list, diff, write bool }

func newFmt() *cobra.Command {
	var o fmtOptions
	cmd := &cobra.Command{
		Use:   "fmt [FILE|DIR|-] …",
		Short: "Lay out scripts in the one usual way, as buildifier does",
		Long: `Lay out scripts in the one usual way, as buildifier does, and print them.

Of a directory, all .star files in it and below are taken; without an argument,
or for -, the standard input. With -l or -d the exit status is 1 if a script is
not laid out so.`,
		ValidArgsFunction: completeStarFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"-"}
			}
			files, err := starFiles(args)
			if err != nil {
				return err
			}
			return fmtAll(files, o)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&o.list, "list", "l", false, "print the names of the scripts that are not laid out so")
	f.BoolVarP(&o.diff, "diff", "d", false, "print what would change")
	f.BoolVarP(&o.write, "write", "w", false, "write the scripts anew")
	return cmd
}

// fmtAll lays out scripts; one that cannot be does not keep the others from it.
func fmtAll(files []string, o fmtOptions) error {
	status := exitOK
	for _, file := range files {
		changed, err := fmtOne(file, o)
		if err != nil {
			show(os.Stderr, err)
		}
		if err != nil || changed && (o.list || o.diff) {
			status = exitFailed
		}
	}
	return &exitError{status: status}
}

func fmtOne(file string, o fmtOptions) (changed bool, err error) {
	if file == "-" && o.write {
		return false, usage("the standard input cannot be written: -w wants files")
	}
	src, err := readScript(file)
	if err != nil {
		return false, err
	}
	text, err := format.Source(src)
	if err != nil {
		return false, err
	}
	changed = !bytes.Equal(text, src.Text)
	if !o.list && !o.diff && !o.write {
		_, err := stdout.Write(text)
		return changed, err
	}
	if !changed {
		return false, nil
	}
	if o.list {
		fmt.Fprintln(&stdout, src.Name)
	}
	if o.diff {
		if _, err := stdout.Write(diff.Diff(src.Name, src.Text, src.Name+" (laid out)", text)); err != nil {
			return true, err
		}
	}
	if o.write {
		err = os.WriteFile(file, text, 0o666) // an existing file keeps its mode
	}
	return true, err
}

// readScript reads a script, the standard input for "-".
func readScript(file string) (interp.Source, error) {
	if file == "-" {
		text, err := io.ReadAll(os.Stdin)
		return interp.Source{Name: "<stdin>", Text: text}, err
	}
	return interp.ReadFile(file)
}

// starFiles lists the files that arguments name: of a directory, the scripts in it
// and below it, except in hidden directories.
func starFiles(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if arg == "-" || err != nil || !info.IsDir() { // what is wrong with a file, its reading tells
			files = append(files, arg)
			continue
		}
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && path != arg && strings.HasPrefix(d.Name(), "."):
				return fs.SkipDir
			case d.Type().IsRegular() && filepath.Ext(path) == ".star":
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, errors.New("there is no .star file")
	}
	return files, nil
}

// completeStarFiles completes files and directories.
func completeStarFiles(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return []string{"star"}, cobra.ShellCompDirectiveFilterFileExt
}
