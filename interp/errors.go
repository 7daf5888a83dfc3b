package interp

import (
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// An Error is what is wrong with a script, or went wrong in it.
type Error struct {
	Pos  syntax.Position // where; without a line when it is about a whole file
	Msg  string          // what, without the position
	Hint string          // what helps, "" when nothing is known to
	Line string          // the line of the script at Pos
	Col  int             // the first marked character of Line, from 1; 0 for none
	Len  int             // how many characters are marked
	// Warning is the category of what is only advice, "" for an error.
	Warning string
	// Calls led to Pos, innermost first.
	Calls []Call
	// Err is the cause: what a builtin returned, the context's error, or nil.
	Err error
}

// A Call is a place in a script from which the place of an [Error] was reached.
type Call struct {
	Pos  syntax.Position
	Name string // the function that contains it, "<toplevel>" outside of one
	Load bool   // it is a load statement, not a call
}

// A Hinter is an error of a builtin that knows what helps. Its hint is printed
// below the error; lines after the first are indented.
type Hinter interface {
	error
	Hint() string
}

// Late is an error of a builtin that had returned before it came: what the builtin was to
// do was put off.
type Late interface {
	error
	// Stack returns the calls at the builtin, outermost first.
	Stack() starlark.CallStack
	// Unwrap returns what the builtin would have failed with.
	Unwrap() error
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Error returns the whole error as it is printed, without colour.
func (e *Error) Error() string { return e.Format(false) }

// point sets the position and the marked text.
func (e *Error) point(name string, lines []string, at span) {
	e.Pos = syntax.MakePosition(&name, int32(at.line), int32(at.col))
	if at.line < 1 || at.line > len(lines) {
		return
	}
	e.Line, e.Col, e.Len = lines[at.line-1], at.col, at.width
}
