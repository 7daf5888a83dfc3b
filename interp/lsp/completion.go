package lsp

import (
	"strings"

	"nsscript/interp"
	"nsscript/interp/complete"
)

func (s *Server) completion(p placeParams) (any, error) {
	list := completionList{Items: []completionItem{}}
	d := s.docs[p.TextDocument.URI]
	if d == nil {
		return list, nil
	}
	p.Position = d.text.clamp(p.Position)
	before, after := d.text.split(p.Position)
	c := interp.ContextAt(before, after)
	v, pos := s.at(d, p.Position)
	from := p.Position
	from.Character -= utf16Len(c.Prefix)
	if from.Character < 0 { // in a string of several lines
		return list, nil
	}
	for _, item := range complete.At(c, v.Scope(pos)) {
		list.Items = append(list.Items, s.item(item, textRange{from, p.Position}, after, c.Kind))
	}
	return list, nil
}

// item is an item as the editor shows it; it replaces what is there of it already.
func (s *Server) item(i complete.Item, at textRange, after string, where interp.ContextKind) completionItem {
	out := completionItem{
		Label: i.Name, Kind: kindOf(i, where), Detail: i.Detail, SortText: rank(i) + i.Name,
		TextEdit: textEdit{at, i.Plain()},
	}
	switch {
	case i.Kind == complete.Argument:
		out.Label = i.Name + " ="
		out.FilterText = i.Name
		out.Documentation = markdown(i.Arg.Line())
	case i.Kind == complete.Field:
		out.Documentation = markdown(i.Arg.Line())
	case i.Page != nil:
		out.Documentation = markdown(i.Page.Summary)
	}
	if i.Kind == complete.Function {
		out.TextEdit.NewText = i.Name
		if s.snippets && !strings.HasPrefix(after, "(") {
			out.TextEdit.NewText, out.TextFormat = i.Name+"($0)", formatSnippet
		}
	}
	return out
}

func kindOf(i complete.Item, where interp.ContextKind) int {
	switch i.Kind {
	case complete.Function:
		if where == interp.AtAttr {
			return itemMethod
		}
		return itemFunction
	case complete.Module:
		return itemModule
	case complete.Field:
		return itemField
	case complete.Argument:
		return itemProperty
	case complete.Keyword:
		return itemKeyword
	case complete.File:
		return itemFile
	case complete.Variable:
		return itemVariable
	}
	return itemValue
}

// rank puts arguments first, then what the script and the language have, keywords
// last.
func rank(i complete.Item) string {
	switch {
	case i.Kind == complete.Argument:
		return "0"
	case i.Kind == complete.Keyword:
		return "3"
	case i.Page != nil:
		return "2"
	}
	return "1"
}
