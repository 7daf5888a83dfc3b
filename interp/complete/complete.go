// Package complete finds what can stand at a place of a script that is being
// written. What names stand for is the business of a [Scope]: that of an
// interactive session looks at the living values, that of an editor at what is
// known of the script.
package complete

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nsscript/builtins/doc"
	"nsscript/interp"
)

// Scope knows what the names at a place stand for.
type Scope interface {
	// Names lists the names that can be used.
	Names() []Item
	// Members lists what stands behind a dot.
	Members(of []interp.Step) []Item
	// Called is the function that a call calls, nil where it is not known.
	Called(call *interp.CallSite) *Callee
	// Named lists names of the lab: of its namespaces (Namespaces), the interfaces
	// in the namespace that a call is about (Interfaces), the kernel's features
	// (Features).
	Named(kind Kind, call *interp.CallSite) []string
	// Modules lists the modules that can be loaded without a file.
	Modules() []string
	// Exports lists the names that a module defines.
	Exports(module string) []string
	// Programs lists the programs that a command may be.
	Programs() []string
	// Topics lists what the reference describes.
	Topics() []string
	// Dir is the directory to which paths are relative.
	Dir() string
}

// Callee is a function that is being called.
type Callee struct {
	Name      string // of its page: ping, Link.set; "" for a function of a script
	Signature string
	Args      []doc.Arg
	Page      *doc.Page
}

// Kind says what an item is.
type Kind int

// The kinds of items.
const (
	Variable Kind = iota
	Function
	Module
	Field
	Argument
	Keyword
	Text // of a string
	File
	Namespaces
	Interfaces
	Features
)

// Item is something that can stand at a place.
type Item struct {
	Name   string
	Kind   Kind
	Detail string // its type or signature
	Page   *doc.Page
	Arg    doc.Arg // of an argument or a field
}

// Plain is the item as it is written: what can be called with its bracket, an
// argument with its sign.
func (i Item) Plain() string {
	switch i.Kind {
	case Function:
		return i.Name + "("
	case Argument:
		return i.Name + " = "
	}
	return i.Name
}

// At lists what can stand at a place, sorted by name.
func At(c interp.Context, s Scope) []Item {
	var list []Item
	switch c.Kind {
	case interp.AtName:
		list = names(c, s)
	case interp.AtAttr:
		list = s.Members(c.Of)
	case interp.AtString:
		list = inString(c, s)
	}
	list = slices.DeleteFunc(list, func(i Item) bool {
		return !strings.HasPrefix(i.Name, c.Prefix) || c.Prefix == "" && strings.HasPrefix(i.Name, "_")
	})
	slices.SortStableFunc(list, func(a, b Item) int { return strings.Compare(a.Plain(), b.Plain()) })
	return slices.CompactFunc(list, func(a, b Item) bool { return a.Plain() == b.Plain() })
}

// names are those that a script can use here, and in a call the names of the
// arguments that are not given yet.
func names(c interp.Context, s Scope) []Item {
	if c.Call != nil && c.Call.Fn[len(c.Call.Fn)-1].Name == "help" {
		all := s.Names() // what is asked about is not called
		for i := range all {
			all[i].Kind = Variable
		}
		return all
	}
	list := arguments(c, s)
	if c.Prefix == "" && len(list) > 0 && !positional(s.Called(c.Call), c.Call) {
		return list // where a name can stand, those of arguments are what is sought
	}
	list = append(list, s.Names()...)
	for _, word := range interp.Keywords() {
		list = append(list, Item{Name: word, Kind: Keyword})
	}
	return list
}

func arguments(c interp.Context, s Scope) []Item {
	if c.Call == nil || c.Call.Name != "" {
		return nil
	}
	fn := s.Called(c.Call)
	if fn == nil {
		return nil
	}
	var list []Item
	for i, a := range fn.Args {
		given := slices.Contains(c.Call.Given, a.Name) || !a.ByName && i < c.Call.Index
		if a.Rest == "" && !given && (a.ByName || a.Optional || c.Prefix != "") {
			list = append(list, Item{Name: a.Name, Kind: Argument, Detail: a.Type, Arg: a})
		}
	}
	return list
}

// positional reports whether an argument without a name can stand here.
func positional(fn *Callee, call *interp.CallSite) bool {
	return len(call.Given) == 0 && call.Index < len(fn.Args) && !fn.Args[call.Index].ByName
}

// ArgAt is the argument to which the place in a call belongs.
func ArgAt(fn *Callee, call *interp.CallSite) (int, bool) {
	if call.Name != "" {
		i := slices.IndexFunc(fn.Args, func(a doc.Arg) bool { return a.Name == call.Name && a.Rest == "" })
		return i, i >= 0
	}
	if call.Index < len(fn.Args) && !fn.Args[call.Index].ByName {
		return call.Index, true
	}
	i := slices.IndexFunc(fn.Args, func(a doc.Arg) bool { return a.Rest == "*" })
	return i, i >= 0
}

// inString is what can stand in a string: names of the lab where such a name is
// expected, paths of modules and files.
func inString(c interp.Context, s Scope) []Item {
	if c.Call == nil {
		return nil
	}
	if len(c.Call.Fn) == 1 && c.Call.Fn[0].Name == "load" {
		if c.Call.Index == 0 {
			return append(texts(s.Modules()), files(s.Dir(), c.Prefix, ".star")...)
		}
		return texts(s.Exports(strings.Trim(c.Call.Args[0], `"'`)))
	}
	fn := s.Called(c.Call)
	if fn == nil {
		return nil
	}
	i, ok := ArgAt(fn, c.Call)
	if !ok {
		return nil
	}
	arg := fn.Args[i]
	switch {
	case fn.Name == "help":
		return texts(s.Topics())
	case strings.Contains(arg.Type, "Link") || fn.Name == "Namespace.link":
		return append(texts(s.Named(Interfaces, c.Call)), targets(arg, s)...)
	case fn.Name == "kernel.has":
		return texts(s.Named(Features, nil))
	case arg.Name == "cmd" || arg.Name == "script":
		list := Command(c.Prefix, s)
		for i := range list {
			list[i].Name = c.Prefix[:strings.LastIndexByte(c.Prefix, ' ')+1] + list[i].Name
		}
		return list
	case arg.Name == "file" || arg.Name == "dir" || arg.Name == "path":
		return files(s.Dir(), c.Prefix, "")
	}
	return append(targets(arg, s), texts(quotedWords(arg.Text))...)
}

// targets are the names of namespaces, where an argument takes one.
func targets(arg doc.Arg, s Scope) []Item {
	if strings.Contains(arg.Type, "target") {
		return texts(s.Named(Namespaces, nil))
	}
	return nil
}

func texts(words []string) []Item {
	list := make([]Item, len(words))
	for i, w := range words {
		list[i] = Item{Name: w, Kind: Text}
	}
	return list
}

// quotedWords are the words that a description gives in quotes, as
// `"accept" or "drop"`.
func quotedWords(text string) []string {
	var list []string
	parts := strings.Split(text, `"`)
	for i := 1; i < len(parts); i += 2 {
		if len(parts[i]) > 1 && !strings.Contains(parts[i], " ") {
			list = append(list, parts[i])
		}
	}
	return list
}

// LastWord is the word at the end of a command.
func LastWord(command string) string { return command[strings.LastIndexByte(command, ' ')+1:] }

// Command lists what the last word of a command may become: its first one a
// program, the others namespaces of the lab and files.
func Command(command string, s Scope) []Item {
	word := LastWord(command)
	var all []Item
	if word == command && !strings.ContainsAny(word, "/.") {
		all = texts(s.Programs())
	} else {
		all = append(texts(s.Named(Namespaces, nil)), files(s.Dir(), word, "")...)
	}
	all = slices.DeleteFunc(all, func(i Item) bool { return !strings.HasPrefix(i.Name, word) })
	slices.SortFunc(all, func(a, b Item) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b Item) bool { return a.Name == b.Name })
}

// files lists the files and directories that a path may become.
func files(base, prefix, ext string) []Item {
	dir, name := filepath.Split(prefix)
	in := dir
	if !filepath.IsAbs(dir) {
		in = filepath.Join(base, dir)
	}
	entries, err := os.ReadDir(in)
	if err != nil {
		return nil
	}
	var list []Item
	for _, e := range entries {
		switch n := e.Name(); {
		case !strings.HasPrefix(n, name) || name == "" && strings.HasPrefix(n, "."):
		case e.IsDir():
			list = append(list, Item{Name: dir + n + "/", Kind: File})
		case strings.HasSuffix(n, ext):
			list = append(list, Item{Name: dir + n, Kind: File})
		}
	}
	return list
}
