//go:build linux

package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nsscript/builtins/graph"
)

// TestReadmeDrawing holds the README's picture to what the program draws. With -update
// it is drawn anew.
func TestReadmeDrawing(t *testing.T) {
	p, err := planOf(t.Context(), []string{"@three_tier_firewall"}, planOptions{}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if err := graph.Draw(&got, p.session.Lab().Picture(), graph.Options{Format: "svg"}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("..", "..", "examples", "three_tier_firewall.svg")
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("examples/three_tier_firewall.svg is not current (-have +want); go test ./cmd/nsscript -run TestReadmeDrawing -update draws it anew:\n%s", diff)
	}
}
