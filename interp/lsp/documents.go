package lsp

import (
	"path/filepath"
	"strings"

	"go.starlark.net/syntax"

	"nsscript/interp"
	"nsscript/interp/static"
)

// document is a text that the editor has open.
type document struct {
	uri     string
	path    string // "" for one that is no file yet
	version int
	source  string
	text    text
	view    *static.View // what is known of it as it is
	whole   *static.View // and as it was when it could be parsed last
	told    bool         // its problems were told
}

func (s *Server) didOpen(p didOpenParams) {
	d := &document{uri: p.TextDocument.URI, path: pathOf(p.TextDocument.URI)}
	s.docs[d.uri] = d
	s.set(d, p.TextDocument.Version, p.TextDocument.Text)
}

func (s *Server) didChange(p didChangeParams) {
	d := s.docs[p.TextDocument.URI]
	if d == nil || len(p.ContentChanges) == 0 {
		return
	}
	s.set(d, p.TextDocument.Version, p.ContentChanges[len(p.ContentChanges)-1].Text)
}

// didSave looks at all documents anew: what they load may have changed on the disk.
func (s *Server) didSave(documentParams) { s.forget() }

func (s *Server) didClose(p documentParams) {
	delete(s.docs, p.TextDocument.URI)
	s.closed = append(s.closed, p.TextDocument.URI)
	s.forget()
}

// set gives a document a text.
func (s *Server) set(d *document, version int, source string) {
	d.version, d.source, d.text = version, source, newText(source)
	d.view, d.told = nil, false
	s.forget()
}

// forget drops what is known of the documents that load others: one of these may
// have changed.
func (s *Server) forget() {
	for _, d := range s.docs {
		if strings.Contains(d.source, "load") {
			d.view, d.told = nil, false
		}
	}
}

// look is what is known of a document.
func (s *Server) look(d *document) *static.View {
	if d.view == nil {
		d.view = s.lookAt(d, d.source)
		if d.view.Script.Tree != nil {
			d.whole = d.view
		}
	}
	return d.view
}

func (s *Server) lookAt(d *document, source string) *static.View {
	in := s.Interp(s.overlay)
	return static.Look(in, s.Library, in.Read(interp.Source{Name: d.name(), Path: d.path, Text: []byte(source)}))
}

// name is what messages call the document.
func (d *document) name() string {
	if d.path == "" {
		return d.uri
	}
	return filepath.Base(d.path)
}

// overlay is the text of a file that the editor has open.
func (s *Server) overlay(path string) ([]byte, bool) {
	for _, d := range s.docs {
		if d.path != "" && d.path == path {
			return []byte(d.source), true
		}
	}
	return nil, false
}

// reading is what is known of a document that is being read at a position, and
// where that is: of one that cannot be parsed, without the broken line.
func (s *Server) reading(d *document, p position) (*static.View, syntax.Position) {
	v := s.look(d)
	if v.Script.Tree == nil {
		if e := v.Script.Errors[0]; int(e.Pos.Line) != p.Line+1 && e.Pos.Line > 0 {
			rest, _ := s.at(d, d.text.clamp(position{int(e.Pos.Line) - 1, len(d.text.line(int(e.Pos.Line) - 1))}))
			return rest, d.text.place(p)
		}
	}
	return v, d.text.place(p)
}

// place is what stands at a place of a document that is being read, and in which
// view of it; nil where nothing does.
func (s *Server) place(p placeParams) (*document, *static.View, *static.Place) {
	d := s.docs[p.TextDocument.URI]
	if d == nil {
		return nil, nil, nil
	}
	v, pos := s.reading(d, d.text.clamp(p.Position))
	return d, v, v.At(pos)
}

// at is what is known of a document that is being written at a position, and where
// that is. While its text cannot be parsed, the statement that is being written is
// left out, and, where that is not enough, all that follows.
func (s *Server) at(d *document, p position) (*static.View, syntax.Position) {
	pos := d.text.place(p)
	if v := s.look(d); v.Script.Tree != nil {
		return v, pos
	}
	before, _ := d.text.split(p)
	first := interp.StatementStart(before) - 1
	indent := d.text.line(first)
	indent = indent[:len(indent)-len(strings.TrimLeft(indent, " \t"))]
	head := append(append([]string{}, d.text[:first]...), indent+"pass")
	blank := make([]string, max(p.Line-first, 0))
	rest := d.text[min(p.Line+1, len(d.text)):]
	pos.Col = min(pos.Col, int32(len(indent)+len("pass")))
	pos.Line = int32(first + 1)
	for _, lines := range [][]string{append(append(head[:len(head):len(head)], blank...), rest...), head} {
		if v := s.lookAt(d, strings.Join(lines, "\n")+"\n"); v.Script.Tree != nil {
			return v, pos
		}
	}
	if d.whole != nil {
		return d.whole, pos
	}
	return s.lookAt(d, ""), pos
}
