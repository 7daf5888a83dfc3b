package interp

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"nsscript/builtins/near"

	"go.starlark.net/resolve"
	"go.starlark.net/syntax"
)

// resolveError explains the first of the names that do not exist, and counts the
// others.
func (in *Interp) resolveError(f *file, err error, extra []string) *Error {
	errs := in.resolveErrors(f, err, extra)
	if n := len(errs) - 1; n > 0 {
		errs[0].Msg += fmt.Sprintf(" (and %d more)", n)
	}
	return errs[0]
}

// CompareErrors orders errors by their places.
func CompareErrors(a, b *Error) int {
	return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
}

// nameError explains one error of the resolver.
func (in *Interp) nameError(f *file, wrong resolve.Error, extra []string) *Error {
	e := &Error{}
	m := f.mark(wrong.Pos)
	if name, ok := strings.CutPrefix(wrong.Msg, "undefined: "); ok {
		name, _, _ = strings.Cut(name, " (did you mean")
		e.Msg = fmt.Sprintf("%q is not defined", name)
		e.Hint = in.undefinedHint(f, name, wrong.Pos, extra)
		if line := f.firstAssigned(name); line > m.line {
			e.Msg = fmt.Sprintf("%q is used before it has a value", name)
			e.Hint = fmt.Sprintf("it gets its value further down, in line %d", line)
		}
	} else {
		e.Msg, e.Hint = misplaced(wrong.Msg)
	}
	e.point(f.src.Name, f.lines, m.span)
	return e
}

// otherNames are names of Python and other languages.
func otherName(name string) string {
	switch name {
	case "true", "TRUE":
		return "write: True"
	case "false", "FALSE":
		return "write: False"
	case "null", "nil", "none", "NULL", "undefined", "Null", "NONE":
		return "write: None"
	case "isinstance":
		return `write: type(x) == "int"`
	case "map", "filter":
		return "write: [f(x) for x in xs if condition]"
	case "sum":
		return "add in a loop: total += x"
	case "pow", "round", "sqrt", "floor", "ceil", "pi":
		return fmt.Sprintf("write: math.%s", name)
	case "input", "raw_input":
		return "a script reads no input; what changes between runs is a parameter"
	case "open":
		return "a script opens no files"
	case "exit", "quit":
		return `a script ends with its last line, or with fail("message")`
	case "printf", "println", "echo", "puts":
		return "write: print"
	case "format":
		return `write: "…{}…".format(x)`
	case "Exception", "ValueError", "RuntimeError", "TypeError":
		return `there are no exceptions; stop the script with fail("message")`
	case "__name__", "__file__", "__main__":
		return "a script runs from its first line to its last; nothing needs to be called at its end"
	case "self", "this":
		return "there are no classes, and so no " + name
	case "os", "sys", "re", "random", "subprocess", "itertools", "collections", "functools":
		return "Python's modules are not available"
	}
	return ""
}

// undefinedHint helps with a name that does not exist.
func (in *Interp) undefinedHint(f *file, name string, pos syntax.Position, extra []string) string {
	if hint := otherName(name); hint != "" {
		return hint
	}
	if hint := in.opts.OtherNames[name]; hint != "" {
		return hint
	}
	names := slices.Concat(in.Names(), f.namesAt(pos), extra)
	if best := near.Name(names, name); best != "" {
		return near.DidYouMean(best)
	}
	if f.isValue(pos) {
		return fmt.Sprintf("a name gets its value first: %s = …; or is it text? That stands in quotes: %q", name, name)
	}
	return ""
}

// namesAt returns the names defined in a file that can be used at a position:
// the global ones, and those of the functions around it.
func (f *file) namesAt(pos syntax.Position) []string {
	var names []string
	bind := func(x syntax.Expr) {
		syntax.Walk(x, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.Ident:
				names = append(names, n.Name)
			case *syntax.IndexExpr, *syntax.DotExpr, *syntax.CallExpr:
				return false // assigns to a part of a value, not to a name
			}
			return true
		})
	}
	syntax.Walk(f.tree, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.AssignStmt:
			bind(n.LHS)
		case *syntax.ForStmt:
			bind(n.Vars)
		case *syntax.ForClause:
			bind(n.Vars)
		case *syntax.LoadStmt:
			for _, to := range n.To {
				names = append(names, to.Name)
			}
		case *syntax.DefStmt:
			names = append(names, n.Name.Name)
			if !contains(n, pos) {
				return false
			}
			names = append(names, paramNames(n.Params)...)
		case *syntax.LambdaExpr:
			if contains(n, pos) {
				names = append(names, paramNames(n.Params)...)
			}
		}
		return true
	})
	return names
}

// paramNames returns the names of parameters, without *args and **kwargs.
func paramNames(params []syntax.Expr) []string {
	var names []string
	for _, p := range params {
		switch p := p.(type) {
		case *syntax.Ident:
			names = append(names, p.Name)
		case *syntax.BinaryExpr:
			names = append(names, p.X.(*syntax.Ident).Name)
		}
	}
	return names
}

// isValue reports whether the name at pos is an argument or a value, and neither
// called nor asked for a field.
func (f *file) isValue(pos syntax.Position) bool {
	value := false
	is := func(x syntax.Expr) bool {
		id, ok := x.(*syntax.Ident)
		return ok && at(id.NamePos) == at(pos)
	}
	syntax.Walk(f.tree, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			for _, a := range n.Args {
				if kv, ok := a.(*syntax.BinaryExpr); ok && kv.Op == syntax.EQ {
					a = kv.Y
				}
				value = value || is(a)
			}
		case *syntax.ListExpr:
			for _, x := range n.List {
				value = value || is(x)
			}
		case *syntax.AssignStmt:
			value = value || is(n.RHS)
		case *syntax.BinaryExpr:
			value = value || n.Op == syntax.EQL && (is(n.X) || is(n.Y))
		}
		return true
	})
	return value
}

// misplaced words the resolver's other errors.
func misplaced(msg string) (string, string) {
	switch {
	case msg == "break not in a loop", msg == "continue not in a loop":
		word, _, _ := strings.Cut(msg, " ")
		return word + " can only stand in a loop", ""
	case msg == "return statement not within a function":
		return "return can only stand in a function", ""
	case strings.HasPrefix(msg, "load statement within "):
		return "load cannot stand in " + strings.TrimPrefix(msg, "load statement within "), "load at the beginning of the file"
	case strings.HasPrefix(msg, "load: names with leading underscores are not exported: "):
		name := msg[strings.LastIndex(msg, " ")+1:]
		return fmt.Sprintf("%q is private to its module: its name begins with _", name), ""
	case strings.HasPrefix(msg, "can't assign to "):
		what := strings.TrimPrefix(msg, "can't assign to ")
		hint := "on the left of = stands a name, x[i] or x.field"
		switch what {
		case "literal":
			what = "a value such as a number or a string"
		case "callexpr":
			what = "the result of a call"
		case "binaryexpr", "unaryexpr", "condexpr", "comprehension", "lambdaexpr", "dictexpr", "sliceexpr":
			what = "an expression"
		}
		return "cannot assign to " + what, hint
	case msg == "positional argument may not follow named":
		return "an argument without a name cannot stand after one with a name", "put it first, or give it its name: name = value"
	case strings.HasPrefix(msg, "keyword argument ") && strings.HasSuffix(msg, " is repeated"):
		return "the argument " + strings.TrimSuffix(strings.TrimPrefix(msg, "keyword argument "), " is repeated") + " is given twice", ""
	case strings.HasPrefix(msg, "duplicate parameter: "):
		return fmt.Sprintf("the parameter %q is there twice", strings.TrimPrefix(msg, "duplicate parameter: ")), ""
	case msg == "required parameter may not follow optional":
		return "a parameter without a default cannot stand after one with a default", ""
	}
	return msg, ""
}
