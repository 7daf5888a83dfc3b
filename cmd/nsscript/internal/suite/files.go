package suite

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"nsscript/builtins/op"
)

// A Found is a path that was asked for, or that was found in a directory.
type Found struct {
	Path  string
	Real  string // without symbolic links, to know it again
	Named bool   // the path itself was asked for
	Only  string // the one function of it that was asked for; "" for all
}

// Files finds the test files that paths name: a file whatever its name, of a
// directory the files *_test.star and test_*.star in it and below it. "DIR/..." is
// DIR, and "FILE:FUNC" is one function of a file. The directories in which there is
// none are returned too.
func Files(paths []string) (files []Found, empty []string, err error) {
	for _, p := range paths {
		dir, hasDots := strings.CutSuffix(p, "...")
		if hasDots && (dir == "" || strings.HasSuffix(dir, "/")) {
			p = filepath.Clean(dir)
		}
		list, err := filesAt(p)
		if err != nil {
			return nil, nil, err
		}
		if len(list) == 0 {
			empty = append(empty, p)
		}
		files = append(files, list...)
	}
	return files, empty, nil
}

func filesAt(path string) ([]Found, error) {
	info, err := os.Stat(path)
	if err != nil {
		if i := strings.LastIndexByte(path, ':'); i > 0 {
			if info, err := os.Stat(path[:i]); err == nil && !info.IsDir() {
				return []Found{{Path: path[:i], Named: true, Only: path[i+1:], Real: realPath(path[:i])}}, nil
			}
		}
		return nil, &op.Error{Msg: fmt.Sprintf("%s: %s", path, reasonOf(err)), Tip: "a PATH is a file, or a directory in which *_test.star and test_*.star are taken"}
	}
	if !info.IsDir() {
		return []Found{{Path: path, Named: true, Real: realPath(path)}}, nil
	}
	var list []Found
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != path && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case isTestFile(d.Name()) && isFile(p):
			list = append(list, Found{Path: p, Real: realPath(p)})
		}
		return nil
	})
	return list, err
}

func reasonOf(err error) string {
	if os.IsNotExist(err) {
		return "there is no such file or directory"
	}
	return err.Error()
}

func isTestFile(name string) bool {
	return strings.HasSuffix(name, "_test.star") || strings.HasPrefix(name, "test_") && strings.HasSuffix(name, ".star")
}

// isFile reports whether a path is a file, or a link to one.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func realPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return path
}

func stem(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
