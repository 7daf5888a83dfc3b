package interp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// A hinted is an error of a builtin that knows what helps.
type hinted struct{ msg, hint string }

func (e *hinted) Error() string { return e.msg }
func (e *hinted) Hint() string  { return e.hint }

// A thing is a value with fields, as a host's values are.
type thing struct{ name string }

func (t *thing) String() string        { return t.name }
func (t *thing) Type() string          { return "Namespace" }
func (t *thing) Freeze()               {}
func (t *thing) Truth() starlark.Bool  { return true }
func (t *thing) Hash() (uint32, error) { return 0, nil }
func (t *thing) AttrNames() []string   { return []string{"name", "nat", "panics"} }

func (t *thing) Attr(name string) (starlark.Value, error) {
	switch name {
	case "name":
		return starlark.String(t.name), nil
	case "nat":
		return starlarkstruct.FromStringDict(starlark.String("nat"), starlark.StringDict{
			"masquerade": builtin("nat.masquerade", func(*starlark.Thread, starlark.Tuple) (starlark.Value, error) {
				return nil, errors.New(`nat.masquerade: there is no interface "eth7"`)
			}),
		}), nil
	case "panics":
		return builtin("panics", func(*starlark.Thread, starlark.Tuple) (starlark.Value, error) { panic("a method's fault") }), nil
	}
	return nil, nil
}

type builtinFunc func(*starlark.Thread, starlark.Tuple) (starlark.Value, error)

func builtin(name string, f builtinFunc) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return f(thread, args)
	})
}

// hostNames are builtins such as a host has.
func hostNames() starlark.StringDict {
	return starlark.StringDict{
		"red": &thing{"red"},
		"veth": builtin("veth", func(*starlark.Thread, starlark.Tuple) (starlark.Value, error) {
			return nil, fmt.Errorf("veth: %w", &hinted{`namespace "red" already has an interface "veth-red"`, "leave out `name` for the next free one, or choose another"})
		}),
		"exec": builtin("exec", func(*starlark.Thread, starlark.Tuple) (starlark.Value, error) {
			return nil, &hinted{"exec: the command failed\nip: no such device\nip: giving up", "look at its output\nthen try again"}
		}),
		"takes": starlark.NewBuiltin("takes", func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var name string
			var mtu int
			return starlark.None, starlark.UnpackArgs(b.Name(), args, kwargs, "name", &name, "mtu?", &mtu)
		}),
		"wait": builtin("wait", func(thread *starlark.Thread, args starlark.Tuple) (starlark.Value, error) {
			v, err := starlark.Call(thread, args[0], nil, nil)
			if err != nil {
				return nil, fmt.Errorf("wait: %w", err)
			}
			return v, nil
		}),
		"parallel": builtin("parallel", func(_ *starlark.Thread, args starlark.Tuple) (starlark.Value, error) {
			return starlark.Call(&starlark.Thread{Name: "other"}, args[0], nil, nil)
		}),
		"block": builtin("block", func(thread *starlark.Thread, _ starlark.Tuple) (starlark.Value, error) {
			ctx := thread.Local("context").(context.Context)
			<-ctx.Done()
			return nil, fmt.Errorf("block: %w", ctx.Err())
		}),
		"panics": builtin("panics", func(*starlark.Thread, starlark.Tuple) (starlark.Value, error) { panic("out of order") }),
		"param":  builtin("param", func(_ *starlark.Thread, args starlark.Tuple) (starlark.Value, error) { return args[0], nil }),
	}
}

// An archive is a folder of small files in one: each begins with a line
// "-- name --".
type archive []struct{ name, text string }

func readArchive(t *testing.T, path string) archive {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var a archive
	for line := range strings.SplitAfterSeq(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(name, " --\n") {
			a = append(a, struct{ name, text string }{name: strings.TrimSuffix(name, " --\n")})
		} else if len(a) > 0 {
			a[len(a)-1].text += line
		}
	}
	return a
}

func (a archive) write(t *testing.T, path string) {
	t.Helper()
	var b strings.Builder
	for _, f := range a {
		fmt.Fprintf(&b, "-- %s --\n%s", f.name, f.text)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// extract writes the files to a folder and returns it. In their text, <TAB> and
// the like stand for characters that are hard to see.
func (a archive) extract(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	visible := strings.NewReplacer("<TAB>", "\t", "<CR>", "\r", "<NUL>", "\x00", "<BAD>", "\xff", "<ESC>", "\x1b", "<NBSP>", "\u00a0", "<BOM>", "\ufeff")
	for _, f := range a {
		p := filepath.Join(dir, f.name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(visible.Replace(f.text)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// script writes one script to a folder of its own and returns it.
func script(t *testing.T, text string) Source {
	t.Helper()
	return Source{Name: "x.star", Text: []byte(text)}
}
