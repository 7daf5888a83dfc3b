package suite

import (
	"encoding/json"
	"io"
	"time"

	"nsscript/builtins"
)

// JSON prints results, in the end, as one document.
type JSON struct {
	out   io.Writer
	all   Totals
	files []*jsonFile
	of    *File
}

// NewJSON returns a Reporter that prints to out.
func NewJSON(out io.Writer) *JSON { return &JSON{out: out, files: []*jsonFile{}} }

type jsonFile struct {
	File  string     `json:"file"`
	Tests []jsonTest `json:"tests"`
}

type jsonTest struct {
	Name string `json:"name"`
	Line int    `json:"line"`
	*Result
}

// Done notes a test.
func (x *JSON) Done(t *Test, r *Result) {
	if x.of != t.File {
		x.of = t.File
		x.files = append(x.files, &jsonFile{File: t.File.Path})
	}
	f := x.files[len(x.files)-1]
	shown := *r
	if shown.Checks == nil {
		shown.Checks = []builtins.Check{}
	}
	f.Tests = append(f.Tests, jsonTest{Name: t.Name(), Line: t.Line, Result: &shown})
	x.all.add(r)
}

// End prints all.
func (x *JSON) End(took time.Duration, err error) error {
	said := ""
	if err != nil {
		said = err.Error()
	}
	enc := json.NewEncoder(x.out)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		OK      bool    `json:"ok"`
		Seconds float64 `json:"seconds"`
		Totals
		Error string      `json:"error,omitempty"`
		Files []*jsonFile `json:"files"`
	}{!x.all.Bad() && err == nil, took.Seconds(), x.all, said, x.files})
}

// List prints the tests there are, as JSON.
func List(out io.Writer, tests []*Test) error {
	type item struct {
		File string `json:"file"`
		Name string `json:"name"`
		Line int    `json:"line"`
	}
	list := []item{}
	for _, t := range tests {
		list = append(list, item{t.File.Path, t.Name(), t.Line})
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(list)
}
