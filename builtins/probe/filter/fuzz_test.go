//go:build linux

package filter

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
)

// FuzzCompile holds that no text makes the compiler panic, that an error is at a word
// of it, and that a program is one that the kernel takes.
func FuzzCompile(f *testing.F) {
	for _, filter := range filters(f) {
		f.Add(filter)
	}
	b, err := os.ReadFile("testdata/errors.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if line[0] != '\t' {
			f.Add(strings.TrimSuffix(line, "\n"))
		}
	}
	packets := whole(frames(), 20)
	f.Fuzz(func(t *testing.T, filter string) {
		for link := Ethernet; link <= AnyDevice; link++ {
			program, err := Compile(filter, Options{Link: link, Resolve: resolve})
			if err != nil {
				var e *Error
				if !errors.As(err, &e) || e.Pos < 0 || e.Pos > len(filter) || !strings.HasPrefix(filter[e.Pos:], e.Word) || e.Problem == "" {
					t.Fatalf("%q: %#v", filter, err)
				}
				continue
			}
			valid(t, program)
			if _, ok := bpf.Disassemble(program); !ok {
				t.Fatalf("%q: no program of BPF: %v", filter, program)
			}
			for _, p := range packets {
				run(program, p)
			}
		}
	})
}
