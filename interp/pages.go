package interp

import (
	"fmt"
	"io/fs"
	"strings"

	"go.starlark.net/syntax"

	"nsscript/builtins/doc"
)

// LibraryTitle is what the chapters on embedded modules begin with, each followed by
// the module's name.
const LibraryTitle = "The library: "

// Library is the reference of embedded modules: a page for each, by the name that
// load() takes, and one for each function that it gives to others. Their doc strings
// have the form that the descriptions of builtins have.
func Library(embedded fs.FS) (*doc.Library, error) {
	names, err := fs.Glob(embedded, "*.star")
	if err != nil {
		return nil, fmt.Errorf("the embedded modules: %w", err)
	}
	var pages []*doc.Page
	for _, name := range names {
		text, err := fs.ReadFile(embedded, name)
		if err != nil {
			return nil, fmt.Errorf("the embedded module %q: %w", std+name, err)
		}
		module, err := modulePages(Source{Name: std + name, Text: text})
		if err != nil {
			return nil, err
		}
		pages = append(pages, module...)
	}
	return doc.NewLibrary(pages...), nil
}

// modulePages are the page of a module and those of its functions, as one chapter.
func modulePages(src Source) ([]*doc.Page, error) {
	f, e := parse(Dialect(), src, 0)
	if e != nil {
		return nil, e
	}
	page, err := doc.Parse(doc.Module, src.Name, "", DocString(f.tree.Stmts))
	if err != nil {
		return nil, err
	}
	pages := []*doc.Page{page}
	s := &Script{Source: f.src, Tree: f.tree, f: f}
	for _, st := range f.tree.Stmts {
		def, ok := st.(*syntax.DefStmt)
		if !ok || strings.HasPrefix(def.Name.Name, "_") {
			continue
		}
		p, err := s.Page(def)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", src.Name, err)
		}
		pages = append(pages, p)
	}
	for _, p := range pages {
		p.Group = LibraryTitle + src.Name
	}
	return pages, nil
}

// Page is the reference's page of a function of the script, made of its doc string.
// The error tells that this has not the form of a description.
func (s *Script) Page(def *syntax.DefStmt) (*doc.Page, error) {
	name := def.Name.Name
	params := make([]string, len(def.Params))
	for i, p := range def.Params {
		params[i] = s.Text(p)
	}
	return doc.Parse(doc.Builtin, name, name+"("+strings.Join(params, ", ")+")", DocString(def.Body))
}

// DocString is the string with which a body begins, "" for none.
func DocString(body []syntax.Stmt) string {
	if len(body) == 0 {
		return ""
	}
	x, ok := body[0].(*syntax.ExprStmt)
	if !ok {
		return ""
	}
	lit, ok := x.X.(*syntax.Literal)
	if !ok || lit.Token != syntax.STRING {
		return ""
	}
	return doc.Unindent(strings.TrimSpace(lit.Value.(string)))
}
