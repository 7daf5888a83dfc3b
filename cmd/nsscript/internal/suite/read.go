package suite

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/syntax"

	"nsscript/builtins/near"
	"nsscript/builtins/op"
	"nsscript/interp"
)

// The names that a test file has by convention.
const (
	testPrefix = "test_"
	Setup      = "setup"    // called before each test function
	Teardown   = "teardown" // called after each
)

// Read finds the tests of a file, without running it. A file in which something is
// wrong has one test, which says so.
func Read(in *interp.Interp, path string) *File {
	f := &File{Path: path, Params: map[string]bool{}}
	src, err := interp.ReadFile(path)
	if err != nil {
		return f.wrong(err)
	}
	script := in.Read(src)
	if len(script.Errors) > 0 {
		return f.wrong(asErrors(script.Errors)...)
	}
	if lost := loadedTests(script); len(lost) > 0 {
		return f.wrong(asErrors(lost)...)
	}
	usage, err := in.Scan(src)
	if err != nil {
		return f.wrong(err)
	}
	for name := range usage.Params {
		f.Params[name] = true
	}
	f.AnyParam = usage.AnyParam
	for _, id := range script.Globals() {
		if strings.HasPrefix(id.Name, testPrefix) {
			f.Tests = append(f.Tests, &Test{File: f, Func: id.Name, Line: int(id.NamePos.Line)})
		}
	}
	if len(f.Tests) == 0 {
		f.Tests = []*Test{{File: f, Line: 1}}
		f.Idle = !acts(script.Tree)
	}
	return f
}

func asErrors(list []*interp.Error) []error {
	errs := make([]error, len(list))
	for i, e := range list {
		errs[i] = e
	}
	return errs
}

// wrong makes a file of which no test can be run.
func (f *File) wrong(errs ...error) *File {
	f.Tests = []*Test{{File: f, Line: 1, Wrong: Broken(errs...)}}
	f.AnyParam = true // it cannot be said that it has none
	return f
}

// FailureOf is an error as results have it.
func FailureOf(err error) Failure {
	var e *interp.Error
	if errors.As(err, &e) {
		return Failure{Message: e.Msg, Hint: e.Hint, Pos: e.Pos.String(), Text: e.Format(false)}
	}
	f := Failure{Message: err.Error(), Text: "error: " + err.Error()}
	var h interp.Hinter
	if errors.As(err, &h) && h.Hint() != "" {
		f.Hint = h.Hint()
		f.Text += "\n   hint: " + f.Hint
	}
	return f
}

// loadedTests finds tests that are loaded from elsewhere. What is loaded is no
// global name of the file, and so would never run.
func loadedTests(script *interp.Script) []*interp.Error {
	var errs []*interp.Error
	for _, st := range script.Tree.Stmts {
		load, ok := st.(*syntax.LoadStmt)
		if !ok {
			continue
		}
		for i, to := range load.To {
			if to.Name == Setup || to.Name == Teardown || strings.HasPrefix(to.Name, testPrefix) {
				errs = append(errs, script.Problem(to,
					fmt.Sprintf("%q is loaded, and only what the file itself defines is called as a test", to.Name),
					fmt.Sprintf("write: load(%q, its_%s = %q), and below it: %s = its_%s", load.ModuleName(), to.Name, load.From[i].Name, to.Name, to.Name)))
			}
		}
	}
	return errs
}

// acts reports whether the top level of a script does anything but define names.
func acts(tree *syntax.File) bool {
	for _, st := range tree.Stmts {
		switch st.(type) {
		case *syntax.DefStmt, *syntax.LoadStmt:
			continue
		}
		called := false
		syntax.Walk(st, func(n syntax.Node) bool {
			switch n.(type) {
			case *syntax.CallExpr:
				called = true
			case *syntax.DefStmt, *syntax.LambdaExpr:
				return false
			}
			return !called
		})
		if called {
			return true
		}
	}
	return false
}

// Only returns the tests of a file whose function has that name.
func (f *File) Only(name string) ([]*Test, error) {
	var known []string
	for _, t := range f.Tests {
		if t.Func == name || t.Wrong != nil {
			return []*Test{t}, nil
		}
		if t.Func != "" {
			known = append(known, t.Func)
		}
	}
	tip := near.Hint(known, name)
	if len(known) == 0 {
		tip = "it has no function test_*"
	}
	return nil, &op.Error{Msg: fmt.Sprintf("%s has no test %q", f.Path, name), Tip: tip}
}
