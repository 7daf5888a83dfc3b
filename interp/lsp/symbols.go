package lsp

import (
	"bytes"
	"slices"
	"strings"

	"go.starlark.net/syntax"

	"nsscript/interp"
	"nsscript/interp/format"
)

// symbols lists the functions and global names of a document, in its order.
func (s *Server) symbols(p documentParams) (any, error) {
	d := s.docs[p.TextDocument.URI]
	if d == nil {
		return []documentSymbol{}, nil
	}
	v := s.look(d)
	if v.Script.Tree == nil {
		v = d.whole // while something is being written
	}
	if v == nil {
		return []documentSymbol{}, nil
	}
	return d.symbolsIn(v.Script.Tree.Stmts, true), nil
}

func (d *document) symbolsIn(body []syntax.Stmt, variables bool) []documentSymbol {
	list := []documentSymbol{}
	add := func(kind int, id *syntax.Ident, n syntax.Node, children []documentSymbol) {
		known := slices.ContainsFunc(list, func(o documentSymbol) bool { return o.Name == id.Name })
		if kind == symbolFunction || !known {
			list = append(list, documentSymbol{Name: id.Name, Kind: kind, Range: d.text.of(n), SelectionRange: d.text.of(id), Children: children})
		}
	}
	for _, st := range body {
		switch st := st.(type) {
		case *syntax.DefStmt:
			add(symbolFunction, st.Name, st, d.symbolsIn(st.Body, false))
		case *syntax.AssignStmt:
			if !variables {
				continue
			}
			syntax.Walk(st.LHS, func(n syntax.Node) bool {
				switch n := n.(type) {
				case *syntax.Ident:
					add(symbolVariable, n, st, nil)
				case *syntax.DotExpr, *syntax.IndexExpr:
					return false
				}
				return true
			})
		}
	}
	return list
}

// formatting lays a document out. One that cannot be parsed is left as it is: its
// diagnostics say why.
func (s *Server) formatting(p documentParams) (any, error) {
	d := s.docs[p.TextDocument.URI]
	if d == nil {
		return nil, nil
	}
	src := interp.Source{Name: d.name(), Path: d.path, Text: []byte(d.source)}
	if _, err := interp.Parse(src); err != nil {
		return nil, nil
	}
	out, err := format.Source(src)
	if err != nil || bytes.Equal(out, src.Text) {
		return []textEdit{}, nil // what cannot be laid out is left as it is
	}
	last := len(d.text) - 1
	whole := textRange{End: position{last, utf16Len(strings.TrimSuffix(d.text[last], "\r"))}}
	return []textEdit{{whole, string(out)}}, nil
}
