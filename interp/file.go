package interp

import (
	"runtime/debug"
	"sync"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// A file is a script or module that was parsed.
type file struct {
	src   Source
	id    string // what tells it from all others; "" when it is no file
	lines []string
	tree  *syntax.File
	prog  *starlark.Program
	loads map[string]*file // what it loads, by the name in its load statements

	// nodes maps the positions that Starlark reports to what they are about.
	nodes func() map[place]syntax.Node

	// globals are the names of a module that has run; guarded by Interp.mu.
	globals starlark.StringDict
}

// Parse reads a script, with its comments, and follows nothing. The error is an
// *[Error].
func Parse(src Source) (*syntax.File, error) {
	f, e := parse(Dialect(), src, syntax.RetainComments)
	if e != nil {
		return nil, e
	}
	return f.tree, nil
}

// parse reads a source.
func parse(opts *syntax.FileOptions, src Source, mode syntax.Mode) (f *file, e *Error) {
	defer recoverStatic(src, &e)
	src = src.clean()
	if e := src.check(); e != nil {
		return nil, e
	}
	f = &file{src: src, lines: splitLines(string(src.Text)), loads: map[string]*file{}}
	tree, err := opts.Parse(src.Name, src.Text, mode)
	if err != nil {
		return nil, syntaxError(f, err)
	}
	f.tree = tree
	f.nodes = sync.OnceValue(func() map[place]syntax.Node { return reported(tree) })
	return f, nil
}

// parse reads a source and remembers it by its positions. The file has no program
// yet.
func (in *Interp) parse(opts *syntax.FileOptions, src Source, id string) (*file, *Error) {
	f, e := parse(opts, src, 0)
	if e != nil {
		return nil, e
	}
	f.id = id
	if len(f.tree.Stmts) > 0 {
		in.mu.Lock()
		in.parsed[fileOf(syntax.Start(f.tree.Stmts[0]))] = f
		in.mu.Unlock()
	}
	return f, nil
}

// compile resolves the names of a parsed file and makes its program.
func (in *Interp) compile(f *file) (e *Error) {
	defer recoverStatic(f.src, &e)
	prog, err := starlark.FileProgram(f.tree, in.predeclared.Has)
	if err != nil {
		return in.resolveError(f, err, nil)
	}
	f.prog = prog
	return nil
}

// recoverStatic turns a panic of the parser or compiler into an error.
func recoverStatic(src Source, e **Error) {
	if v := recover(); v != nil {
		*e = internalError(&Panic{Value: v, Stack: debug.Stack()})
		(*e).Pos = syntax.MakePosition(&src.Name, 0, 0)
	}
}

// loadStmts returns the load statements of a file.
func (f *file) loadStmts() []*syntax.LoadStmt {
	var loads []*syntax.LoadStmt
	for _, s := range f.tree.Stmts {
		if l, ok := s.(*syntax.LoadStmt); ok {
			loads = append(loads, l)
		}
	}
	return loads
}

// exports returns the names that can be loaded from a compiled file.
func (f *file) exports() []string {
	var names []string
	for _, b := range f.tree.Module.(*resolve.Module).Globals {
		if name := b.First.Name; name[0] != '_' {
			names = append(names, name)
		}
	}
	return names
}

// fileOf strips a position of its line and column: what remains is the same for
// all positions of one parsed text, and differs between two texts of one name.
func fileOf(pos syntax.Position) syntax.Position {
	pos.Line, pos.Col = 0, 0
	return pos
}

// fileAt returns the file of a position, or nil.
func (in *Interp) fileAt(pos syntax.Position) *file {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.parsed[fileOf(pos)]
}
