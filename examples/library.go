package examples

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"nsscript/builtins/pattern"
	"regexp"
	"slices"
	"strings"

	"go.starlark.net/syntax"
)

// Example is what a lab says of itself in the string that it begins with:
//
//	"""Title: what it teaches, in one line.
//
//	A paragraph or more, and drawings.
//
//	Group: those it belongs to
//	Source: the address of the well-known original, or what it is
//	Needs: vlan, netem
//	Takes: 3 s
//	"""
//
// Needs may be left out; Takes is for the big ones, which tests run once.
type Example struct {
	Name   string   `json:"name"`
	Title  string   `json:"title"`
	About  string   `json:"about"`
	Group  string   `json:"group"`
	Source string   `json:"source"`
	Needs  []string `json:"needs"` // kernel features, as kernel.has() has them
	Takes  string   `json:"takes"` // of the big ones only
	Text   string   `json:"text,omitempty"`
}

// firstGroup is where to begin; the other groups follow in the order of the alphabet.
const firstGroup = "First steps"

// Names lists the names of the examples.
func Names() []string {
	files, _ := fs.Glob(FS, "*.star") // the pattern is well formed
	for i, f := range files {
		files[i] = strings.TrimSuffix(f, ".star")
	}
	return files
}

// All returns the examples, without their text, in the order in which they are shown.
func All() ([]Example, error) {
	var all []Example
	var errs []error
	for _, name := range Names() {
		e, err := Read(name)
		e.Text = ""
		all, errs = append(all, e), append(errs, err)
	}
	slices.SortStableFunc(all, func(a, b Example) int {
		if a.Group != b.Group && (a.Group == firstGroup || b.Group == firstGroup) {
			if a.Group == firstGroup {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Group, b.Group)
	})
	return all, errors.Join(errs...)
}

// Read returns an example with its text. One that there is not is fs.ErrNotExist.
func Read(name string) (Example, error) {
	text, err := FS.ReadFile(name + ".star")
	if err != nil {
		return Example{}, err
	}
	e := Example{Name: name, Text: string(text), Needs: []string{}}
	doc, err := docString(name+".star", text)
	if err != nil {
		return e, err
	}
	if err := e.parse(doc); err != nil {
		return e, fmt.Errorf("%s.star: %w", name, err)
	}
	return e, nil
}

// docString returns the string that a script begins with.
func docString(name string, text []byte) (string, error) {
	file, err := (&syntax.FileOptions{}).Parse(name, text, 0)
	if err != nil {
		return "", err
	}
	if len(file.Stmts) > 0 {
		if st, ok := file.Stmts[0].(*syntax.ExprStmt); ok {
			if lit, ok := st.X.(*syntax.Literal); ok && lit.Token == syntax.STRING {
				return lit.Value.(string), nil
			}
		}
	}
	return "", fmt.Errorf("%s does not begin with a string", name)
}

// field is a line that says one thing about an example.
var field = pattern.Of(`^(Group|Source|Needs|Takes): +(.+)$`)

func (e *Example) parse(doc string) error {
	title, rest, _ := strings.Cut(doc, "\n")
	e.Title = strings.TrimSuffix(strings.TrimSpace(title), ".")
	var about []string
	for line := range strings.Lines(rest) {
		line = strings.TrimRight(line, " \n")
		m := field().FindStringSubmatch(line)
		if m == nil {
			about = append(about, line)
			continue
		}
		switch m[1] {
		case "Group":
			e.Group = m[2]
		case "Source":
			e.Source = m[2]
		case "Needs":
			e.Needs = regexp.MustCompile(`, *`).Split(m[2], -1)
		case "Takes":
			e.Takes = m[2]
		}
	}
	e.About = strings.Trim(strings.Join(about, "\n"), "\n")
	for _, part := range []struct{ name, value string }{
		{"title", e.Title}, {"paragraph", e.About}, {"line Group:", e.Group}, {"line Source:", e.Source},
	} {
		if part.value == "" {
			return fmt.Errorf("the string that it begins with has no %s", part.name)
		}
	}
	return nil
}
