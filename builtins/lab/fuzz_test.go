//go:build linux

package lab

import (
	"os"
	"path/filepath"
	"testing"

	"nsscript/builtins/op"
)

// FuzzJournal reads spoiled journals: what is returned can be printed, and all of
// it is whole.
func FuzzJournal(f *testing.F) {
	for _, s := range []string{
		"", "\n", "{}\n", `{"seq":1,"state":"try","kind":"AddNamespace","op":{"name":"red"}}` + "\n", `{"seq":1,"state":"done"}` + "\n",
		`{"seq":1,"state":"try","kind":"nonsense","op":{}}` + "\n", `{"seq":-1,"state":"begun","private":true}` + "\n", `{"seq":1,"kind":"AddVeth","op":{"a":`,
		`{"seq":1,"state":"try","kind":"AddVeth","op":{"a":{"ns":"host","name":"../x"}}}` + "\n" + `{"seq":1,"state":"done"}` + "\n", "[]\n", "null\n",
		`{"seq":1,"state":"try","kind":"AddRoute","op":null}` + "\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		entries, _ := ReadJournal(path)
		seen := map[int]bool{}
		for _, e := range entries {
			if e.Op == nil || seen[e.Seq] {
				t.Fatalf("entry %d is not whole, or there twice", e.Seq)
			}
			seen[e.Seq] = true
			e.Op.Commands()
			e.Op.Inside()
			if _, _, err := op.Encode(e.Op); err != nil {
				t.Errorf("what was read cannot be written: %v", err)
			}
		}
	})
}

// FuzzRegistry reads spoiled notes of what a lab is and of what labs have
// borrowed: the lab can be taken out of the registry whatever they say.
func FuzzRegistry(f *testing.F) {
	for _, s := range []string{"", "{", "{}", "null", "[]", `{"name":"../x","sandbox":{"pid":-1}}`, `{"sandbox":{"pid":1,"mark":"tmpfs"}}`,
		`{"1 table filter false":{"before":"absent","labs":{"x":["a"]}}}`, `{"1 x":null}`, `{"1 x":{"labs":null}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := Registry{Dir: filepath.Join(t.TempDir(), "nsscript")}
		c, err := r.Claim("x", "/a.star")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{filepath.Join(c.Dir, "lab.json"), filepath.Join(r.Dir, ledgerName)} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c.Release()
		if _, err := r.Names(); err != nil {
			t.Fatal(err)
		}
		if c, err = r.Hold("x"); err != nil {
			t.Fatalf("held by nobody: %v", err)
		}
		if err := c.Remove(); err != nil {
			t.Fatalf("it cannot be removed: %v", err)
		}
	})
}
