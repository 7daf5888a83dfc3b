package markdown

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = "A **namespace** is a network of its own: `lo`, *interfaces*, routes,\nand rules. This one is long enough to be broken.\n" + `
- one thing, which is long enough that it has to be broken somewhere
- another

1. Make ` + "`red`" + `.
2. Look:

   ` + "```" + `
   ip -n red addr   # a line of code that is longer than the width is never broken
   ` + "```" + `

## Your task

> A note.

| address | who |
|---|---|
| 10.0.0.1 | red |
`

func TestRender(t *testing.T) {
	want := `A namespace is a network of its own:
` + "`lo`" + `, interfaces, routes, and rules.
This one is long enough to be broken.

  • one thing, which is long enough that
    it has to be broken somewhere
  • another

  1. Make ` + "`red`" + `.

  2. Look:

         ip -n red addr   # a line of code that is longer than the width is never broken

Your task
─────────

│ A note.

  address   who
  ────────  ───
  10.0.0.1  red
`
	if diff := cmp.Diff(want, Render(sample, Options{Width: 40})); diff != "" {
		t.Error(diff)
	}
}

func TestColor(t *testing.T) {
	got := Render("**a** `b c` d", Options{Color: true})
	if want := "\x1b[1ma\x1b[0m \x1b[33mb\x1b[0m \x1b[33mc\x1b[0m d\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestControlCharacters(t *testing.T) {
	if got := Render("a\x1b]0;title\x07b\n\n    c\x1b[2Jd", Options{}); strings.ContainsAny(got, "\x1b\x07") {
		t.Errorf("a text commands the terminal: %q", got)
	}
}

func FuzzRender(f *testing.F) {
	f.Add(sample, 40)
	f.Add("> - > 1. a\n", 3)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if width < 1 || width > 200 {
			return
		}
		if got := Render(text, Options{Width: width}); !strings.HasSuffix(got, "\n") {
			t.Errorf("%q does not end with a line break", got)
		}
	})
}
