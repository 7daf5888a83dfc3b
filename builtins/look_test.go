//go:build linux

package builtins

import (
	"context"
	"testing"
	"time"

	"nsscript/builtins/lab"
)

// TestLook calls builtins with values of Go, as commands do.
func TestLook(t *testing.T) {
	l, err := lab.New(lab.Options{Name: "look"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := Look(context.Background(), l)
	host, err := s.Find("host")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Find("hots"); err == nil || err.Error() != `the lab "look" has no namespace "hots"` {
		t.Errorf("a namespace that is not there: %v", err)
	}
	for _, c := range []struct {
		target     string
		count      int
		wrong, why string
	}{
		{"nowhere", 1, "target", `"nowhere" is neither an address nor the name of a namespace of the lab`},
		{"10.0.0.1", 0, "count", "want a whole number from 1 to 1000000, got 0"},
	} {
		_, err := s.Call("ping", []any{host, c.target}, map[string]any{"count": c.count, "timeout": time.Second, "dev": nil, "df": true})
		name, why := WrongArgument(err)
		if name != c.wrong || why == nil || why.Error() != c.why {
			t.Errorf("argument %q is wrong: %v; want %q: %s", name, why, c.wrong, c.why)
		}
	}
	v, err := s.Call("cidr", []any{"10.0.0.0/24"}, nil)
	if err != nil || v.String() != "10.0.0.0/24" {
		t.Errorf("cidr: %v, %v", v, err)
	}
}
