package static_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"go.starlark.net/syntax"

	"nsscript/builtins"
	"nsscript/builtins/doc"
	"nsscript/interp"
	"nsscript/interp/static"
	"nsscript/stdlib"
)

var update = flag.Bool("update", false, "write what is found anew")

// library is the reference of all names.
func library(t testing.TB) *doc.Library {
	t.Helper()
	lib, err := builtins.Reference()
	if err != nil {
		t.Fatal(err)
	}
	all, err := interp.WithUniverse(lib)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// look looks at a script; files stand beside it.
func look(t testing.TB, lib *doc.Library, src interp.Source, files map[string]string) *static.View {
	t.Helper()
	in := interp.New(interp.Options{Predeclared: interp.Placeholders(lib), Std: stdlib.FS, Overlay: func(path string) ([]byte, bool) {
		text, ok := files[filepath.Base(path)]
		return []byte(text), ok
	}})
	return static.Look(in, lib, in.Read(src))
}

func problems(v *static.View) string {
	var b strings.Builder
	for _, p := range v.Problems() {
		b.WriteString(p.Format(false) + "\n")
	}
	return b.String()
}

// TestProblems holds what is said of scripts: NAME.star is followed by NAME.want,
// which `go test ./interp/static -update` writes.
func TestProblems(t *testing.T) {
	lib := library(t)
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, file := range archives {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, f := range archive.Files {
			files[f.Name] = string(f.Data)
		}
		fresh := txtar.Archive{Comment: archive.Comment}
		for _, f := range archive.Files {
			name, ok := strings.CutSuffix(f.Name, ".star")
			if !ok {
				continue
			}
			fresh.Files = append(fresh.Files, f)
			got := problems(look(t, lib, interp.Source{Name: f.Name, Path: "/lab/" + f.Name, Text: f.Data}, files))
			if d := cmp.Diff(files[name+".want"], got); d != "" && !*update {
				t.Errorf("%s: %s (-want +got)\n%s", file, f.Name, d)
			}
			if got != "" {
				fresh.Files = append(fresh.Files, txtar.File{Name: name + ".want", Data: []byte(got)})
			}
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(&fresh), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestSound holds that nothing is said against scripts that work: the examples, the
// embedded modules and the examples of the reference.
func TestSound(t *testing.T) {
	lib := library(t)
	files, err := filepath.Glob("../../*/*.star")
	if err != nil || len(files) < 5 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		src, err := interp.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := problems(look(t, lib, src, nil)); got != "" {
			t.Errorf("%s", got)
		}
	}
	for _, p := range lib.Pages() {
		for _, e := range look(t, lib, interp.Source{Name: p.Name, Text: []byte(p.Example)}, nil).Problems() {
			if e.Warning == "" {
				t.Errorf("the example of %s: %v", p.Name, e)
			}
		}
	}
}

// FuzzLook holds that every text can be looked at, and every place in it.
func FuzzLook(f *testing.F) {
	lib := library(f)
	archives, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range archives {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, a := range archive.Files {
			f.Add(a.Data)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1000 {
			return // every place is looked at
		}
		v := look(t, lib, interp.Source{Name: "x.star", Text: text}, nil)
		v.Problems()
		for n, line := range strings.Split(string(text), "\n") {
			for c := range len([]rune(line)) + 1 {
				name := "x.star"
				pos := syntax.MakePosition(&name, int32(n+1), int32(c+1))
				v.At(pos)
				v.Visible(pos)
			}
		}
	})
}
