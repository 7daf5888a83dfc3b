//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"nsscript/builtins"
	"nsscript/builtins/lab"
	"nsscript/cmd/nsscript/internal/course"
	"nsscript/interp"
)

// exerciseScript is an exercise whose script was run: as a plan, so that nothing was
// built, or for real.
type exerciseScript struct {
	*ready
	*builtins.Exercise
	script *interp.Script
	out    *mutable

	setup, checks, solution *starlark.Function
	hints                   []string
	wrong, right            []starlark.Callable

	made starlark.Value // by setup(); nil before it was called
}

// mutable is where a script prints, which can be changed.
type mutable struct{ io.Writer }

// readExercise reads an exercise and runs its script as a plan. What it prints is lost.
func readExercise(ctx context.Context, src interp.Source, name string, o builtins.Options) (*exerciseScript, error) {
	o.Lab = lab.NewPlan(lab.Options{Name: name})
	e := &exerciseScript{out: &mutable{io.Discard}}
	e.ready = language(ctx, e.out, o)
	e.script = e.interp.Read(src)
	return e, e.run(ctx)
}

// run runs the script's top level, and finds what it has defined.
func (e *exerciseScript) run(ctx context.Context) error {
	e.session.Use(ctx)
	globals, err := e.interp.Run(ctx, e.script.Source)
	if err != nil {
		return err
	}
	if e.Exercise = e.session.Exercise(); e.Exercise == nil {
		return &interp.Error{Msg: e.script.Source.Name + ": the script is no exercise: it does not call exercise()", Hint: "nsscript doc exercise shows how one is written"}
	}
	for name, f := range map[string]**starlark.Function{"setup": &e.setup, "checks": &e.checks, "solution": &e.solution} {
		most := 1
		if name == "setup" {
			most = 0
		}
		if *f, err = functionOf(e.script, globals, name, most); err != nil {
			return err
		}
	}
	if e.checks == nil || e.solution == nil {
		return &interp.Error{Msg: e.script.Source.Name + ": an exercise defines checks() and solution()", Hint: "nsscript doc exercise shows how one is written"}
	}
	if e.hints, err = e.strings(globals, "hints"); err != nil {
		return err
	}
	if e.wrong, err = e.functions(globals, "wrong"); err != nil {
		return err
	}
	e.right, err = e.functions(globals, "right")
	return err
}

// build calls setup().
func (e *exerciseScript) build(ctx context.Context) (err error) {
	e.made = starlark.None
	if e.setup != nil {
		e.made, err = e.interp.Call(ctx, e.setup)
	}
	return err
}

// needsMade reports whether a function takes what setup() returns.
func (e *exerciseScript) needsMade() bool {
	for _, fn := range append([]starlark.Callable{e.checks, e.solution}, append(e.wrong, e.right...)...) {
		if f, ok := fn.(*starlark.Function); ok && f.NumParams() > 0 {
			return true
		}
	}
	return false
}

// call calls one of the exercise's functions with what setup() has made.
func (e *exerciseScript) call(ctx context.Context, fn starlark.Callable) error {
	var args []starlark.Value
	if f, ok := fn.(*starlark.Function); ok {
		args = given(f, e.made)
	}
	_, err := e.interp.Call(ctx, fn, args...)
	return err
}

// strings is a global list of strings; nil where there is none of that name.
func (e *exerciseScript) strings(globals starlark.StringDict, name string) ([]string, error) {
	var list []string
	err := e.each(globals, name, "strings", func(v starlark.Value) bool {
		s, ok := starlark.AsString(v)
		list = append(list, strings.TrimSpace(s))
		return ok
	})
	return list, err
}

// functions is a global list of functions.
func (e *exerciseScript) functions(globals starlark.StringDict, name string) ([]starlark.Callable, error) {
	var list []starlark.Callable
	err := e.each(globals, name, "functions that take no argument, or one: what setup() returns", func(v starlark.Value) bool {
		f, ok := v.(starlark.Callable)
		list = append(list, f)
		fn, is := v.(*starlark.Function)
		return ok && (!is || fn.NumParams() <= 1)
	})
	return list, err
}

// each gives the elements of a global list to take, which tells whether they are as they
// should be.
func (e *exerciseScript) each(globals starlark.StringDict, name, of string, take func(starlark.Value) bool) error {
	v := globals[name]
	if v == nil {
		return nil
	}
	it := starlark.Iterate(v)
	if it == nil {
		return globalProblem(e.script, name, fmt.Sprintf("%s is a list of %s, and it is of type %s", name, of, v.Type()), "")
	}
	defer it.Done()
	var x starlark.Value
	for i := 0; it.Next(&x); i++ {
		if !take(x) {
			return globalProblem(e.script, name, fmt.Sprintf("%s is a list of %s, and %s[%d] is %s", name, of, name, i, describeValue(x)), "")
		}
	}
	return nil
}

func describeValue(v starlark.Value) string {
	if fn, ok := v.(*starlark.Function); ok {
		return fmt.Sprintf("the function %s with %d parameters", fn.Name(), fn.NumParams())
	}
	return "of type " + v.Type()
}

// answerName is what a wrong or right answer is called in a report.
func answerName(fn starlark.Callable) string {
	f, ok := fn.(*starlark.Function)
	if !ok {
		return fn.Name()
	}
	if doc, _, _ := strings.Cut(strings.TrimSpace(f.Doc()), "\n"); doc != "" {
		return strings.TrimSuffix(doc, ".")
	}
	if f.Name() == "lambda" {
		return fmt.Sprintf("the one of line %d", f.Position().Line)
	}
	return strings.ReplaceAll(f.Name(), "_", " ")
}

// networkName is what the lab of an exercise is called.
func networkName(it *course.Item) string {
	name := "exercise-" + it.Name
	return name[:min(len(name), 63)]
}

// defOf is the statement that defines a function of the script.
func (e *exerciseScript) defOf(fn *starlark.Function) *syntax.DefStmt {
	for _, st := range e.script.Tree.Stmts {
		if def, ok := st.(*syntax.DefStmt); ok && def.Name.Name == fn.Name() {
			return def
		}
	}
	return nil
}

// bodyOf is the text of a function without its head and its doc string, not set in.
func (e *exerciseScript) bodyOf(fn *starlark.Function) string {
	def := e.defOf(fn)
	if def == nil {
		return ""
	}
	body := def.Body
	if interp.DocString(body) != "" {
		body = body[1:]
	}
	if len(body) == 0 {
		return ""
	}
	first, _ := body[0].Span()
	_, last := body[len(body)-1].Span()
	lines := strings.Split(string(e.script.Source.Text), "\n")
	return strings.TrimRight(dedent(strings.Join(lines[first.Line-1:last.Line], "\n")), "\n")
}

// docOf is the doc string of a function, without the indentation of the function's body.
func (e *exerciseScript) docOf(fn *starlark.Function) string {
	def := e.defOf(fn)
	if def == nil {
		return strings.TrimSpace(fn.Doc())
	}
	start, _ := def.Body[0].Span()
	indent := strings.Repeat(" ", int(start.Col)-1)
	return strings.TrimSpace(strings.ReplaceAll(fn.Doc(), "\n"+indent, "\n"))
}
