package interp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"go.starlark.net/syntax"

	"nsscript/builtins/near"
)

// maxSource is the size of the largest script that is read: deeper nesting than
// fits in one could exhaust the stack of the compiler.
const maxSource = 1 << 20

// A Source is the text of a script or module.
type Source struct {
	Name string // as shown in errors: the path as the user gave it, "<stdin>", …
	Path string // absolute path of the file, "" when there is none
	Text []byte
}

// ReadFile reads a script. Its error is an *[Error] and unwraps to that of the
// file system.
func ReadFile(path string) (Source, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Source{}, unreadable(path, err)
	}
	f, err := os.Open(path)
	if err != nil {
		e := unreadable(path, err)
		if errors.Is(err, fs.ErrNotExist) {
			e.Hint = nearFile(abs, path)
		}
		return Source{}, e
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err != nil {
		return Source{}, unreadable(path, err)
	}
	return Source{Name: path, Path: abs, Text: text}, nil
}

// unreadable is the error of a script that cannot be read.
func unreadable(name string, err error) *Error {
	return &Error{Pos: syntax.MakePosition(&name, 0, 0), Msg: reason(err), Err: err}
}

// reason says in a few words why a file could not be read.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		if pe.Err.Error() == "is a directory" {
			return "this is a directory, not a script"
		}
		err = pe.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "there is no such file"
	}
	return fmt.Sprintf("cannot be read: %v", err)
}

// nearFile returns a hint that names a script beside the missing one.
func nearFile(abs, shown string) string {
	entries, err := os.ReadDir(filepath.Dir(abs))
	if err != nil {
		return ""
	}
	return nearModule(entries, shown, filepath.Base(abs))
}

// nearModule returns a hint that names the entry nearest to base, in the form in
// which the user wrote the missing one.
func nearModule(entries []fs.DirEntry, shown, base string) string {
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".star") {
			names = append(names, e.Name())
		}
	}
	best := strings.TrimSuffix(base, filepath.Ext(base)) + ".star"
	if !slices.Contains(names, best) {
		best = near.Name(names, best)
	}
	if best == "" {
		return ""
	}
	return near.DidYouMean(strings.TrimSuffix(shown, base) + best)
}

// clean returns the text without the byte order mark that some editors put
// before it.
func (s Source) clean() Source {
	s.Text = bytes.TrimPrefix(s.Text, []byte("\ufeff"))
	return s
}

// check rejects what is no text.
func (s Source) check() *Error {
	if len(s.Text) > maxSource {
		return &Error{Pos: syntax.MakePosition(&s.Name, 0, 0), Msg: "this file is larger than 1 MiB: it is no script"}
	}
	i, msg, hint := bytes.IndexByte(s.Text, 0), "there is a zero byte here: this is no text file", ""
	for j := 0; i < 0 && j < len(s.Text); {
		r, size := utf8.DecodeRune(s.Text[j:])
		if r == utf8.RuneError && size == 1 {
			i, msg = j, fmt.Sprintf("the byte 0x%02x here is not UTF-8", s.Text[j])
			hint = "save the file with the encoding UTF-8"
		}
		j += size
	}
	if i < 0 {
		return nil
	}
	before := splitLines(string(s.Text[:i]))
	line := len(before)
	col := utf8.RuneCountInString(before[line-1]) + 1
	e := &Error{Msg: msg, Hint: hint}
	e.point(s.Name, splitLines(string(s.Text)), span{line: line, col: col, width: 1})
	return e
}

// splitLines splits at the line ends that Starlark knows: of Unix, DOS and old
// Macs.
func splitLines(text string) []string {
	return strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
}
