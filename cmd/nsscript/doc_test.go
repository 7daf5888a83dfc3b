//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nsscript/builtins/doc"
	"nsscript/builtins/kernel"
)

// builtinPages are the pages of all builtins.
func builtinPages(t *testing.T) []*doc.Page {
	t.Helper()
	lib, err := library()
	if err != nil {
		t.Fatal(err)
	}
	var pages []*doc.Page
	for _, p := range lib.Pages() {
		if p.Kind == doc.Builtin && p.Example != "" {
			pages = append(pages, p)
		}
	}
	return pages
}

// TestDocExamples runs the example of each page, and holds that it prints what
// its comments say (`#> …`).
func TestDocExamples(t *testing.T) {
	if os.Getenv(stageEnv) != "" {
		t.Skip("not inside another test's host")
	}
	lib, err := library()
	if err != nil {
		t.Fatal(err)
	}
	modules, err := standard()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range slices.Concat(lib.Pages(), modules.Pages()) {
		if p.Example == "" {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			var want strings.Builder
			for line := range strings.SplitSeq(p.Example, "\n") {
				if said, ok := strings.CutPrefix(strings.TrimSpace(line), "#> "); ok {
					want.WriteString(said + "\n")
				}
			}
			got := runExample(t, p.Example)
			skipWithout(t, featuresIn(p.Example)...)
			if diff := cmp.Diff(want.String(), got); diff != "" && want.Len() > 0 {
				t.Errorf("the example of %s (-says +prints):\n%s", p.Name, diff)
			}
		})
	}
}

// askedFeature finds what a script asks the kernel for.
var askedFeature = regexp.MustCompile(`kernel\.has\("(\w+)"\)`)

func featuresIn(script string) []string {
	var names []string
	for _, m := range askedFeature.FindAllStringSubmatch(script, -1) {
		names = append(names, m[1])
	}
	return names
}

// skipWithout skips a test where the kernel lacks what it is about.
func skipWithout(t *testing.T, features ...string) {
	t.Helper()
	for _, name := range features {
		if !kernelHas[name] {
			t.Skipf("this kernel lacks %s: %s", name, kernel.Remedy(name))
		}
	}
}

func runExample(t *testing.T, code string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "example.star")
	if err := os.WriteFile(file, []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", `
mount --make-rprivate / && mount -t tmpfs none /run && ip link set lo up || exit
"$1/nsscript" run --rm "$2"
`, "bash", os.Getenv(binEnv), file)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
	}
	return out.String()
}

// referenceFile is the reference in Markdown; `make reference` writes it.
const referenceFile = "../../builtins/REFERENCE.md"

// TestReferenceFile holds that the generated reference is current.
func TestReferenceFile(t *testing.T) {
	lib, err := library()
	if err != nil {
		t.Fatal(err)
	}
	text, err := reference(lib)
	if err != nil {
		t.Fatal(err)
	}
	want := "<!-- made by `make reference` from the descriptions beside the code -->\n\n# The language of nsscript\n\n" + text
	if *update {
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil || string(got) != want {
		t.Errorf("%s is not current: run `make reference` (%v)", referenceFile, err)
	}
}
