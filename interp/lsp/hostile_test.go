package lsp_test

import (
	"context"
	"strings"
	"testing"
)

// TestHostile asks what no editor should ask, and what was once answered by a crash.
func TestHostile(t *testing.T) {
	e := open(t)
	e.initialize(false)
	at := e.edit("h.star", "red = namespace(\n|")
	for _, p := range []map[string]any{
		{"line": -1, "character": 0}, {"line": 0, "character": -5}, {"line": 2147483647, "character": 0}, {"line": 0, "character": 2147483647},
	} {
		at["position"] = p
		for _, method := range []string{"completion", "hover", "signatureHelp", "definition"} {
			e.call("textDocument/"+method, at)
		}
	}
	if got := e.labels(e.edit("s.star", "red = namespace(\"red\")\nsh(red, \"\"\"\necho |")); len(got) > 0 {
		t.Errorf("in a string of several lines: %q", got)
	}
	// What was parsed before is still there while something is being written.
	e.edit("w.star", "def f(x):\n    return x\ny = f(1)\n")
	at = e.edit("w.star", "def f(x):\n    return x\ny = |f(1)\nz = (\n")
	if h, ok := e.call("textDocument/hover", at).(map[string]any); !ok || !strings.Contains(h["contents"].(map[string]any)["value"].(string), "def f(x)") {
		t.Errorf("hover beside a broken line: %v", h)
	}
	if got, ok := e.call("textDocument/definition", at).([]any); !ok || len(got) != 1 {
		t.Errorf("definition beside a broken line: %v", got)
	}
	e.call("shutdown", nil)
	for range 2 {
		_ = e.conn.Notify(context.Background(), "exit", nil) // the second may find nobody
	}
	if err := <-e.ended; err != nil {
		t.Error(err)
	}
}
