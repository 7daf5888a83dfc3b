// Package static tells what can be known of a script without running it: which
// names stand for what, of what type values are, which calls cannot work, and
// what is there to no purpose.
//
// [Look] reads a script, which has to be parsed already, and returns a [View].
// From it come
//
//   - [View.Problems]: errors and warnings, for the checker and the editor;
//   - [View.ValueOf]: what is known of an expression, a [Value];
//   - [View.At]: what stands at a place of the text, and where that is defined.
//
// Types are those of the reference (package doc), written as it writes them:
// "Link", "list[Link]", "string | None". The order of assignments is not followed:
// a name has the types of all that is assigned to it. What is not known is "", and
// nothing is ever said against a value of which something is not known: a script
// that works has no errors here.
//
// names.go finds what each name is, infer.go what an expression is worth, types.go
// calculates with types. calls.go, attrs.go, operators.go and flow.go find errors, warnings.go
// finds what is only advice, place.go what is at a place.
package static

import (
	"go.starlark.net/syntax"

	"nsscript/builtins/doc"
	"nsscript/interp"
)

// A View is what is known of one script.
type View struct {
	Script *interp.Script

	known    *known
	names    map[*syntax.Ident]*Name // by the first place where it is bound
	problems []*interp.Error
}

// known is what the views of a script and of its modules share.
type known struct {
	in      *interp.Interp
	library *doc.Library
	modules map[string]*View

	values map[any]Value // of expressions, names and functions
}

// Look looks at a script that was read. Without a tree there is nothing to know of
// it but its errors.
func Look(in *interp.Interp, library *doc.Library, s *interp.Script) *View {
	return newView(&known{
		in: in, library: library, modules: map[string]*View{}, values: map[any]Value{},
	}, s)
}

func newView(k *known, s *interp.Script) *View {
	v := &View{Script: s, known: k, names: map[*syntax.Ident]*Name{}}
	if s.Tree != nil {
		v.findNames()
	}
	return v
}

// module is the view of what a load statement loads, nil where it cannot be read.
func (v *View) module(st *syntax.LoadStmt) *View {
	s := v.Script.Load(st)
	if s == nil || s.Tree == nil {
		return nil
	}
	id := s.ID()
	if v.known.modules[id] == nil {
		v.known.modules[id] = newView(v.known, s)
	}
	return v.known.modules[id]
}

// report adds an error.
func (v *View) report(n syntax.Node, msg, hint string) {
	v.problems = append(v.problems, v.Script.Problem(n, msg, hint))
}

// warn adds a warning, unless a comment turns its category off.
func (v *View) warn(n syntax.Node, category, msg, hint string) {
	e := v.Script.Problem(n, msg, hint)
	e.Warning = category
	if !v.disabled(int(e.Pos.Line), category) {
		v.problems = append(v.problems, e)
	}
}
