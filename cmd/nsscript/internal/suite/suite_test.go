package suite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"
)

// numbered are tests of one file.
func numbered(n int) []*Test {
	f := &File{Path: "x_test.star"}
	for i := range n {
		f.Tests = append(f.Tests, &Test{File: f, Func: fmt.Sprintf("test_%d", i)})
	}
	return f.Tests
}

func TestResultsComeInTheOrderOfTheTests(t *testing.T) {
	tests := numbered(60)
	var now, most atomic.Int32
	var told []*Test
	r := Runner{
		Jobs: 7, Progress: func(Progress) {},
		Run: func(context.Context, *Test) (*Result, error) {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer now.Add(-1)
			time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
			return &Result{Outcome: Passed}, nil
		},
		Done: func(t *Test, _ *Result) { told = append(told, t) },
	}
	if err := r.All(t.Context(), tests); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(told, tests) {
		t.Errorf("the order was %v", told)
	}
	if most.Load() > 7 || most.Load() < 2 {
		t.Errorf("%d tests ran at once, with 7 jobs", most.Load())
	}
}

func TestRunsEndEarly(t *testing.T) {
	for _, c := range []struct {
		name     string
		failFast bool
		third    func(stop func()) (*Result, error)
		notRun   int
		err      string
	}{
		{name: "a failure ends none", third: func(func()) (*Result, error) { return &Result{Outcome: Failed}, nil }},
		{name: "a failure with --fail-fast", failFast: true, notRun: 3, third: func(func()) (*Result, error) { return &Result{Outcome: Failed}, nil }},
		{name: "an interrupt", notRun: 3, third: func(stop func()) (*Result, error) { stop(); return &Result{Outcome: Interrupted}, nil }},
		{name: "no sandbox", err: "no sandbox", third: func(func()) (*Result, error) { return nil, errors.New("no sandbox") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			tests := numbered(6)
			var all Totals
			r := Runner{
				Jobs: 1, FailFast: c.failFast, Progress: func(Progress) {},
				Run: func(_ context.Context, x *Test) (*Result, error) {
					if x == tests[2] {
						return c.third(stop)
					}
					return &Result{Outcome: Passed}, nil
				},
				Done: func(_ *Test, r *Result) { all.add(r) },
			}
			err := r.All(ctx, tests)
			if got := fmt.Sprint(err); err != nil && got != c.err || err == nil && c.err != "" {
				t.Errorf("the error is %v, want %q", err, c.err)
			}
			if c.err == "" && (all.Tests != 6 || all.NotRun != c.notRun) {
				t.Errorf("it is %+v", all)
			}
		})
	}
}

func TestOutputIsBounded(t *testing.T) {
	var o Output
	line := strings.Repeat("ü", 50) + "\n"
	for i := range 200_000 {
		fmt.Fprintf(&o, "%d %s", i, line)
		if len(o.head)+len(o.tail) > 4*most {
			t.Fatalf("%d bytes are held", len(o.head)+len(o.tail))
		}
	}
	text := o.String()
	if len(text) > 2*most+100 || !utf8.ValidString(text) {
		t.Errorf("%d bytes were kept, valid: %v", len(text), utf8.ValidString(text))
	}
	if !strings.HasPrefix(text, "0 ü") || !strings.HasSuffix(text, "199999 "+line) {
		t.Errorf("it goes from %.20q to %.20q", text, text[len(text)-20:])
	}
	for l := range strings.Lines(text) {
		if !strings.HasSuffix(l, line) && !strings.HasPrefix(l, "… ") {
			t.Errorf("the line %q is cut", l)
		}
	}
	var small Output
	fmt.Fprint(&small, "a\n\xff")
	if got := small.String(); got != "a\n\uFFFD" {
		t.Errorf("it is %q", got)
	}
}

func TestFilesAreFoundOnceAndByName(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a_test.star", "test_b.star", "lib.star", "test_c.txt", ".git/x_test.star", "sub/ü_test.star"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Symlink("lib.star", filepath.Join(dir, "z_test.star")), os.Mkdir(filepath.Join(dir, "d_test.star"), 0o755)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	names := func(paths ...string) string {
		found, empty, err := Files(paths)
		var b strings.Builder
		for _, f := range found {
			fmt.Fprint(&b, f.Path, " ", f.Only, ";")
		}
		return fmt.Sprint(b.String(), empty, err)
	}
	for _, c := range []struct{ asked, want string }{
		{".", "a_test.star ;sub/ü_test.star ;test_b.star ;z_test.star ;[] <nil>"},
		{"./...", "a_test.star ;sub/ü_test.star ;test_b.star ;z_test.star ;[] <nil>"},
		{"...", "a_test.star ;sub/ü_test.star ;test_b.star ;z_test.star ;[] <nil>"},
		{"sub/...", "sub/ü_test.star ;[] <nil>"},
		{"lib.star:test_x", "lib.star test_x;[] <nil>"},
		{"d_test.star", "[d_test.star] <nil>"},
		{"nosuch", "[] nosuch: there is no such file or directory"},
	} {
		if got := names(c.asked); got != c.want {
			t.Errorf("%s: %s, want %s", c.asked, got, c.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	for pos, want := range map[string]Place{
		"a.star:3:7": {"a.star", 3}, "a:9:9:b.star:3:7": {"a:9:9:b.star", 3}, "a.star": {"x", 1}, "": {"x", 1},
	} {
		if got := placeOf(pos, Place{"x", 1}); got != want {
			t.Errorf("%q is %+v, want %+v", pos, got, want)
		}
	}
}
