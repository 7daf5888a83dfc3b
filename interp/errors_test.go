package interp

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the errors that are returned to testdata")

// TestErrors runs the scripts of testdata/*.txtar: of each X.star with an
// X.want, the error must print as that. The files of std/ are the embedded
// modules, $WORK is the folder of the files.
func TestErrors(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			files := readArchive(t, path)
			dir := files.extract(t)
			for i, f := range files {
				name, ok := strings.CutSuffix(f.name, ".want")
				if !ok {
					continue
				}
				t.Run(name, func(t *testing.T) {
					got := runFile(t, dir, name+".star")
					if *update {
						files[i].text = got
					} else if got != f.text {
						t.Errorf("%s.star: the error is\n%s\nwant\n%s", name, got, f.text)
					}
				})
			}
			if *update {
				files.write(t, path)
			}
		})
	}
}

// runFile runs a file and returns its error as it prints, with a newline.
func runFile(t *testing.T, dir, name string) string {
	t.Helper()
	in := New(Options{Predeclared: hostNames(), Std: os.DirFS(filepath.Join(dir, "std"))})
	src, err := ReadFile(filepath.Join(dir, name))
	if err == nil {
		src.Name = name
		_, err = in.Run(t.Context(), src)
	}
	if err == nil {
		return "no error\n"
	}
	return strings.ReplaceAll(err.Error(), dir, "$WORK") + "\n"
}
