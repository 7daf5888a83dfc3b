package lsp

import (
	"fmt"
	"strings"

	"go.starlark.net/syntax"

	"nsscript/builtins/doc"
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
			return code(p.In.Script.Source.Name) + lead(p.In.Script.Tree.Stmts)
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
			text += lead(def.Body)
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

// lead is the string with which a body begins.
func lead(body []syntax.Stmt) string {
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
