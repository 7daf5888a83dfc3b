package lsp

import (
	"context"

	"github.com/sourcegraph/jsonrpc2"

	"nsscript/interp"
)

// publish tells the problems of all documents that may have other ones, and that
// those of closed ones are none.
func (s *Server) publish(ctx context.Context, conn *jsonrpc2.Conn) error {
	for _, uri := range s.closed {
		if err := conn.Notify(ctx, "textDocument/publishDiagnostics", publishDiagnosticsParams{URI: uri, Diagnostics: []diagnostic{}}); err != nil {
			return err
		}
	}
	s.closed = nil
	for _, d := range s.docs {
		if d.told {
			continue
		}
		d.told = true
		err := conn.Notify(ctx, "textDocument/publishDiagnostics", publishDiagnosticsParams{
			URI: d.uri, Version: d.version, Diagnostics: s.diagnostics(d),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) diagnostics(d *document) []diagnostic {
	list := []diagnostic{}
	for _, e := range s.look(d).Problems() {
		list = append(list, s.diagnostic(d, e))
	}
	return list
}

func (s *Server) diagnostic(d *document, e *interp.Error) diagnostic {
	out := diagnostic{Severity: severityError, Source: "nsscript", Code: e.Warning, Message: e.Msg}
	if e.Hint != "" {
		out.Message += "\nhint: " + e.Hint
	}
	if e.Warning != "" {
		out.Severity = severityWarning
	}
	switch e.Warning {
	case "unused-variable", "load", "unreachable":
		out.Tags = []int{tagUnnecessary}
	}
	line, col, width := int(e.Pos.Line), e.Col, e.Len
	// What is wrong with a module is told at the statement that loads it.
	if n := len(e.Calls); n > 0 && e.Calls[n-1].Load && e.Pos.Filename() != d.name() {
		out.Message = "the module that is loaded here has an error: " + e.Pos.String() + ": " + out.Message
		at := e.Calls[n-1].Pos
		line, col, width = int(at.Line), int(at.Col), len("load")
	}
	out.Range = textRange{d.text.position(max(line, 1), col), d.text.position(max(line, 1), col+width)}
	return out
}
