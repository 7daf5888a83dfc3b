package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"nsscript/builtins"
	"nsscript/builtins/doc"
	"nsscript/interp"
	"nsscript/interp/static"
	"nsscript/stdlib"
)

// checkOptions are the flags of check.
type checkOptions struct{ strict, json bool }

func newCheck() *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check FILE|DIR|@EXAMPLE|- …",
		Short: "Find mistakes in scripts without running them",
		Long: `Find mistakes in scripts without running them: names, arguments, fields and
modules that do not exist, values of the wrong type, and, as warnings, what is
never used or reached.

It needs no rights and changes nothing. Of a directory, all .star files in it and
below are taken. The exit status is 1 if there is an error, with --strict also for
a warning. The comment "# buildifier: disable=NAME" on a line, or alone on the one
above it, turns the warning NAME off.`,
		Args: cobra.MinimumNArgs(1), ValidArgsFunction: completeAllScripts,
		RunE: func(_ *cobra.Command, args []string) error {
			return checkAll(args, o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.strict, "strict", false, "warnings count as errors")
	f.BoolVar(&o.json, "json", false, "print what was found as JSON")
	return cmd
}

// diagnosis is what check --json prints of a problem.
type diagnosis struct {
	File     string `json:"file"`
	Line     int32  `json:"line"`
	Column   int32  `json:"column"`
	Length   int    `json:"length"`
	Severity string `json:"severity"` // error or warning
	Category string `json:"category,omitempty"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

func checkAll(args []string, o checkOptions) error {
	lib, err := library()
	if err != nil {
		return err
	}
	files, err := starFiles(args)
	if err != nil {
		return err
	}
	found := []diagnosis{}
	errs, warnings := 0, 0
	for _, file := range files {
		for _, p := range problems(lib, file) {
			if p.Warning == "" {
				errs++
			} else {
				warnings++
			}
			if o.json {
				found = append(found, diagnose(p))
			} else {
				fmt.Fprintln(&stdout, p.Format(colorful(os.Stdout)))
			}
		}
	}
	if o.json {
		enc := json.NewEncoder(&stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(found); err != nil {
			return err
		}
	}
	if errs > 0 || o.strict && warnings > 0 {
		return &exitError{status: exitFailed}
	}
	return nil
}

// problems reads a script and looks at it.
func problems(lib *doc.Library, file string) []*interp.Error {
	read := func() (interp.Source, error) { return readScript(file) }
	if strings.HasPrefix(file, "@") {
		read = func() (interp.Source, error) { return readExample(file) }
	}
	src, err := read()
	if err != nil {
		var e *interp.Error
		if !errors.As(err, &e) {
			e = &interp.Error{Msg: err.Error(), Err: err}
		}
		return []*interp.Error{e}
	}
	in := reader(lib, nil)
	return static.Look(in, lib, in.Read(src)).Problems()
}

// reader makes an Interp that reads scripts, and cannot run them. Files that an
// editor holds are read through overlay; nil for none.
func reader(lib *doc.Library, overlay func(path string) ([]byte, bool)) *interp.Interp {
	return interp.New(interp.Options{Predeclared: interp.Placeholders(lib), Std: stdlib.FS, Overlay: overlay, OtherNames: builtins.OtherNames})
}

func diagnose(e *interp.Error) diagnosis {
	f := diagnosis{
		File: e.Pos.Filename(), Line: e.Pos.Line, Column: e.Pos.Col, Length: e.Len,
		Severity: "error", Category: e.Warning, Message: e.Msg, Hint: e.Hint,
	}
	if e.Warning != "" {
		f.Severity = "warning"
	}
	return f
}
