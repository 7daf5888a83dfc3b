package lsp

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.starlark.net/syntax"

	"nsscript/interp/static"
)

func (s *Server) definition(p placeParams) (any, error) {
	d, v, place := s.place(p)
	if place == nil {
		return nil, nil
	}
	locations := []location{}
	add := func(in *static.View, n syntax.Node) error {
		uri, text, err := s.file(d, in)
		if err == nil && uri != "" {
			r := textRange{}
			if n != nil {
				r = text.of(n)
			}
			locations = append(locations, location{uri, r})
		}
		return err
	}
	var err error
	f := place.Value.Func
	switch {
	case place.Arg != "":
		if f != nil && f.View != nil {
			err = add(f.View, parameter(f, place.Arg))
		}
	case place.Name != nil:
		for _, def := range place.Name.Defs {
			if def.Kind != static.Augmented && err == nil {
				err = add(place.In, def.Ident)
			}
		}
	case place.In != nil && place.In != v:
		err = add(place.In, nil)
	}
	return locations, err
}

// parameter is where a function of a script names its parameter.
func parameter(f *static.Func, name string) syntax.Node {
	var params []syntax.Expr
	switch n := f.Node.(type) {
	case *syntax.DefStmt:
		params = n.Params
	case *syntax.LambdaExpr:
		params = n.Params
	}
	for _, p := range params {
		id, ok := p.(*syntax.Ident)
		if kv, is := p.(*syntax.BinaryExpr); is {
			id, ok = kv.X.(*syntax.Ident)
		}
		if ok && id.Name == name {
			return id
		}
	}
	return f.Node
}

// file is the URI and the text of a script: of one that the editor has open, of a
// file, or of an embedded module, which is written to a file for that.
func (s *Server) file(d *document, v *static.View) (uri string, t text, err error) {
	src := v.Script.Source
	t = newText(string(src.Text))
	switch {
	case v == d.view, src.Path == "" && src.Name == d.name():
		return d.uri, d.text, nil
	case src.Path != "":
		return uriOf(src.Path), t, nil
	case strings.HasPrefix(src.Name, "@std//"):
		uri, err = s.shown(strings.TrimPrefix(src.Name, "@std//"))
	}
	return uri, t, err
}

// shown writes an embedded module to a file that the editor can open, and returns
// its URI.
func (s *Server) shown(name string) (string, error) {
	if s.StdDir == "" {
		return "", nil
	}
	text, err := fs.ReadFile(s.Std, name)
	if err != nil {
		return "", err
	}
	file := filepath.Join(s.StdDir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	if old, err := os.ReadFile(file); err == nil && string(old) == string(text) {
		return uriOf(file), nil
	}
	_ = os.Remove(file) // it may be of another version, and cannot be written
	return uriOf(file), os.WriteFile(file, text, 0o444)
}
