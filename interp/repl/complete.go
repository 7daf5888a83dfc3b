package repl

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/doc"
	"nsscript/interp"
)

// completer returns what the Tab key offers on a line that follows the part of the
// input which was read before.
func (s *Session) completer(before string) func(string, int) (string, []string, string) {
	shown := "" // the call whose signature was shown on this line
	return func(line string, pos int) (head string, list []string, tail string) {
		runes := []rune(line)
		left, tail := string(runes[:pos]), string(runes[pos:])
		if before == "" {
			if _, command, is := s.asCommand(left + "x"); is {
				prefix, list := s.words(strings.TrimSuffix(command, "x"))
				return strings.TrimSuffix(left, prefix), list, tail
			}
		}
		c := interp.ContextAt(before+left, tail)
		list = s.Complete(c)
		if sig := s.signature(c.Call); sig != "" && sig != shown && len(list) > 0 && c.Kind == interp.AtName {
			shown = sig
			fmt.Fprintf(s.Out, "\n%s", s.Style().Signature(sig))
		}
		return strings.TrimSuffix(left, c.Prefix), list, tail
	}
}

// Complete lists what can stand at a place, each with what is there already.
func (s *Session) Complete(c interp.Context) []string {
	var list []string
	switch c.Kind {
	case interp.AtName:
		list = s.names(c)
	case interp.AtAttr:
		list = s.attrs(c.Of)
	case interp.AtString:
		list = s.strings(c)
	}
	list = slices.DeleteFunc(list, func(name string) bool {
		return !strings.HasPrefix(name, c.Prefix) || c.Prefix == "" && strings.HasPrefix(name, "_")
	})
	slices.Sort(list)
	return slices.Compact(list)
}

// names are those that a script can use here, and in a call the names of the
// arguments that are not given yet.
func (s *Session) names(c interp.Context) []string {
	var list []string
	page := s.called(c.Call)
	if page != nil && c.Call.Name == "" {
		for i, a := range page.Args {
			given := slices.Contains(c.Call.Given, a.Name) || !a.ByName && i < c.Call.Index
			if !given && (a.ByName || a.Optional || c.Prefix != "") {
				list = append(list, a.Name+" = ")
			}
		}
		if c.Prefix == "" && len(list) > 0 && !s.positional(page, c.Call) {
			return list // where a name can stand, those of arguments are what is sought
		}
	}
	for name, v := range s.Globals {
		list = append(list, name+s.bracket(v))
	}
	for _, name := range s.Interp.Names() {
		list = append(list, name+s.bracket(s.Interp.Eval([]interp.Step{{Name: name}}, nil)))
	}
	return append(list, interp.Keywords()...)
}

// positional reports whether an argument without a name can stand here.
func (s *Session) positional(p *doc.Page, call *interp.CallSite) bool {
	return len(call.Given) == 0 && call.Index < len(p.Args) && !p.Args[call.Index].ByName
}

// bracket follows the name of what can be called.
func (s *Session) bracket(v starlark.Value) string {
	if _, ok := v.(starlark.Callable); ok {
		return "("
	}
	return ""
}

// attrs are the fields and methods of what a chain stands for: of the value, or,
// where it has to be called for that, of the type that it returns.
func (s *Session) attrs(of []interp.Step) []string {
	if v := s.Interp.Eval(of, s.Globals); v != nil {
		h, ok := v.(starlark.HasAttrs)
		if !ok {
			return nil
		}
		list := h.AttrNames()
		for i, name := range list {
			if m, ok := s.Library.Member(v.Type(), name); ok && m.Page != nil && m.Page.Callable() {
				list[i] += "("
			} else if !ok { // text, a struct, a namespace's modules: reading asks no kernel
				if a, err := h.Attr(name); err == nil {
					list[i] += s.bracket(a)
				}
			}
		}
		return list
	}
	var list []string
	for _, m := range s.Library.Members(s.typeOf(of)) {
		name := m.Name
		if m.Page != nil && m.Page.Callable() {
			name += "("
		}
		list = append(list, name)
	}
	return list
}

// typeOf is the type that a chain with calls in it has by the reference.
func (s *Session) typeOf(of []interp.Step) string {
	for i := len(of) - 1; i >= 0; i-- {
		if v := s.Interp.Eval(of[:i], s.Globals); v != nil {
			return s.Library.TypeOf(v.Type(), of[i:])
		}
	}
	return s.Library.TypeOf("", of)
}

// called is the page of the function that is being called.
func (s *Session) called(call *interp.CallSite) *doc.Page {
	if call == nil {
		return nil
	}
	last := call.Fn[len(call.Fn)-1]
	if b, ok := s.Interp.Eval(call.Fn, s.Globals).(*starlark.Builtin); ok {
		if len(call.Fn) > 1 {
			if recv := s.Interp.Eval(call.Fn[:len(call.Fn)-1], s.Globals); recv != nil {
				if m, ok := s.Library.Member(recv.Type(), last.Name); ok {
					return m.Page
				}
			}
		}
		return s.Library.Page(b.Name())
	}
	if len(call.Fn) > 1 {
		if m, ok := s.Library.Member(s.typeOf(call.Fn[:len(call.Fn)-1]), last.Name); ok {
			return m.Page
		}
	}
	return nil
}

// signature is shown when arguments are completed.
func (s *Session) signature(call *interp.CallSite) string {
	if call == nil {
		return ""
	}
	if p := s.called(call); p != nil {
		return p.Signature
	}
	fn, ok := s.Interp.Eval(call.Fn, s.Globals).(*starlark.Function)
	if !ok {
		return ""
	}
	var params []string
	for i := range fn.NumParams() {
		name, _ := fn.Param(i)
		if def := fn.ParamDefault(i); def != nil {
			name += " = " + def.String()
		}
		params = append(params, name)
	}
	return fmt.Sprintf("%s(%s)", fn.Name(), strings.Join(params, ", "))
}

// strings is what can stand in a string: names of the lab where such a name is
// expected, paths of modules and files.
func (s *Session) strings(c interp.Context) []string {
	if c.Call == nil {
		return nil
	}
	if len(c.Call.Fn) == 1 && c.Call.Fn[0].Name == "load" {
		if c.Call.Index == 0 {
			return append(s.Interp.StdModules(), files(c.Prefix, ".star")...)
		}
		return s.Interp.Exports(strings.Trim(c.Call.Args[0], `"'`))
	}
	page := s.called(c.Call)
	if page == nil {
		return nil
	}
	name := c.Call.Name
	if name == "" && c.Call.Index < len(page.Args) {
		name = page.Args[c.Call.Index].Name
	}
	arg, ok := page.Arg(name)
	if !ok {
		return nil
	}
	switch {
	case name == "help" || page.Name == "help":
		return s.Library.Names()
	case strings.Contains(arg.Type, "Link") || page.Name == "Namespace.link":
		return append(s.Lab.Names("interface", s.place(c.Call)), s.targets(arg)...)
	case page.Name == "kernel.has":
		return s.Lab.Names("feature", nil)
	case name == "cmd" || name == "script":
		_, list := s.words(c.Prefix)
		for i := range list {
			list[i] = c.Prefix[:strings.LastIndexByte(c.Prefix, ' ')+1] + list[i]
		}
		return list
	case name == "file" || name == "dir" || name == "path":
		return files(c.Prefix, "")
	}
	return append(s.targets(arg), quotedWords(arg.Text)...)
}

// targets are the names of namespaces, where an argument takes one.
func (s *Session) targets(arg doc.Arg) []string {
	if strings.Contains(arg.Type, "target") {
		return s.Lab.Names("namespace", nil)
	}
	return nil
}

// quotedWords are the words that a description gives in quotes, as
// `"accept" or "drop"`.
func quotedWords(text string) []string {
	var list []string
	parts := strings.Split(text, `"`)
	for i := 1; i < len(parts); i += 2 {
		if !strings.Contains(parts[i], " ") {
			list = append(list, parts[i])
		}
	}
	return list
}

// place is the namespace that a call is about.
func (s *Session) place(call *interp.CallSite) starlark.Value {
	for n := len(call.Fn) - 1; n > 0; n-- {
		if v := s.Interp.Eval(call.Fn[:n], s.Globals); v != nil && s.Lab.Place(v) {
			return v
		}
	}
	if len(call.Args) > 0 {
		if v := s.Interp.Eval([]interp.Step{{Name: call.Args[0]}}, s.Globals); v != nil && s.Lab.Place(v) {
			return v
		}
	}
	return nil
}

// words completes the last word of a command: its first with programs, the others
// with the lab's namespaces and with files.
func (s *Session) words(command string) (prefix string, list []string) {
	i := strings.LastIndexByte(command, ' ') + 1
	prefix = command[i:]
	var all []string
	if i == 0 && !strings.ContainsAny(prefix, "/.") {
		all = s.Programs()
	} else {
		all = append(s.Lab.Names("namespace", nil), files(prefix, "")...)
	}
	for _, name := range all {
		if strings.HasPrefix(name, prefix) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return prefix, slices.Compact(list)
}

// files lists the files and directories that a path may become.
func files(prefix, ext string) []string {
	dir, base := filepath.Split(prefix)
	entries, err := os.ReadDir(path.Join(".", dir))
	if filepath.IsAbs(dir) {
		entries, err = os.ReadDir(dir)
	}
	if err != nil {
		return nil
	}
	var list []string
	for _, e := range entries {
		switch name := e.Name(); {
		case !strings.HasPrefix(name, base) || base == "" && strings.HasPrefix(name, "."):
		case e.IsDir():
			list = append(list, dir+name+"/")
		case strings.HasSuffix(name, ext):
			list = append(list, dir+name)
		}
	}
	return list
}
