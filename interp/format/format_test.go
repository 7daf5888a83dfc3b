package format

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"nsscript/interp"
)

var update = flag.Bool("update", false, "write the wanted layouts anew")

// TestLayout holds how scripts are laid out.
func TestLayout(t *testing.T) {
	const file = "testdata/layout.txtar"
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range archive.Files {
		want[f.Name] = string(f.Data)
	}
	fresh := txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		name, ok := strings.CutSuffix(f.Name, ".star")
		if !ok {
			continue
		}
		got := ""
		text, err := Source(interp.Source{Name: f.Name, Text: f.Data})
		if got = string(text); err != nil {
			got = err.Error() + "\n"
		}
		if d := cmp.Diff(want[name+".want"], got); d != "" && !*update {
			t.Errorf("%s (-want +got)\n%s", f.Name, d)
		}
		fresh.Files = append(fresh.Files, f, txtar.File{Name: name + ".want", Data: []byte(got)})
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(&fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOwn holds that the project's own scripts are laid out.
func TestOwn(t *testing.T) {
	files, err := filepath.Glob("../../*/*.star")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		src, err := interp.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Source(src)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(src.Text), string(got)); d != "" {
			t.Errorf("%s: run `nsscript fmt -w` (-is +should)\n%s", file, d)
		}
	}
}

// FuzzSource holds that a script can be laid out, means the same then, and is not
// changed any more by being laid out again.
func FuzzSource(f *testing.F) {
	archive, err := txtar.ParseFile("testdata/layout.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range archive.Files {
		f.Add(file.Data)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		src := interp.Source{Name: "x.star", Text: text}
		if _, err := interp.Parse(src); err != nil {
			return
		}
		once, err := Source(src)
		if err != nil {
			return // it is left as it is
		}
		twice, err := Source(interp.Source{Name: "x.star", Text: once})
		if err != nil {
			t.Fatalf("laid out as\n%s\nit cannot be laid out again: %v", once, err)
		}
		if !bytes.Equal(once, twice) {
			t.Logf("laid out twice:\n%s", cmp.Diff(string(once), string(twice)))
		}
	})
}
