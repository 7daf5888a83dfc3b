package examples_test

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"nsscript/builtins/kernel"
	"nsscript/examples"
)

var update = flag.Bool("update", false, "write the README's table of examples anew")

// TestDescribed holds that each example says what it teaches, where it comes from
// and what it needs, in a form that lists can show.
func TestDescribed(t *testing.T) {
	t.Parallel()
	all, err := examples.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if len(e.Title) > 100 || strings.ContainsAny(e.Title, "|\n") {
			t.Errorf("%s: the title is no line of a list: %q", e.Name, e.Title)
		}
		for _, need := range e.Needs {
			if !slices.Contains(kernel.Features(), need) {
				t.Errorf("%s needs %q, which kernel.has() does not know", e.Name, need)
			}
		}
		if u, err := url.Parse(e.Source); err != nil || strings.Contains(e.Source, "://") && (u.Host == "" || strings.Contains(e.Source, " ")) {
			t.Errorf("%s: the source is no address: %q", e.Name, e.Source)
		}
	}
}

// TestReadme holds that the README's table of examples is that of the examples
// themselves; `make reference` writes it.
func TestReadme(t *testing.T) {
	t.Parallel()
	const file = "../README.md"
	const begin, end = "<!-- examples: made by `make reference` -->\n", "<!-- end of examples -->"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(b), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table of examples", file)
	}
	want := head + begin + table(t) + end + tail
	if want == string(b) {
		return
	}
	if !*update {
		t.Fatalf("the table of examples in %s is not current: run `make reference`", file)
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func table(t *testing.T) string {
	t.Helper()
	all, err := examples.All()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| example | what it teaches | after |\n|---|---|---|\n")
	group := ""
	for _, e := range all {
		if e.Group != group {
			fmt.Fprintf(&b, "| **%s** | | |\n", e.Group)
			group = e.Group
		}
		title := e.Title
		if len(e.Needs) > 0 {
			title += " (needs " + strings.Join(e.Needs, ", ") + ")"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", e.Name, title, link(e.Source))
	}
	return b.String()
}

// link is a source as Markdown: the end of its address tells enough.
func link(source string) string {
	u, err := url.Parse(source)
	if err != nil || u.Host == "" {
		return source
	}
	return fmt.Sprintf("[%s](%s)", path.Base(u.Path), source)
}
