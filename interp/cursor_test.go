package interp

import (
	"fmt"
	"strings"
	"testing"
)

func TestUnfinished(t *testing.T) {
	for input, want := range map[string]bool{
		"x = 1\n":                        false,
		"f(\n":                           true,
		"f(1,\n2)\n":                     false,
		"x = \"\"\"a\n":                  true,
		"x = \"\"\"a\nb\"\"\"\n":         false,
		"x = \"a\n":                      false, // an error, not to be waited for
		"x = 1 + \\\n":                   true,
		"def f():\n":                     true,
		"def f()\n":                      false, // an error, not to be waited for
		"if x == {1: 2}\n":               false,
		"if x == {1: 2}:\n":              true,
		"def f():\n    pass\n":           true,
		"def f():\n    pass\n\n":         false,
		"for x in [1,\n":                 true,
		"if x: y()\n":                    true,
		"if x: y()\n\n":                  false,
		"# only a comment\n":             false,
		"print(\"(\")\n":                 false,
		"while x:\n    f(\n\n":           true,
		"\n":                             false,
		"def f():\n    \"\"\"doc\n\n":    true,
		"x = {\n    \"a\": 1,\n}\n":      false,
		"def f(\n    a,\n):\n    pass\n": true,
	} {
		if got := Unfinished(input); got != want {
			t.Errorf("Unfinished(%q) = %v", input, got)
		}
	}
}

func TestEndsBlock(t *testing.T) {
	for _, c := range []struct {
		block, line string
		want        bool
	}{
		{"def f():\n    pass\n", "f()", true},
		{"def f():\n    pass\n", "    f()", false},
		{"if x:\n    y()\n", "else:", false},
		{"if x:\n    y()\n", "elif z:", false},
		{"if x:\n    y(\n", "1)", false},
		{"if x:\n    y()\n", "", false},
		{"if x:\n    y()\n", "# a comment", false},
	} {
		if got := EndsBlock(c.block, c.line); got != c.want {
			t.Errorf("EndsBlock(%q, %q) = %v", c.block, c.line, got)
		}
	}
}

// TestContextAt reads scripts in which | is the place.
func TestContextAt(t *testing.T) {
	for script, want := range map[string]string{
		`ve|`:                               `name "ve"`,
		`|`:                                 `name ""`,
		`red.|`:                             `attr "" of red`,
		`x = red.li|`:                       `attr "li" of red`,
		`red.link("eth0").ad|`:              `attr "ad" of red link()`,
		`red.links[0].|`:                    `attr "" of red links [0]`,
		`f(a)[x].y.|`:                       `attr "" of f() [x] y`,
		`"abc".up|`:                         `attr "up" of ["abc"]`,
		`veth(red, bl|`:                     `name "bl" in veth #1`,
		`veth(red, blue, na|`:               `name "na" in veth #2`,
		`veth(red, blue, name = "x", |`:     `name "" in veth #3 given name`,
		`veth(red, name = |`:                `name "" in veth #1 arg name`,
		`veth(red, | , mtu = 3)`:            `name "" in veth #1 given mtu`,
		`red.route("def|`:                   `string "def" in red route #0`,
		`load("./l|`:                        `string "./l" in load #0`,
		`f(g(x), y = h(|`:                   `name "" in h #0`,
		`f(g(x), |`:                         `name "" in f #1`,
		`f([1, 2, |`:                        `name "" in f #0`,
		"f(a,\n  b, |":                      `name "" in f #2`,
		`def f(a, |`:                        `name ""`,
		`# a com|`:                          `nothing`,
		`x = 1 # a com|`:                    `nothing`,
		`"a # b|`:                           `string "a # b"`,
		`x = 12|`:                           `nothing`,
		`if (x and |`:                       `name ""`,
		`f(x)|`:                             `name ""`,
		`ping(red, "bl|ue")`:                `string "bl" in ping #1`,
		`firewall.allow(fw, src = red, tc|`: `name "tc" in firewall allow #2 given src`,
	} {
		before, after, _ := strings.Cut(script, "|")
		if got := describeContext(ContextAt(before, after)); got != want {
			t.Errorf("%s\n  is %s\nwant %s", script, got, want)
		}
	}
}

func describeContext(c Context) string {
	kind := []string{"nothing", "name", "attr", "string"}[c.Kind]
	if c.Kind == AtNothing {
		return kind
	}
	text := fmt.Sprintf("%s %q", kind, c.Prefix)
	steps := func(list []Step) string {
		var words []string
		for _, s := range list {
			w := s.Name
			if s.Index != "" {
				w += "[" + s.Index + "]"
			}
			if s.Call {
				w += "()"
			}
			words = append(words, w)
		}
		return strings.Join(words, " ")
	}
	if c.Of != nil {
		text += " of " + steps(c.Of)
	}
	if c.Call != nil {
		text += fmt.Sprintf(" in %s #%d", steps(c.Call.Fn), c.Call.Index)
		if c.Call.Given != nil {
			text += " given " + strings.Join(c.Call.Given, ",")
		}
		if c.Call.Name != "" {
			text += " arg " + c.Call.Name
		}
	}
	return text
}

// FuzzCursor holds that every text can be looked at while it is being written.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"red.link(\"eth0\").addrs[0].", "def f(a,\n  b = 2):\n    load(\"@std//", "x = '''a\nb", "f(a = [1, {\"b\": (2,", "# x\n\\\n)]}", "red ping -c 1 blue"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		if len(text) > 500 {
			return // every place is looked at
		}
		for i := range text {
			before := text[:i]
			Unfinished(before)
			EndsBlock(before, text[i:])
			StatementStart(before)
			c := ContextAt(before, text[i:])
			New(Options{}).Eval(c.Of, nil)
		}
	})
}
