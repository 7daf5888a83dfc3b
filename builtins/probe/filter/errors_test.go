//go:build linux

package filter

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// resolve knows the hosts of a lab.
func resolve(name string) ([]netip.Addr, error) {
	hosts := map[string][]netip.Addr{
		"web":   {netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")},
		"db":    {netip.MustParseAddr("10.0.0.2")},
		"web-1": {netip.MustParseAddr("10.0.0.9")},
		"tcp":   {netip.MustParseAddr("fd00::2")},
	}
	if list, ok := hosts[name]; ok {
		return list, nil
	}
	return nil, errors.New("the lab has none")
}

func linkNamed(name string) LinkType {
	for l := Ethernet; l <= AnyDevice; l++ {
		if l.String() == name {
			return l
		}
	}
	return Ethernet
}

// TestErrors holds what is said of a filter that is wrong. With -update it writes
// what is said to testdata; a filter that is not wrong has no error there.
func TestErrors(t *testing.T) {
	t.Parallel()
	const file = "testdata/errors.txt"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for line := range strings.Lines(string(b)) {
		if line[0] == '\t' {
			continue
		}
		got.WriteString(line)
		if line[0] == '#' {
			continue
		}
		filter := strings.TrimSuffix(line, "\n")
		link := Ethernet
		if strings.HasPrefix(filter, "@") {
			name, rest, _ := strings.Cut(filter[1:], " ")
			filter, link = rest, linkNamed(name)
		}
		if _, err := Compile(filter, Options{Link: link, Resolve: resolve}); err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Filter != filter || e.Pos < 0 || !strings.HasPrefix(filter[e.Pos:], e.Word) {
				t.Errorf("%s: not at the word: %#v", filter, err)
			}
			got.WriteString("\t" + err.Error() + "\n")
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, is := strings.Split(string(b), "\n"), strings.Split(got.String(), "\n")
	for i := range min(len(want), len(is)) {
		if want[i] != is[i] {
			t.Fatalf("%s:%d: wants\n%s\nnow\n%s", file, i+1, want[i], is[i])
		}
	}
	if len(want) != len(is) {
		t.Errorf("%s has %d lines, now %d", file, len(want), len(is))
	}
}
