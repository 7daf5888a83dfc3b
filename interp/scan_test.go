package interp

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestScan(t *testing.T) {
	t.Parallel()
	in := New(Options{Predeclared: hostNames(), Std: fstest.MapFS{
		"a.star": {Data: []byte("load('./b.star', 'b')\ndef a(x):\n    return exec(x.deep)\n")},
		"b.star": {Data: []byte("b = param('from_b', 1)\n")},
	}})
	u, err := in.Scan(script(t, `
load("@std//a.star", "a")
def unused(red):
    return red.ping(wait)
n = param("count", 3)
m = param(name = "size", default = 3)
len = 1
print(len)
fail("nothing runs")
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, got, want string
	}{
		{"names", keys(u.Names), "exec fail param print wait"},
		{"attributes", keys(u.Attrs), "deep ping"},
		{"parameters", keys(u.Params), "count from_b size"},
		{"files", strings.Join(u.Files, " "), "x.star @std//a.star @std//b.star"},
		{"place of param", u.Names["param"].String(), "x.star:5:5"},
		{"place of exec", u.Names["exec"].String(), "@std//a.star:3:12"},
		{"place of size", u.Params["size"].String(), "x.star:6:18"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
	if u.AnyParam {
		t.Error("all parameters are literal, and AnyParam is set")
	}
}

func TestScanAnyParam(t *testing.T) {
	t.Parallel()
	in := New(Options{Predeclared: hostNames()})
	for text, want := range map[string]bool{
		"param('x', 1)":                    false,
		"param(default = 1, name = 'x')":   false,
		"x = 'a'\nparam(x, 1)":             true,
		"param('a' + 'b')":                 true,
		"param(b'x')":                      true,
		"param()":                          true,
		"p = param\np('x')":                true,
		"args = ['x']\nparam(*args)":       true,
		"def param(x): return x\nparam(1)": false,
	} {
		if u, err := in.Scan(script(t, text)); err != nil || u.AnyParam != want {
			t.Errorf("%q: AnyParam is %v, error %v", text, u.AnyParam, err)
		}
	}
}

func TestScanReportsErrors(t *testing.T) {
	t.Parallel()
	in := New(Options{Std: fstest.MapFS{
		"a.star": {Data: []byte("load('b.star', 'b'); a = 1")}, "b.star": {Data: []byte("load('a.star', 'a'); b = 1")},
	}})
	for text, want := range map[string]string{
		"x = (":                     "never closed",
		"y":                         "not defined",
		"load('@std//c.star', 'c')": "no embedded module",
		"load('@std//a.star', 'a')": "@std//a.star -> @std//b.star -> @std//a.star",
	} {
		_, err := in.Scan(script(t, text))
		if e := new(Error); !errors.As(err, &e) || !strings.Contains(e.Msg, want) {
			t.Errorf("%q: the error is %v, want %q", text, err, want)
		}
	}
}

// FuzzRun checks that no text makes the interpreter panic or hang.
func FuzzRun(f *testing.F) {
	for _, s := range []string{
		"x = 1\n", "def f(x): return f(x)\nf(1)", "if x:\n\ty = (1,\n", "print('\\d' + f\"x\")", "load('@std//a.star', 'a')",
		"a.b.c(1)[2:3] += {1: 2}[0]", "for a, b in [(1, 2, 3)]: pass", "\xff\x00", "x = \"é\"; y = x.é", "[x for x in 5 if x]", "'''", "\r\n\t\r",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in := New(Options{Predeclared: hostNames(), Std: fstest.MapFS{"a.star": {Data: []byte("a = 1")}}})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		src := script(t, text)
		_, scanned := in.Scan(src)
		begun := time.Now()
		_, err := in.Run(ctx, src)
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		if e := new(Error); err != nil {
			if !errors.As(err, &e) || e.Msg == "" || e.Format(true) == "" {
				t.Errorf("the error is %v", err)
			}
			if p := new(Panic); errors.As(err, &p) && p.Value != "out of order" && p.Value != "a method's fault" {
				t.Errorf("%v\n%s", err, p.Stack)
			}
		}
		if scanned != nil && err == nil {
			t.Errorf("it runs, and cannot be read: %v", scanned)
		}
	})
}

func keys[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), " ")
}
