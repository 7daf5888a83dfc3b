//go:build linux

package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sourcegraph/jsonrpc2"
)

// TestLsp is an editor that starts nsscript as its language server, as root and as
// an ordinary user.
func TestLsp(t *testing.T) {
	if os.Getenv(stageEnv) != "" {
		t.Skip("not inside another test's host")
	}
	t.Parallel()
	inPrivateHost(t, 0, "TestInsideLsp", "")
	inPrivateHost(t, ordinary, "TestInsideLsp", "")
}

// stdio are the two ends of a program that belong to it.
type stdio struct {
	io.Reader
	io.WriteCloser
}

func TestInsideLsp(t *testing.T) {
	insideOnly(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cache := t.TempDir()
	cmd := exec.CommandContext(ctx, filepath.Join(os.Getenv(binEnv), "nsscript"), "lsp", "--stdio")
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 10)
	conn := jsonrpc2.NewConn(ctx, jsonrpc2.NewBufferedStream(stdio{out, in}, jsonrpc2.VSCodeObjectCodec{}),
		jsonrpc2.HandlerWithError(func(_ context.Context, _ *jsonrpc2.Conn, req *jsonrpc2.Request) (any, error) {
			told <- string(*req.Params)
			return nil, nil
		}).SuppressErrClosed())
	call := func(method string, params any) string {
		t.Helper()
		var got json.RawMessage
		if err := conn.Call(ctx, method, params, &got); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		return string(got)
	}
	if got := call("initialize", map[string]any{"capabilities": map[string]any{}}); !strings.Contains(got, `"completionProvider"`) {
		t.Errorf("initialize: %s", got)
	}
	err = conn.Notify(ctx, "textDocument/didOpen", map[string]any{"textDocument": map[string]any{
		"uri": "untitled:1", "version": 1, "text": "load(\"@std//topo.star\", \"star\")\nred = star(3, forwrd = 1)\n",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := <-told; !strings.Contains(got, `star: unexpected keyword argument \"forwrd\"`) {
		t.Errorf("diagnostics: %s", got)
	}
	at := map[string]any{"textDocument": map[string]any{"uri": "untitled:1"}, "position": map[string]any{"line": 1, "character": 7}}
	if got := call("textDocument/hover", at); !strings.Contains(got, "star(n") {
		t.Errorf("hover: %s", got)
	}
	module := filepath.Join(cache, "nsscript", "std", "topo.star")
	if got := call("textDocument/definition", at); !strings.Contains(got, module) {
		t.Errorf("definition: %s", got)
	}
	if _, err := os.Stat(module); err != nil {
		t.Error(err)
	}
	call("shutdown", nil)
	if err := conn.Notify(ctx, "exit", nil); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
}
