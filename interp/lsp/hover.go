package lsp

import (
	"fmt"

	"go.starlark.net/syntax"

	"nsscript/builtins/doc"
	"nsscript/interp"
	"nsscript/interp/static"
)

func (s *Server) hover(p placeParams) (any, error) {
	d, v, place := s.place(p)
	if place == nil {
		return nil, nil
	}
	text := told(v, place)
	if text == "" {
		return nil, nil
	}
	return hoverResult{markdown(text), d.text.of(place.Node)}, nil
}

// told says what stands at a place.
func told(v *static.View, p *static.Place) string {
	id, ok := p.Node.(*syntax.Ident)
	if !ok {
		if p.In != nil {
			return code(p.In.Script.Source.Name) + interp.DocString(p.In.Script.Tree.Stmts)
		}
		return ""
	}
	f := p.Value.Func
	switch {
	case p.Arg != "" && f != nil:
		for _, a := range f.Args {
			if a.Name == p.Arg {
				return code(a.Label()) + a.Line()
			}
		}
		return ""
	case p.Dot != nil && f == nil:
		if of, field, ok := v.FieldOf(p.Dot); ok {
			return code(of+"."+field.Name+": "+field.Type) + field.Line()
		}
	case f != nil && f.Page != nil:
		return f.Page.Markdown()
	case f != nil:
		text := code("def " + f.Signature)
		if def, ok := f.Node.(*syntax.DefStmt); ok {
			if page, err := f.View.Script.Page(def); err == nil && page.Returns.Type != "" {
				return page.Markdown()
			}
			text += interp.DocString(def.Body)
			if t := f.Returns().Type; t != "" && t != "None" {
				text += fmt.Sprintf("\n\n**Returns** `%s`", t)
			}
		}
		return text
	}
	if p.Value.Page != nil && (p.Name == nil || p.Value.Page.Kind == doc.Module) {
		return p.Value.Page.Markdown()
	}
	if p.Value.Type == "" {
		return ""
	}
	return code(id.Name + ": " + p.Value.Type)
}

func code(text string) string { return "```python\n" + text + "\n```\n" }
