package interp

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"nsscript/builtins/near"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// std is what the names of embedded modules begin with.
const std = "@std//"

// A target is the file that a load statement names.
type target struct {
	id   string // the same for every way to name the file
	name string // as shown in errors
	path string // of a file of the file system; else ""
}

// prepare parses and compiles a script and everything it loads.
func (in *Interp) prepare(src Source) (*file, *Error) {
	f, e := in.parse(Dialect(), src, identity(src))
	if e != nil {
		return nil, e
	}
	if e := in.compile(f); e != nil {
		return nil, e
	}
	if e := in.link(f, nil, map[*file]bool{}); e != nil {
		return nil, e
	}
	return f, nil
}

// identity tells a script that is loaded by what it loads.
func identity(src Source) string {
	if src.Path == "" {
		return ""
	}
	return canonical(src.Path)
}

// canonical is the path of a file without symbolic links.
func canonical(p string) string {
	if real, err := filepath.EvalSymlinks(p); err == nil {
		return real
	}
	return filepath.Clean(p)
}

// link finds all that f loads. The chain is what loads f, outermost first.
func (in *Interp) link(f *file, chain []*file, linked map[*file]bool) *Error {
	if linked[f] {
		return nil
	}
	chain = append(slices.Clip(chain), f)
	for _, st := range f.loadStmts() {
		m, e := in.follow(f, st, chain, linked)
		if e != nil {
			return e
		}
		if errs := checkLoaded(f, st, m); len(errs) > 0 {
			return errs[0]
		}
	}
	linked[f] = true
	return nil
}

// follow returns the module of a load statement of f, itself linked.
func (in *Interp) follow(f *file, st *syntax.LoadStmt, chain []*file, linked map[*file]bool) (*file, *Error) {
	name := st.ModuleName()
	t, e := in.resolve(f, name)
	if e == nil {
		if i := slices.IndexFunc(chain, func(c *file) bool { return c.id == t.id }); i >= 0 {
			e = cycle(chain[i:])
		}
	}
	m := in.cached(t.id)
	var src Source
	if e == nil && m == nil {
		src, e = in.read(t, name)
	}
	if e != nil {
		e.point(f.src.Name, f.lines, f.spanOf(st.Module))
		return nil, e
	}
	if m == nil {
		if m, e = in.parse(Dialect(), src, t.id); e == nil {
			e = in.compile(m)
		}
	}
	if e == nil {
		e = in.link(m, chain, linked)
	}
	if e != nil {
		e.Calls = append(e.Calls, Call{Pos: st.Load, Load: true})
		return nil, e
	}
	f.loads[name] = in.keep(m)
	return m, nil
}

// cached returns the module with this identity, or nil.
func (in *Interp) cached(id string) *file {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.modules[id]
}

// keep remembers a linked module, and returns the one that is remembered.
func (in *Interp) keep(m *file) *file {
	in.mu.Lock()
	defer in.mu.Unlock()
	if old := in.modules[m.id]; old != nil {
		return old
	}
	in.modules[m.id] = m
	return m
}

// cycle is the error of a module that loads itself.
func cycle(chain []*file) *Error {
	var names []string
	for _, f := range chain {
		names = append(names, f.src.Name)
	}
	names = append(names, names[0])
	return &Error{
		Msg:  "these files load one another in a circle: " + strings.Join(names, " -> "),
		Hint: "move what both need to a file of its own",
	}
}

// resolve finds out which file a load statement of f means.
func (in *Interp) resolve(f *file, module string) (target, *Error) {
	inside, embedded := strings.CutPrefix(f.id, std)
	switch rest, isStd := strings.CutPrefix(module, std); {
	case module == "":
		return target{}, &Error{Msg: "load needs the name of a file", Hint: `load("./lib.star", "name")`}
	case isStd:
		return in.resolveStd(module, path.Clean(rest))
	case strings.HasPrefix(module, "@"):
		e := &Error{Msg: fmt.Sprintf("there is no module %q", module), Hint: `the names of embedded modules begin with "@std//"`}
		if rest, ok := strings.CutPrefix(module, "@std/"); ok {
			e.Hint = near.DidYouMean(std + rest)
		}
		return target{}, e
	case embedded && path.IsAbs(module):
		return target{}, &Error{Msg: fmt.Sprintf("the embedded module %q cannot load %q: it is no embedded one", f.id, module)}
	case embedded:
		return in.resolveStd(module, path.Join(path.Dir(inside), module))
	}
	return resolveFile(f, module)
}

// resolveStd finds an embedded module.
func (in *Interp) resolveStd(module, name string) (target, *Error) {
	if !fs.ValidPath(name) || name == "." {
		return target{}, &Error{Msg: fmt.Sprintf("there is no embedded module %q", module), Hint: in.stdHint(name)}
	}
	return target{id: std + name, name: std + name}, nil
}

// resolveFile finds a file, relative to the one that loads it.
func resolveFile(f *file, module string) (target, *Error) {
	if filepath.IsAbs(module) {
		p := filepath.Clean(module)
		return target{id: canonical(p), name: p, path: p}, nil
	}
	if f.src.Path == "" {
		abs, err := filepath.Abs(module)
		if err != nil {
			return target{}, &Error{Msg: fmt.Sprintf("%q: %v", module, err), Err: err}
		}
		return target{id: canonical(abs), name: filepath.Clean(module), path: abs}, nil
	}
	p := filepath.Join(filepath.Dir(f.src.Path), module)
	return target{id: canonical(p), name: filepath.Join(filepath.Dir(f.src.Name), module), path: p}, nil
}

// read returns the text of a module.
func (in *Interp) read(t target, module string) (Source, *Error) {
	if t.path == "" {
		return in.readStd(t, module)
	}
	if in.opts.Overlay != nil {
		if text, ok := in.opts.Overlay(t.path); ok {
			return Source{Name: t.name, Path: t.path, Text: text}, nil
		}
	}
	src, err := readModule(t)
	if err == nil {
		return src, nil
	}
	e := &Error{Msg: fmt.Sprintf("cannot load %q: %s", module, reason(err)), Err: err}
	if errors.Is(err, fs.ErrNotExist) {
		e.Msg = fmt.Sprintf("cannot load %q: there is no file %s", module, t.path)
		e.Hint = nearFile(t.path, module)
	}
	return Source{}, e
}

// readModule reads a file that is loaded. Only regular files are: a pipe could
// block for ever.
func readModule(t target) (Source, error) {
	info, err := os.Stat(t.path)
	if err != nil {
		return Source{}, err
	}
	if !info.Mode().IsRegular() && !info.IsDir() {
		return Source{}, &fs.PathError{Op: "read", Path: t.path, Err: errors.New("it is no regular file")}
	}
	f, err := os.Open(t.path)
	if err != nil {
		return Source{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	return Source{Name: t.name, Path: t.path, Text: text}, err
}

// readStd reads an embedded module.
func (in *Interp) readStd(t target, module string) (Source, *Error) {
	name := strings.TrimPrefix(t.id, std)
	err := fs.ErrNotExist
	if in.opts.Std != nil {
		var text []byte
		if text, err = fs.ReadFile(in.opts.Std, name); err == nil {
			return Source{Name: t.name, Text: text}, nil
		}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return Source{}, &Error{Msg: fmt.Sprintf("cannot load %q: %s", module, reason(err)), Err: err}
	}
	return Source{}, &Error{
		Msg:  fmt.Sprintf("cannot load %q: there is no embedded module %q", module, t.id),
		Hint: in.stdHint(name), Err: err,
	}
}

// stdHint names the embedded module nearest to the given one, or all of its
// folder.
func (in *Interp) stdHint(name string) string {
	dir := path.Dir(name)
	if in.opts.Std == nil || !fs.ValidPath(dir) {
		return ""
	}
	entries, err := fs.ReadDir(in.opts.Std, dir)
	if err != nil {
		entries, err = fs.ReadDir(in.opts.Std, ".")
		dir = "."
	}
	if err != nil {
		return ""
	}
	if hint := nearModule(entries, std+path.Join(dir, path.Base(name)), path.Base(name)); hint != "" {
		return hint
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".star") {
			names = append(names, fmt.Sprintf("%q", std+path.Join(dir, e.Name())))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "there are " + strings.Join(names, ", ")
}

// checkLoaded finds the names that a load statement takes from a module and that
// the module does not have.
func checkLoaded(f *file, st *syntax.LoadStmt, m *file) []*Error {
	var errs []*Error
	names := m.exports()
	for _, from := range st.From {
		if slices.Contains(names, from.Name) || strings.HasPrefix(from.Name, "_") {
			continue // of a private one the resolver tells
		}
		e := &Error{Msg: fmt.Sprintf("%q does not define %q", st.ModuleName(), from.Name)}
		if best := near.Name(names, from.Name); best != "" {
			e.Hint = near.DidYouMean(best)
		} else if via := m.loaderOf(from.Name); via != "" {
			e.Hint = fmt.Sprintf("it only loads it itself, from %q: load it from there", via)
		} else if len(names) > 0 && len(names) <= 12 {
			slices.Sort(names)
			e.Hint = "it defines " + strings.Join(names, ", ")
		}
		e.point(f.src.Name, f.lines, f.spanOf(from))
		errs = append(errs, e)
	}
	return errs
}

// loaderOf returns the module from which a file loads a name.
func (f *file) loaderOf(name string) string {
	for _, st := range f.loadStmts() {
		for _, to := range st.To {
			if to.Name == name {
				return st.ModuleName()
			}
		}
	}
	return ""
}

// load is called by Starlark for a load statement.
func (in *Interp) load(thread *starlark.Thread, module string) (starlark.StringDict, error) {
	f := in.fileAt(thread.CallFrame(0).Pos)
	if f == nil || f.loads[module] == nil {
		return nil, fmt.Errorf("the module %q was not found", module)
	}
	return in.runModule(thread, f.loads[module])
}

// runModule runs a module unless it was, and returns its names.
func (in *Interp) runModule(thread *starlark.Thread, m *file) (starlark.StringDict, error) {
	in.mu.Lock()
	globals := m.globals
	in.mu.Unlock()
	if globals != nil {
		return globals, nil
	}
	globals, err := m.prog.Init(thread, in.predeclared)
	globals.Freeze()
	in.mu.Lock()
	defer in.mu.Unlock()
	if err != nil {
		delete(in.modules, m.id) // it may be corrected and loaded again
		return nil, err
	}
	if m.globals == nil {
		m.globals = globals
	}
	return m.globals, nil
}
