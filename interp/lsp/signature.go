package lsp

import (
	"strings"

	"nsscript/builtins/doc"
	"nsscript/interp"
	"nsscript/interp/complete"
)

func (s *Server) signatureHelp(p placeParams) (any, error) {
	d := s.docs[p.TextDocument.URI]
	if d == nil {
		return nil, nil
	}
	p.Position = d.text.clamp(p.Position)
	before, after := d.text.split(p.Position)
	call := interp.ContextAt(before, after).Call
	if call == nil {
		return nil, nil
	}
	v, pos := s.at(d, p.Position)
	fn := v.Scope(pos).Called(call)
	if fn == nil {
		return nil, nil
	}
	info := signatureInformation{Label: fn.Signature, Parameters: []parameterInformation{}}
	if fn.Page != nil {
		info.Documentation = markdown(fn.Page.Summary)
	}
	from := strings.IndexByte(fn.Signature, '(') + 1
	for _, a := range fn.Args {
		at, to := find(fn.Signature, a, from)
		info.Parameters = append(info.Parameters, parameterInformation{[2]int{utf16Len(fn.Signature[:at]), utf16Len(fn.Signature[:to])}, markdown(about(a))})
		from = to
	}
	// One that the call does not have is none of those shown.
	active, ok := complete.ArgAt(fn, call)
	if !ok {
		active = len(fn.Args)
	}
	return signatureHelpResult{Signatures: []signatureInformation{info}, ActiveParameter: active}, nil
}

// about says what an argument is, "" where only its name is known.
func about(a doc.Arg) string {
	if a.Type == "" && a.Text == "" {
		return ""
	}
	return a.Line()
}

// find is where an argument stands in a signature, from a place on.
func find(signature string, a doc.Arg, from int) (at, to int) {
	label := a.Label()
	i := strings.Index(signature[from:], label)
	if i < 0 {
		return from, from
	}
	return from + i, from + i + len(label)
}
