package builtins

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"nsscript/builtins/doc"
)

var update = flag.Bool("update", false, "write the README's table of builtins anew")

// TestReadme holds that the README's table of builtins is that of the builtins
// themselves; `make reference` writes it.
func TestReadme(t *testing.T) {
	const file = "../README.md"
	const begin, end = "<!-- builtins: made by `make reference` -->\n", "<!-- end of builtins -->"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(b), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table of builtins", file)
	}
	var table strings.Builder
	table.WriteString("| builtin | what it does |\n|---|---|\n")
	lib, err := Reference()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range lib.Pages() {
		if p.Kind == doc.Builtin {
			fmt.Fprintf(&table, "| `%s` | %s |\n", p.Signature, p.Summary)
		}
	}
	want := head + begin + table.String() + end + tail
	if want == string(b) {
		return
	}
	if !*update {
		t.Fatalf("the table of builtins in %s is not current: run `make reference`", file)
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
