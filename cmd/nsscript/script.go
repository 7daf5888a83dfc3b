package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"nsscript/builtins"
	"nsscript/builtins/lab"
	"nsscript/interp"
	"nsscript/stdlib"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.starlark.net/starlark"
)

// source finds the script that the arguments name, and the name and the origin
// of its lab.
func source(args []string, code string) (src interp.Source, name, origin string, err error) {
	if code != "" {
		return interp.Source{Name: "<command line>", Text: []byte(code)}, "cmdline", "-c", nil
	}
	file := args[0]
	if file == "-" {
		text, err := io.ReadAll(os.Stdin)
		return interp.Source{Name: "<stdin>", Text: text}, "stdin", "-", err
	}
	if strings.HasPrefix(file, "@") {
		src, err := readExample(file)
		return src, labName(file[1:]), file, err
	}
	src, err = interp.ReadFile(file)
	if err != nil {
		return src, "", "", err
	}
	return src, labName(file), src.Path, nil
}

// labName is the stem of a file, as a lab's name.
func labName(file string) string {
	stem := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	clean := func(r rune) rune {
		if lab.CheckName("lab", string(r)) == nil || strings.ContainsRune("-_.", r) {
			return r
		}
		return '_'
	}
	stem = strings.TrimLeft(strings.Map(clean, stem), "-.")
	if stem == "" {
		return "lab"
	}
	return stem[:min(len(stem), 63)]
}

// ready is what a script or an interactive session runs on.
type ready struct {
	session *builtins.Session
	interp  *interp.Interp
	params  map[string]string
}

// language makes the language for a lab; out is where the script prints.
func language(ctx context.Context, out io.Writer, o builtins.Options) *ready {
	r := &ready{params: o.Params}
	o.Out, o.Help = out, helper()
	if o.Explained == nil {
		o.Explained = func(err error) (msg, hint string) {
			e := r.interp.Explain(ctx, err)
			return fmt.Sprintf("%s: %s", e.Pos, e.Msg), e.Hint
		}
	}
	if !o.Lab.Planned() {
		o.Interact = func(thread *starlark.Thread) error { return interactWith(r)(thread) }
	}
	r.session = builtins.NewSession(ctx, o)
	r.interp = interp.New(interp.Options{
		Predeclared: r.session.Predeclared(), Std: stdlib.FS, OtherNames: builtins.OtherNames,
		Print:   func(_ *starlark.Thread, msg string) { fmt.Fprintln(out, msg) },
		CatchUp: r.session.CatchUp,
	})
	return r
}

// foresee finds out, before anything is built, what would stop the script: an
// error in its text, a program that it needs and that is missing, a parameter
// that it does not have.
func foresee(in *interp.Interp, src interp.Source, s *builtins.Session, params map[string]string) error {
	usages, err := in.Scan(src)
	if err != nil {
		return err
	}
	if s.Lab().Planned() {
		return knownParams(usages, params)
	}
	for _, name := range builtins.UsesIptables {
		_, named := usages.Names[name]
		_, asAttr := usages.Attrs[name]
		if named || asAttr {
			if err := s.NeedIptables(); err != nil {
				return err
			}
			break
		}
	}
	return knownParams(usages, params)
}

// knownParams refuses values for parameters that the script does not have.
func knownParams(usages interp.Usage, params map[string]string) error {
	if usages.AnyParam {
		return nil
	}
	for name := range params {
		if _, ok := usages.Params[name]; !ok {
			var known []string
			for k := range usages.Params {
				known = append(known, k)
			}
			slices.Sort(known)
			hint := "it has none"
			if len(known) > 0 {
				hint = "it has " + strings.Join(known, ", ")
			}
			return usage("the script has no parameter %q: %s", name, hint)
		}
	}
	return nil
}

func parseSets(sets []string) (map[string]string, error) {
	params := map[string]string{}
	for _, s := range sets {
		k, v, ok := strings.Cut(s, "=")
		if !ok || k == "" {
			return nil, usage("--set wants NAME=VALUE, got %q", s)
		}
		params[k] = v
	}
	return params, nil
}

// plural is a noun for so many.
func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// skippedBy returns the skip() that ended a script, nil where none did.
func skippedBy(err error) *builtins.Skipped {
	var s *builtins.Skipped
	if !errors.As(err, &s) {
		return nil
	}
	return s
}

// skipLine says where and why a script was ended by skip().
func skipLine(err error) string {
	line := "skipped"
	if s := skippedBy(err); s.Reason != "" {
		line += ": " + s.Reason
	}
	var at *interp.Error
	if errors.As(err, &at) {
		line += fmt.Sprintf(" (%s)", at.Pos)
	}
	return line
}

// checkScript refuses arguments that name no script, or two.
func checkScript(cmd *cobra.Command, args []string, code string) error {
	if len(args) == 1 && code != "" {
		return usage("give a script or -c CODE, not both")
	}
	if len(args) == 0 && code == "" {
		return usage("give a file, @example, - or -c CODE (see `%s --help`)", cmd.CommandPath())
	}
	return nil
}
