package graph

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"nsscript/builtins/picture"
)

// FuzzNames draws namespaces, interfaces and rules with names that nobody would give,
// in every form.
func FuzzNames(f *testing.F) {
	for _, s := range []string{
		"red", `a"b`, `a\`, `a\"`, "a<b>&amp;'c'", "]]>", "a#quot;b", "`x`", "a\nb", "a\x1b[31mb", "\xff\xfe", "日本語", "e\u0301", "\u202eabc", "👩‍👩‍👧", "|x|", "end", "%%{init}%%",
		strings.Repeat("long", 60), "\u2028", "\ufffe", "a b  c", "{}", "-->", "--", "<!--", "nsscript serve --tcp 80",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		n := newNetwork()
		n.join("x"+a, "10.0.0.1/24", "y"+b, "10.0.0.2/24")
		x, y := n.ns("x"+a), n.ns("y"+b)
		y.Links[1].Name = b
		y.Note, y.Services = a, []string{b, a}
		x.Links[1].Options = [][2]string{{a, b}}
		n.rules("x"+a, "filter", &picture.Chain{Name: b, Rules: [][]string{{"-m", "comment", "--comment", a, "-j", b}}})
		br := n.link(n.ns(picture.Host), "br"+b, "bridge")
		n.plug("z"+a, "10.1.0.1/24", br)
		walk := &Walk{
			Title: a, Verdict: b, Steps: []Step{{NS: "x" + a, Dev: "eth0", Out: true}, {NS: "y" + b, Dev: b}},
			Death: &Death{NS: "y" + b, Dev: b, Reason: a, Text: b},
		}
		for _, format := range Formats() {
			for _, w := range []*Walk{nil, walk} {
				text := drawn(t, n, Options{Format: format, Walk: w})
				if !utf8.ValidString(text) {
					t.Errorf("%s is no UTF-8", format)
				}
				if format != "json" && !printable(text) {
					t.Errorf("%s has what a terminal may obey: %q", format, text)
				}
				soundness[format](t, text)
			}
		}
	})
}

// soundness are what the readers of the forms insist on.
var soundness = map[string]func(t *testing.T, text string){
	"text": func(t *testing.T, text string) {
		for _, l := range strings.Split(text, "\n") {
			if ansi.StringWidth(l) > usualWidth {
				t.Errorf("a line is too long: %s", l)
			}
		}
	},
	"svg": wellFormed,
	"json": func(t *testing.T, text string) {
		var n Network
		if err := json.Unmarshal([]byte(text), &n); err != nil || len(n.Namespaces) < 4 {
			t.Errorf("%v: %s", err, text)
		}
	},
	"dot":     soundDot,
	"mermaid": soundMermaid,
}

func wellFormed(t *testing.T, text string) {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%v: %s", err, text)
			return
		}
	}
}

// soundDot takes strings and tables out of a drawing: what is left has no name in it.
func soundDot(t *testing.T, text string) {
	var rest strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case strings.HasPrefix(text[i:], "label=<\n"):
			end := strings.Index(text[i:], "\n  >]")
			if end < 0 {
				t.Fatalf("a table has no end: %s", text)
			}
			wellFormed(t, "<x>"+text[i+len("label=<\n"):i+end]+"</x>")
			i += end
		default:
			rest.WriteByte(text[i])
		}
	}
	if strings.Trim(rest.String(), "abcdefghijklmnopqrstuvwxyz0123456789 \n{}[];:=,->LR") != "" {
		t.Errorf("something stands outside of strings: %s", rest.String())
	}
}

// soundMermaid checks that each line is as the drawing has it, whatever the names are.
func soundMermaid(t *testing.T, text string) {
	for _, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		parts := strings.Split(l, `"`)
		if len(parts) != 1 && len(parts) != 3 {
			t.Errorf("a string does not end: %s", l)
		}
		if len(parts) == 3 && strings.ContainsAny(parts[1], "`[]{}|\\") {
			t.Errorf("a label has what Mermaid may read: %s", l)
		}
	}
}
