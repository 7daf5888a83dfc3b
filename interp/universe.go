package interp

import (
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/doc"
)

// universe describes what every Starlark program has, each as its signature, the
// type of the result and a sentence.
const universe = `
abs(x) int | float: The absolute value of a number.
all(x) bool: Whether all elements are truthy.
any(x) bool: Whether any element is truthy.
bool(x = False) bool: Whether a value is truthy: not None, False, 0 or empty.
bytes(x) bytes: A string, or a list of numbers from 0 to 255, as bytes.
chr(i) string: The character of a Unicode number.
dict(pairs = [], **fields) dict: A dictionary of pairs and of keyword arguments.
dir(x) list[string]: The names of a value's fields and methods.
enumerate(x, start = 0) list: The elements with their numbers: [(0, a), (1, b)].
fail(*msg, sep = " ") None: Ends the script with an error of one's own.
float(x = 0.0) float: A number, or a string that holds one, as a float.
getattr(x, name, default = None) any: A field or method by its name as a string.
hasattr(x, name) bool: Whether a value has a field or method of that name.
hash(x) int: A number made of a string or bytes.
int(x = 0, base = 10) int: A number, or a string that holds one, as a whole number.
len(x) int: The number of elements, or of a string's bytes.
list(x = []) list: The elements of anything that can be gone through, as a list.
max(*x, key = None) any: The largest of the elements, or of the arguments.
min(*x, key = None) any: The smallest of the elements, or of the arguments.
ord(s) int: The Unicode number of a character.
print(*x, sep = " ") None: Prints its arguments.
range(start, stop = None, step = 1) range: The whole numbers from start to before stop; with one argument, from 0 to before it.
repr(x) string: A value as it would be written in a script.
reversed(x) list: The elements in reverse order.
set(x = []) set: The elements, each once.
sorted(iterable, key = None, reverse = False) list: The elements in order.
str(x) string: A value as print shows it.
struct(**fields) struct: A value with the fields that are given by name: struct(a = 1).a is 1.
tuple(x = ()) tuple: The elements as a tuple, which does not change.
type(x) string: The name of a value's type.
zip(*x) list: The first elements of its arguments, then the second ones: [(a1, b1), (a2, b2)].
`

// universeModules are the modules that every script finds.
var universeModules = map[string]string{
	"json": "JSON: json.encode(x), json.decode(s), json.indent(s).",
	"math": "Mathematics: math.floor, math.ceil, math.sqrt, math.pow, math.log, math.pi and more.",
	"time": "Times and durations: time.now(), time.parse_duration(\"1h\"), time.second and more.",
}

// UniverseTitle is the chapter of the reference that is about what every Starlark
// program has.
const UniverseTitle = "Starlark's own"

// WithUniverse is a reference of predeclared names together with what every script
// finds beside them.
func WithUniverse(lib *doc.Library) (*doc.Library, error) {
	own, err := Universe()
	if err != nil {
		return nil, err
	}
	return lib.With(own...), nil
}

// Placeholders are values for the names that a reference says are predeclared, for
// who reads scripts and does not run them.
func Placeholders(lib *doc.Library) starlark.StringDict {
	names := starlark.StringDict{}
	for _, p := range lib.Pages() {
		if _, _, member := doc.CutName(p.Name); !member && p.Kind != doc.Type && p.Group != UniverseTitle {
			names[p.Name] = starlark.None
		}
	}
	return names
}

// Universe describes what every script finds beside the predeclared names.
func Universe() ([]*doc.Page, error) {
	var pages []*doc.Page
	add := func(kind doc.Kind, name, sig, text string) error {
		p, err := doc.Parse(kind, name, sig, text)
		if err == nil {
			p.Group = UniverseTitle
			pages = append(pages, p)
		}
		return err
	}
	for line := range strings.SplitSeq(strings.TrimSpace(universe), "\n") {
		sig, rest, _ := strings.Cut(line, ") ")
		sig += ")"
		returns, text, _ := strings.Cut(rest, ": ")
		name, _, _ := strings.Cut(sig, "(")
		if err := add(doc.Builtin, name, sig, text+"\n\nreturns ("+returns+"): see the specification of Starlark"); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"json", "math", "time"} {
		if err := add(doc.Module, name, "", universeModules[name]); err != nil {
			return nil, err
		}
	}
	return pages, nil
}
