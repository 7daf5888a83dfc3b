// Package lsp is a language server (Language Server Protocol 3.17) for scripts: it
// tells an editor what is wrong with them, what can stand where, what names are and
// where they are defined.
//
// A [Server] holds the documents that the editor has open (documents.go). What it
// knows of one comes from package static, what can stand at a place from package
// complete, how it should look from package format; the other files turn that into
// the protocol's words (protocol.go), one file a question. Positions of the protocol
// count UTF-16 code units, those of Starlark characters (position.go).
package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"sync"

	"github.com/sourcegraph/jsonrpc2"

	"nsscript/builtins/doc"
	"nsscript/interp"
)

// Config says what a server serves.
type Config struct {
	Version string
	Library *doc.Library
	// Interp makes what reads scripts; files that the editor has open come from
	// overlay.
	Interp func(overlay func(path string) ([]byte, bool)) *interp.Interp
	// Std holds the embedded modules, and StdDir the directory in which they are
	// shown to the editor, which wants files; "" for nowhere.
	Std    fs.FS
	StdDir string
}

// Server is one session with an editor.
type Server struct {
	Config
	docs     map[string]*document // by URI
	closed   []string             // URIs whose problems are still shown
	snippets bool                 // the editor fills in places of an inserted text
	shutdown bool
	exited   chan struct{}
	leave    func()
}

// ErrNoShutdown is the error of an editor that leaves without a word, or with exit
// before shutdown.
var ErrNoShutdown = errors.New("the editor has left without a shutdown")

// Serve talks to an editor until it leaves.
func Serve(ctx context.Context, in io.Reader, out io.Writer, c Config) error {
	s := &Server{Config: c, docs: map[string]*document{}, exited: make(chan struct{})}
	s.leave = sync.OnceFunc(func() { close(s.exited) })
	stream := jsonrpc2.NewBufferedStream(pipe{in, out}, jsonrpc2.VSCodeObjectCodec{})
	conn := jsonrpc2.NewConn(ctx, stream, jsonrpc2.HandlerWithError(s.handle).SuppressErrClosed())
	select {
	case <-conn.DisconnectNotify():
	case <-s.exited:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if !s.shutdown {
		return ErrNoShutdown
	}
	return nil
}

// pipe is a reader and a writer.
type pipe struct {
	io.Reader
	io.Writer
}

func (pipe) Close() error { return nil }

// A question is a request or notification of the editor.
type question func(s *Server, ctx context.Context, conn *jsonrpc2.Conn, params json.RawMessage) (any, error)

// ask is a question with parameters of one type.
func ask[P any](f func(*Server, P) (any, error)) question {
	return func(s *Server, _ context.Context, _ *jsonrpc2.Conn, raw json.RawMessage) (any, error) {
		p, err := unmarshal[P](raw)
		if err != nil {
			return nil, err
		}
		return f(s, p)
	}
}

// change is a notification after which documents may have other problems.
func change[P any](f func(*Server, P)) question {
	return func(s *Server, ctx context.Context, conn *jsonrpc2.Conn, raw json.RawMessage) (any, error) {
		p, err := unmarshal[P](raw)
		if err != nil {
			return nil, err
		}
		f(s, p)
		return nil, s.publish(ctx, conn)
	}
}

func unmarshal[P any](raw json.RawMessage) (P, error) {
	var p P
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: err.Error()}
	}
	return p, nil
}

// questions are what the server answers.
var questions = map[string]question{
	"initialize":                  ask((*Server).initialize),
	"textDocument/didOpen":        change((*Server).didOpen),
	"textDocument/didChange":      change((*Server).didChange),
	"textDocument/didSave":        change((*Server).didSave),
	"textDocument/didClose":       change((*Server).didClose),
	"textDocument/completion":     ask((*Server).completion),
	"textDocument/hover":          ask((*Server).hover),
	"textDocument/signatureHelp":  ask((*Server).signatureHelp),
	"textDocument/definition":     ask((*Server).definition),
	"textDocument/documentSymbol": ask((*Server).symbols),
	"textDocument/formatting":     ask((*Server).formatting),
}

// handle answers one message. They come one after the other.
func (s *Server) handle(ctx context.Context, conn *jsonrpc2.Conn, req *jsonrpc2.Request) (any, error) {
	switch req.Method {
	case "shutdown":
		s.shutdown = true
		return nil, nil
	case "exit":
		s.leave()
		return nil, nil
	}
	if s.shutdown && !req.Notif {
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidRequest, Message: "the server is shut down"}
	}
	answer, ok := questions[req.Method]
	if !ok {
		if req.Notif {
			return nil, nil // such as initialized, and $/cancelRequest: answers come at once
		}
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeMethodNotFound, Message: "no " + req.Method + " here"}
	}
	params := json.RawMessage("{}")
	if req.Params != nil {
		params = *req.Params
	}
	return answer(s, ctx, conn, params)
}

func (s *Server) initialize(p initializeParams) (any, error) {
	s.snippets = p.Capabilities.TextDocument.Completion.CompletionItem.SnippetSupport
	return initializeResult{
		Capabilities: serverCapabilities{
			TextDocumentSync:           syncOptions{OpenClose: true, Change: syncFull, Save: true},
			CompletionProvider:         completionOptions{TriggerCharacters: []string{".", "\"", "'", "/", "@", "(", ","}},
			SignatureHelpProvider:      signatureHelpOptions{TriggerCharacters: []string{"(", ","}},
			HoverProvider:              true,
			DefinitionProvider:         true,
			DocumentSymbolProvider:     true,
			DocumentFormattingProvider: true,
			PositionEncoding:           "utf-16",
		},
		ServerInfo: serverInfo{Name: "nsscript", Version: s.Version},
	}, nil
}
