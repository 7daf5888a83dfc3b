package course

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"nsscript/interp"
)

// task is the shortest text of an exercise.
const task = "exercise(\"T\", \"b\", 1, \"t\")\n"

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func names(c *Course) string {
	var list []string
	for _, it := range c.Items {
		list = append(list, it.Name)
	}
	return strings.Join(list, " ")
}

func TestFolderOrder(t *testing.T) {
	c, err := Folder(write(t, map[string]string{
		"10_ten.star": task, "9_nine.star": task, "b.star": task, "a.star": task,
		"02-more/2_second.star": task, "02-more/1 first.star": task,
		".git/x.star": task, "lib.star": "x = 1\n", "notes.txt": task,
		"11_broken.star": task + "def (:\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(c), "first second nine ten broken a b"; got != want {
		t.Errorf("the order is %s, want %s", got, want)
	}
	for what, name := range map[string]string{"1": "first", "ten": "ten", "7": "b"} {
		if it, err := c.Find(what); err != nil || it.Name != name {
			t.Errorf("%s is %v (%v), want %s", what, it, err, name)
		}
	}
	if after := c.After(&c.Items[6]); after != nil {
		t.Errorf("after the last comes %v", after)
	}
}

func TestNameOf(t *testing.T) {
	for path, want := range map[string]string{
		"/x/01_cable.star": "cable", "7-a b.star": "a_b", "42.star": "42", "x.star": "x", "3_übung.star": "_bung", "1__a.star": "a",
	} {
		if got := nameOf(path); got != want {
			t.Errorf("%s is called %q, want %q", path, got, want)
		}
	}
}

func TestIsExercise(t *testing.T) {
	for text, want := range map[string]bool{
		task: true, "x = 1\n" + task: true, "def exercise_one():\n    pass\n": false, "y = exercise\n": false, task + "((\n": true, "((\n": false, "": false,
	} {
		if got := IsExercise(interp.Source{Name: "x.star", Text: []byte(text)}); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestEmbedded(t *testing.T) {
	c, err := Embedded(fstest.MapFS{"02_b.star": {Data: []byte(task)}, "01_a.star": {Data: []byte(task)}, "embed.go": {}})
	if err != nil {
		t.Fatal(err)
	}
	if names(c) != "a b" || Origin(c.Items[0].Source) != "@exercises/a" || c.ID != BuiltIn {
		t.Errorf("got %s", cmp.Diff(nil, c))
	}
}

func TestProgress(t *testing.T) {
	s := Store{filepath.Join(t.TempDir(), "deep", "exercises.json")}
	p, err := s.Load()
	if err != nil || len(p.Courses) != 0 {
		t.Fatalf("got %v, %v", p, err)
	}
	// Commands in several terminals do not lose each other's notes.
	const many = 20
	var wg sync.WaitGroup
	for range many {
		wg.Go(func() {
			err := s.Change(func(p *Progress) error {
				p.Of("c", "a").Tries++
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if p, err = s.Load(); err != nil || p.Of("c", "a").Tries != many {
		t.Errorf("%d tries were kept of %d (%v)", p.Of("c", "a").Tries, many, err)
	}
	if err := os.WriteFile(s.Path, []byte(`{"version": 99}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("a file of another version is read: %v", err)
	}
	if err := os.WriteFile(s.Path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(); err == nil || !strings.Contains(err.Error(), "move the file away") {
		t.Errorf("a spoiled file: %v", err)
	}
}
