package builtins

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the README's table of builtins anew")

// TestReadme holds that the README's table of builtins is that of the builtins
// themselves; `make readme` writes it.
func TestReadme(t *testing.T) {
	const file = "../README.md"
	const begin, end = "<!-- builtins: made by `make readme` -->\n", "<!-- end of builtins -->"
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
	for _, s := range Summaries() {
		fmt.Fprintf(&table, "| `%s` | %s |\n", s.Signature, s.Doc)
	}
	want := head + begin + table.String() + end + tail
	if want == string(b) {
		return
	}
	if !*update {
		t.Fatalf("the table of builtins in %s is not current: run `make readme`", file)
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
