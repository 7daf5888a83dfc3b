// Package course finds the exercises of a course, and keeps what a student has done of
// them. A course is the one that comes with the program, or a folder of exercise scripts;
// this package knows their files and names, not what is in them.
package course

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/syntax"

	"nsscript/builtins/lab"
	"nsscript/builtins/near"
	"nsscript/builtins/op"
	"nsscript/interp"
)

// BuiltIn is what the course that comes with the program is called.
const BuiltIn = "built-in"

// Course is a list of exercises in the order in which they are done.
type Course struct {
	// ID tells courses apart: BuiltIn, or the absolute path of the folder.
	ID    string
	Items []Item
}

// Item is one exercise of a course.
type Item struct {
	N      int    // counted from 1
	Name   string // unique in the course
	Course string // its ID
	Source interp.Source
}

// Origin says where an exercise is: the path of its file, or @exercises/NAME.
func Origin(src interp.Source) string { return cmp.Or(src.Path, src.Name) }

// Embedded reads the course that is in a file system.
func Embedded(fsys fs.FS) (*Course, error) {
	names, err := fs.Glob(fsys, "*.star")
	if err != nil {
		return nil, err
	}
	c := &Course{ID: BuiltIn}
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		c.Items = append(c.Items, Item{Name: nameOf(name), Source: interp.Source{Name: "@exercises/" + nameOf(name), Text: text}})
	}
	return c, c.number()
}

// Folder reads the course in a folder: all scripts in it and below it that call
// exercise(). Names that begin with a number come in its order, the others after them in
// that of the alphabet.
func Folder(dir string) (*Course, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	c := &Course{ID: dir}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != dir && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".star" {
			return nil
		}
		src, err := interp.ReadFile(path)
		if err == nil && IsExercise(src) {
			c.Items = append(c.Items, Item{Name: nameOf(path), Source: src})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the course: %w", err)
	}
	slices.SortStableFunc(c.Items, func(a, b Item) int { return order(dir, a.Source.Path, b.Source.Path) })
	if len(c.Items) == 0 {
		return nil, &op.Error{Msg: fmt.Sprintf("there is no exercise in %s", dir), Tip: "a course is a folder of scripts that call exercise(); begin one with: nsscript exercise new NAME"}
	}
	return c, c.number()
}

// File is the course of one exercise.
func File(path string) (*Course, error) {
	src, err := interp.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &Course{ID: src.Path, Items: []Item{{Name: nameOf(path), Source: src}}}
	return c, c.number()
}

// Open reads a course by its ID.
func Open(id string, builtIn fs.FS) (*Course, error) {
	if id == "" || id == BuiltIn {
		return Embedded(builtIn)
	}
	st, err := os.Stat(id)
	if err != nil {
		return nil, fmt.Errorf("the course: %w", err)
	}
	if !st.IsDir() {
		return File(id)
	}
	return Folder(id)
}

// number numbers the exercises, whose names have to differ.
func (c *Course) number() error {
	seen := map[string]string{}
	for i := range c.Items {
		it := &c.Items[i]
		it.N, it.Course = i+1, c.ID
		if other, ok := seen[it.Name]; ok {
			return &op.Error{Msg: fmt.Sprintf("two exercises are called %q: %s and %s", it.Name, other, it.Source.Name), Tip: "name one of the files otherwise"}
		}
		seen[it.Name] = it.Source.Name
	}
	return nil
}

// Find returns an exercise by its number or its name.
func (c *Course) Find(what string) (*Item, error) {
	n, notNumber := strconv.Atoi(what)
	for i := range c.Items {
		if it := &c.Items[i]; it.Name == what || notNumber == nil && it.N == n {
			return it, nil
		}
	}
	names := make([]string, len(c.Items))
	for i, it := range c.Items {
		names[i] = it.Name
	}
	tip := near.Hint(names, what)
	if tip == "" || notNumber == nil {
		tip = "nsscript exercise list shows them"
	}
	if notNumber == nil {
		return nil, &op.Error{Msg: fmt.Sprintf("there is no exercise %d: the course has %d", n, len(c.Items)), Tip: tip, Err: fs.ErrNotExist, Mute: true}
	}
	return nil, &op.Error{Msg: fmt.Sprintf("there is no exercise %q in the course", what), Tip: tip, Err: fs.ErrNotExist, Mute: true}
}

// After returns the exercise that follows, nil after the last.
func (c *Course) After(it *Item) *Item {
	if it.N >= len(c.Items) {
		return nil
	}
	return &c.Items[it.N]
}

// IsExercise reports whether a script calls exercise() at its top level. What cannot be
// parsed, and names it, counts too: its error is to be seen.
func IsExercise(src interp.Source) bool {
	file, err := interp.Parse(src)
	var wrong *interp.Error
	if errors.As(err, &wrong) {
		return strings.Contains(string(src.Text), "\nexercise(") || strings.HasPrefix(string(src.Text), "exercise(")
	}
	for _, st := range file.Stmts {
		x, ok := st.(*syntax.ExprStmt)
		if !ok {
			continue
		}
		if call, ok := x.X.(*syntax.CallExpr); ok {
			if id, ok := call.Fn.(*syntax.Ident); ok && id.Name == "exercise" {
				return true
			}
		}
	}
	return false
}

// nameOf is the stem of a file without the number that it begins with, as the name of a
// lab can have it.
func nameOf(path string) string {
	stem := strings.TrimSuffix(filepath.Base(path), ".star")
	if _, rest := leading(stem); rest != "" {
		stem = rest
	}
	clean := func(r rune) rune {
		if lab.CheckName("lab", "x"+string(r)) == nil {
			return r
		}
		return '_'
	}
	return strings.Map(clean, stem)
}

// leading is the number that a name begins with, -1 for none, and what follows it.
func leading(stem string) (n int, rest string) {
	rest = strings.TrimLeft(stem, "0123456789")
	n, err := strconv.Atoi(stem[:len(stem)-len(rest)])
	if err != nil {
		n = -1
	}
	return n, strings.TrimLeft(rest, "-_. ")
}

// order compares two paths below a folder, part by part, by the numbers that they begin
// with.
func order(dir, a, b string) int {
	parts := func(path string) []string {
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			rel = path
		}
		return strings.Split(rel, string(filepath.Separator))
	}
	return slices.CompareFunc(parts(a), parts(b), func(x, y string) int {
		nx, _ := leading(x)
		ny, _ := leading(y)
		if (nx < 0) != (ny < 0) {
			return cmp.Compare(ny, nx) // numbers first
		}
		return cmp.Or(cmp.Compare(nx, ny), strings.Compare(x, y))
	})
}
