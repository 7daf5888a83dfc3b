package interp

import (
	"context"
	"testing"

	"go.starlark.net/starlark"
)

func TestSignature(t *testing.T) {
	for _, want := range []string{
		"f()", "f(a, b = 2)", "f(*args)", "f(**kw)", "f(a, *, b)", "f(a, *args, b = \"x\", **kw)", "f(a, *args, **kw)",
		"f(a = 1, *, b = 2, **kw)",
	} {
		globals, err := New(Options{}).Run(context.Background(), Source{Name: "x", Text: []byte("def " + want + ": pass")})
		if err != nil {
			t.Fatal(err)
		}
		if got := Signature(globals["f"].(*starlark.Function)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
