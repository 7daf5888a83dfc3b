package interp

import (
	"cmp"
	"errors"
	"slices"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// A Script is a script that was read and is not run: what the checker and the
// language server look at.
type Script struct {
	Source Source
	// Tree is nil where the text cannot be parsed. Its names are resolved, as far
	// as they can be.
	Tree *syntax.File
	// Errors are what is wrong with the text, with names that do not exist and
	// with what is loaded.
	Errors []*Error

	f *file
}

// Read reads a script and all that it loads, and goes on after an error where it
// can.
func (in *Interp) Read(src Source) *Script {
	s := &Script{Source: src}
	f, e := in.parse(Dialect(), src, identity(src))
	if e != nil {
		s.Errors = []*Error{e}
		return s
	}
	s.f, s.Tree, s.Source = f, f.tree, f.src
	if err := resolve.File(f.tree, in.predeclared.Has, starlark.Universe.Has); err != nil {
		s.Errors = append(s.Errors, in.resolveErrors(f, err, nil)...)
	}
	linked := map[*file]bool{}
	for _, st := range f.loadStmts() {
		m, e := in.follow(f, st, []*file{f}, linked)
		if e != nil {
			s.Errors = append(s.Errors, e)
			continue
		}
		s.Errors = append(s.Errors, checkLoaded(f, st, m)...)
	}
	return s
}

// Load returns what a load statement of the script loads, nil where it cannot be
// read.
func (s *Script) Load(st *syntax.LoadStmt) *Script {
	m := s.f.loads[st.ModuleName()]
	if m == nil {
		return nil
	}
	return &Script{Source: m.src, Tree: m.tree, f: m}
}

// ID tells the file of a script from all others: the same for every way to name
// it, "" for a script that is no file.
func (s *Script) ID() string {
	if s.f == nil {
		return identity(s.Source)
	}
	return s.f.id
}

// Problem makes an error of what is wrong with a piece of the script; of a node
// of several lines the first is marked.
func (s *Script) Problem(n syntax.Node, msg, hint string) *Error {
	e := &Error{Msg: msg, Hint: hint}
	e.point(s.Source.Name, s.f.lines, s.f.spanOf(n))
	return e
}

// Text is the text of a node, of one on several lines its first.
func (s *Script) Text(n syntax.Node) string {
	at := s.f.spanOf(n)
	line := []rune(s.f.line(at.line))
	return string(line[min(at.col-1, len(line)):min(at.col-1+at.width, len(line))])
}

// Line is a line of the script by its number from 1, "" where there is none.
func (s *Script) Line(n int) string { return s.f.line(n) }

// resolveErrors explains names that do not exist, and statements where they
// cannot stand. Extra names are those of an interactive session.
func (in *Interp) resolveErrors(f *file, err error, extra []string) []*Error {
	var list resolve.ErrorList
	if !errors.As(err, &list) || f == nil {
		return []*Error{{Msg: err.Error(), Err: err}}
	}
	errs := make([]*Error, len(list))
	for i, one := range list {
		errs[i] = in.nameError(f, one, extra)
		errs[i].Err = err
	}
	slices.SortStableFunc(errs, CompareErrors)
	return errs
}

// Globals returns the names that the script binds at its top level, each where that
// is done first, in the order of the text. Names that are loaded are not among
// them.
func (s *Script) Globals() []*syntax.Ident {
	module, ok := s.Tree.Module.(*resolve.Module)
	if !ok {
		return nil
	}
	var ids []*syntax.Ident
	for _, b := range module.Globals {
		ids = append(ids, b.First)
	}
	slices.SortFunc(ids, func(a, b *syntax.Ident) int {
		return cmp.Or(cmp.Compare(a.NamePos.Line, b.NamePos.Line), cmp.Compare(a.NamePos.Col, b.NamePos.Col))
	})
	return ids
}
