package interp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.starlark.net/starlark"
)

func TestRunReturnsGlobals(t *testing.T) {
	t.Parallel()
	in := New(Options{Predeclared: hostNames()})
	globals, err := in.Run(t.Context(), script(t, `
s = set([1, 2])
n = 0
while n < 3:
    n += 1
for i in range(2):
    n = n + i
point = struct(x = json.decode("1"), y = math.floor(1.5))
def fact(n):
    return 1 if n == 0 else n * fact(n - 1)
f = fact(5)
numbers = []
def change():
    numbers.append(1)
    return len(numbers)
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(globals["n"], globals["f"], globals["point"]); got != "4 120 struct(x = 1, y = 1)" {
		t.Errorf("globals are %s", got)
	}
	v, err := in.Call(t.Context(), globals["change"])
	if err != nil || v != starlark.MakeInt(1) {
		t.Errorf("a function cannot change the script's own list after the run: %v, %v", v, err)
	}
}

func TestPrint(t *testing.T) {
	t.Parallel()
	var lines []string
	in := New(Options{
		Print: func(_ *starlark.Thread, msg string) { lines = append(lines, msg) },
		Std:   fstest.MapFS{"m.star": {Data: []byte("print('in the module')\nx = 1")}},
	})
	if _, err := in.Run(t.Context(), script(t, `load("@std//m.star", "x"); print("x is", x)`)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(lines, "|"); got != "in the module|x is 1" {
		t.Errorf("printed %q", got)
	}
}

func TestModulesRunOnce(t *testing.T) {
	t.Parallel()
	dir := archive{
		{"main.star", `load("./a.star", "a"); load("sub/../b.star", "b"); load("b.star", b2 = "b"); load("link.star", b3 = "b")`},
		{"a.star", `load("b.star", "b"); a = b`},
		{"b.star", "count()\nb = 1"},
	}.extract(t)
	if err := os.Symlink("b.star", filepath.Join(dir, "link.star")); err != nil {
		t.Fatal(err)
	}
	n := 0
	in := New(Options{Predeclared: starlark.StringDict{
		"count": builtin("count", func(*starlark.Thread, starlark.Tuple) (starlark.Value, error) { n++; return starlark.None, nil }),
	}})
	src, err := ReadFile(filepath.Join(dir, "main.star"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := in.Run(t.Context(), src); err != nil {
			t.Fatal(err)
		}
	}
	if n != 1 {
		t.Errorf("a module that is loaded under four names in two runs ran %d times", n)
	}
}

func TestFailedModuleIsReadAgain(t *testing.T) {
	t.Parallel()
	dir := archive{{"m.star", "x = 1 // 0"}}.extract(t)
	in := New(Options{})
	main := Source{Name: "main.star", Path: filepath.Join(dir, "main.star"), Text: []byte(`load("m.star", "x")`)}
	if _, err := in.Run(t.Context(), main); err == nil {
		t.Fatal("no error")
	}
	if err := os.WriteFile(filepath.Join(dir, "m.star"), []byte("x = 1"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Run(t.Context(), main); err != nil {
		t.Errorf("a corrected module still fails: %v", err)
	}
}

func TestNothingRunsWhenAModuleIsWrong(t *testing.T) {
	t.Parallel()
	ran := false
	in := New(Options{
		Predeclared: starlark.StringDict{"build": builtin("build", func(*starlark.Thread, starlark.Tuple) (starlark.Value, error) {
			ran = true
			return starlark.None, nil
		})},
		Std: fstest.MapFS{"m.star": {Data: []byte("x = (")}},
	})
	if _, err := in.Run(t.Context(), script(t, "build()\nload('@std//m.star', 'x')")); err == nil || ran {
		t.Errorf("error %v, first line ran: %v", err, ran)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"loop":      "def f():\n    while True:\n        pass\nf()",
		"callback":  "wait(lambda: [0 for x in range(1 << 30) for y in range(1 << 30)])",
		"builtin":   "block()",
		"in module": `load("@std//endless.star", "x")`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := New(Options{Predeclared: hostNames(), Std: fstest.MapFS{"endless.star": {Data: []byte("x = 1\nwhile x:\n    x += 1")}}})
			reason := errors.New("the user said so")
			ctx, cancel := context.WithCancelCause(t.Context())
			var stopped time.Time
			time.AfterFunc(30*time.Millisecond, func() { stopped = time.Now(); cancel(reason) })
			_, err := in.Run(ctx, script(t, text))
			if late := time.Since(stopped); late > time.Second {
				t.Errorf("it ended %v after it was stopped", late)
			}
			if !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
				t.Errorf("the error is neither context.Canceled nor the cause: %v", err)
			}
			if e := new(Error); !errors.As(err, &e) || e.Msg != "interrupted" || e.Pos.Line == 0 {
				t.Errorf("the error is not that of an interruption with its place: %v", err)
			}
		})
	}
}

func TestCancelledBefore(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ran := false
	in := New(Options{Predeclared: starlark.StringDict{"f": builtin("f", func(*starlark.Thread, starlark.Tuple) (starlark.Value, error) {
		ran = true
		return starlark.None, nil
	})}})
	if _, err := in.Run(ctx, script(t, "f()")); !errors.Is(err, context.Canceled) || ran {
		t.Errorf("error %v, ran %v", err, ran)
	}
}

// TestStoppedBuiltin has a builtin that reports its end in words of its own.
func TestStoppedBuiltin(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	killed := errors.New("exec: signal: killed")
	in := New(Options{Predeclared: starlark.StringDict{"exec": builtin("exec", func(*starlark.Thread, starlark.Tuple) (starlark.Value, error) {
		cancel()
		return nil, killed
	})}})
	_, err := in.Run(ctx, script(t, "exec()"))
	if !errors.Is(err, context.Canceled) || !errors.Is(err, killed) || !strings.Contains(err.Error(), "error: interrupted (exec: signal: killed)") {
		t.Errorf("the error is %v", err)
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := New(Options{}).Run(ctx, script(t, "while True: pass"))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "its time was over") {
		t.Errorf("the error is %v", err)
	}
}

// TestRecursionIsBounded goes as deep as can be allowed, also through a builtin.
func TestRecursionIsBounded(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"def f(x):\n    return f(x)\nf(1)",
		"def f(x):\n    return sorted([1], key = f)\nf(1)",
		"def f(x):\n    return wait(lambda: f(x))\nf(1)",
	} {
		_, err := New(Options{Predeclared: hostNames(), MaxDepth: 1 << 40}).Run(t.Context(), script(t, text))
		if err == nil || !strings.Contains(err.Error(), "recursion is too deep (more than 10000 calls)") {
			t.Errorf("%s: %.300v", text, err)
		}
	}
}

func TestLoopsAreNotRecursion(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{MaxDepth: 3}).Run(t.Context(), script(t, "def f(x): return x\nfor i in range(10000): f(i)")); err != nil {
		t.Error(err)
	}
}

func TestErrorCarriesTheCause(t *testing.T) {
	t.Parallel()
	in := New(Options{Predeclared: hostNames()})
	_, err := in.Run(t.Context(), script(t, "def f():\n    veth(1)\nwait(f)"))
	if h := new(hinted); !errors.As(err, &h) || !strings.HasPrefix(h.msg, "namespace") {
		t.Errorf("the builtin's error is not in %v", err)
	}
	e := new(Error)
	if !errors.As(err, &e) || e.Pos.Line != 2 || e.Pos.Col != 5 || e.Line != "    veth(1)" || e.Col != 5 || e.Len != 4 ||
		len(e.Calls) != 1 || e.Calls[0].Pos.Line != 3 || e.Calls[0].Name != "<toplevel>" {
		t.Errorf("the error's parts are %+v", e)
	}
	_, err = in.Run(t.Context(), script(t, "panics()"))
	if p := new(Panic); !errors.As(err, &p) || p.Value != "out of order" || !strings.Contains(string(p.Stack), "host_test.go") {
		t.Errorf("the panic is not in %v", err)
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none.star")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}

func TestColor(t *testing.T) {
	t.Parallel()
	_, err := New(Options{}).Run(t.Context(), script(t, "x = 1 // 0"))
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *Error", err)
	}
	if colored := e.Format(true); !strings.Contains(colored, "\x1b[") || strings.Contains(e.Error(), "\x1b") {
		t.Errorf("colours are wrong: %q and %q", colored, e.Error())
	}
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	dir := archive{{"topo.star", "x = 1"}}.extract(t)
	_, err := ReadFile(filepath.Join(dir, "topoo.star"))
	want := fmt.Sprintf("%[1]s/topoo.star: error: there is no such file\n   hint: did you mean %[2]q?", dir, filepath.Join(dir, "topo.star"))
	if err == nil || err.Error() != want {
		t.Errorf("the error is\n%v\nwant\n%s", err, want)
	}
	if _, err := ReadFile(dir); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("the error of a directory is %v", err)
	}
}

func TestChunk(t *testing.T) {
	t.Parallel()
	in := New(Options{Predeclared: hostNames(), Std: fstest.MapFS{"m.star": {Data: []byte("m = 7")}}})
	globals := starlark.StringDict{}
	for i, c := range []struct{ text, value string }{
		{"x = 1", "None"},
		{"x + 1", "2"},
		{"load('@std//m.star', 'm')", "None"},
		{"def f(): return m + x", "None"},
		{"y = f(); y", "8"},
		{"", "None"},
		{"if x: x = 5\n", "None"},
		{"'text'", `"text"`},
		{"red.name", `"red"`},
	} {
		v, err := in.Chunk(t.Context(), Source{Name: fmt.Sprint("in", i), Text: []byte(c.text)}, globals)
		if err != nil || v.String() != c.value {
			t.Errorf("%q is %v, want %s; error %v", c.text, v, c.value, err)
		}
	}
	if got := strings.Join(globals.Keys(), " "); got != "f m x y" {
		t.Errorf("the session's names are %q", got)
	}
	_, err := in.Chunk(t.Context(), Source{Name: "in", Text: []byte("subnet = 1; subnett")}, globals)
	if err == nil || !strings.Contains(err.Error(), `did you mean "subnet"?`) || globals["subnet"] != nil {
		t.Errorf("error %v", err)
	}
	globals["subnet"] = starlark.None
	_, err = in.Chunk(t.Context(), Source{Name: "in", Text: []byte("print(subnett)")}, globals)
	if err == nil || !strings.Contains(err.Error(), `did you mean "subnet"?`) {
		t.Errorf("no hint at a name of the session: %v", err)
	}
	_, err = in.Chunk(t.Context(), Source{Name: "in", Text: []byte("z = 1\nf(1)")}, globals)
	if err == nil || !strings.Contains(err.Error(), "in:2:1: error: f: takes no arguments") || globals["z"] == nil {
		t.Errorf("after a failure halfway: error %v, z is %v", err, globals["z"])
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	in := New(Options{Predeclared: hostNames(), Std: fstest.MapFS{
		"a.star": {Data: []byte("load('b.star', 'b'); a = b + 1")}, "b.star": {Data: []byte("b = 1")},
	}})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			globals, err := in.Run(t.Context(), script(t, "load('@std//a.star', 'a'); x = a"))
			if err != nil || globals["x"] != starlark.MakeInt(2) {
				t.Errorf("x is %v, error %v", globals["x"], err)
			}
		})
	}
	wg.Wait()
}

// TestLargeScripts checks that no file that is accepted exhausts the stack.
func TestLargeScripts(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"attributes": "x = a" + strings.Repeat(".b", maxSource/2-10),
		"calls":      "x = a" + strings.Repeat("()", maxSource/2-10),
		"sums":       "x = 1" + strings.Repeat("-1", maxSource/2-10),
		"elif":       "if 0:0\n" + strings.Repeat("elif 0:0\n", 10_000),
		"brackets":   strings.Repeat("(", maxSource-10),
		"not":        "x = " + strings.Repeat("not ", maxSource/4-10) + "1",
		"minus":      "x = " + strings.Repeat("-", maxSource-10) + "1",
		"too large":  strings.Repeat("#", maxSource+1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			_, err := New(Options{}).Run(ctx, script(t, text))
			if e := new(Error); err != nil && !errors.As(err, &e) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func BenchmarkLoop(b *testing.B) {
	src := Source{Name: "x.star", Text: []byte("def f():\n    n = 0\n    for i in range(1000000):\n        n += i\nf()")}
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			if _, err := starlark.ExecFileOptions(Dialect(), &starlark.Thread{}, src.Name, src.Text, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("interp", func(b *testing.B) {
		for b.Loop() {
			if _, err := New(Options{}).Run(b.Context(), src); err != nil {
				b.Fatal(err)
			}
		}
	})
}
