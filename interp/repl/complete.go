package repl

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/doc"
	"nsscript/interp"
	"nsscript/interp/complete"
)

// completer returns what the Tab key offers on a line that follows the part of the
// input which was read before.
func (s *Session) completer(before string) func(string, int) (string, []string, string) {
	shown := "" // the call whose signature was shown on this line
	scope := liveScope{s}
	return func(line string, pos int) (head string, list []string, tail string) {
		runes := []rune(line)
		left, tail := string(runes[:pos]), string(runes[pos:])
		if before != "" && strings.TrimSpace(left) == "" {
			return left, []string{"    "}, tail // an indent
		}
		defer func() {
			if len(list) > mostOffered {
				fmt.Fprintf(s.Out, "\n%d are possible: type more of the word\n", len(list))
				list = nil
			}
		}()
		if before == "" {
			if _, command, is := s.asCommand(left + "x"); is {
				command = strings.TrimSuffix(command, "x")
				return strings.TrimSuffix(left, complete.LastWord(command)), plain(complete.Command(command, scope)), tail
			}
		}
		c := interp.ContextAt(before+left, tail)
		list = plain(complete.At(c, scope))
		if fn := scope.Called(c.Call); fn != nil && fn.Signature != shown && len(list) > 0 && c.Kind == interp.AtName {
			shown = fn.Signature
			fmt.Fprintf(s.Out, "\n%s", s.Style().Signature(shown))
		}
		return strings.TrimSuffix(left, c.Prefix), list, tail
	}
}

// mostOffered is how many names are listed; beyond 100 liner asks first, and hears
// nothing but the answer.
const mostOffered = 100

func plain(items []complete.Item) []string {
	list := make([]string, len(items))
	for i, item := range items {
		list[i] = item.Plain()
	}
	return list
}

// liveScope completes by the values that the session's names have now.
type liveScope struct{ s *Session }

var _ complete.Scope = liveScope{}

func (l liveScope) Names() []complete.Item {
	var list []complete.Item
	for name, v := range l.s.Globals {
		list = append(list, itemOf(name, v))
	}
	for _, name := range l.s.Interp.Names() {
		list = append(list, itemOf(name, l.s.Interp.Predeclared(name)))
	}
	return list
}

// itemOf is a name with what it stands for.
func itemOf(name string, v starlark.Value) complete.Item {
	if _, ok := v.(starlark.Callable); ok {
		return complete.Item{Name: name, Kind: complete.Function}
	}
	return complete.Item{Name: name}
}

// Members are the fields and methods of what a chain stands for: of the value, or,
// where it has to be called for that, of the type that it returns.
func (l liveScope) Members(of []interp.Step) []complete.Item {
	var list []complete.Item
	v := l.s.Interp.Eval(of, l.s.Globals)
	if v == nil {
		for _, m := range l.s.Library.Members(l.typeOf(of)) {
			list = append(list, memberItem(m))
		}
		return list
	}
	h, ok := v.(starlark.HasAttrs)
	if !ok {
		return nil
	}
	for _, name := range h.AttrNames() {
		if m, ok := l.s.Library.Member(v.Type(), name); ok {
			list = append(list, memberItem(m))
		} else if a, err := h.Attr(name); err == nil { // text, a struct, a module: reading asks no kernel
			list = append(list, itemOf(name, a))
		}
	}
	return list
}

func memberItem(m doc.Member) complete.Item {
	if m.Page != nil && m.Page.Callable() {
		return complete.Item{Name: m.Name, Kind: complete.Function, Page: m.Page}
	}
	return complete.Item{Name: m.Name, Kind: complete.Field, Arg: m.Arg}
}

// typeOf is the type that a chain with calls in it has by the reference.
func (l liveScope) typeOf(of []interp.Step) string {
	for i := len(of) - 1; i >= 0; i-- {
		if v := l.s.Interp.Eval(of[:i], l.s.Globals); v != nil {
			return l.s.Library.TypeOf(v.Type(), of[i:])
		}
	}
	return l.s.Library.TypeOf("", of)
}

func (l liveScope) Called(call *interp.CallSite) *complete.Callee {
	if call == nil {
		return nil
	}
	if p := l.page(call.Fn); p != nil {
		return &complete.Callee{Name: p.Name, Signature: p.Signature, Args: p.Args, Page: p}
	}
	fn, ok := l.s.Interp.Eval(call.Fn, l.s.Globals).(*starlark.Function)
	if !ok {
		return nil
	}
	return &complete.Callee{Signature: interp.Signature(fn), Args: interp.Params(fn)}
}

// page is the page of the function that a chain leads to.
func (l liveScope) page(fn []interp.Step) *doc.Page {
	last := fn[len(fn)-1]
	if b, ok := l.s.Interp.Eval(fn, l.s.Globals).(*starlark.Builtin); ok {
		if len(fn) > 1 {
			if recv := l.s.Interp.Eval(fn[:len(fn)-1], l.s.Globals); recv != nil {
				if m, ok := l.s.Library.Member(recv.Type(), last.Name); ok {
					return m.Page
				}
			}
		}
		return l.s.Library.Page(b.Name())
	}
	if len(fn) > 1 {
		if m, ok := l.s.Library.Member(l.typeOf(fn[:len(fn)-1]), last.Name); ok {
			return m.Page
		}
	}
	return nil
}

func (l liveScope) Named(kind complete.Kind, call *interp.CallSite) []string {
	switch kind {
	case complete.Namespaces:
		return l.s.Lab.Names("namespace", nil)
	case complete.Features:
		return l.s.Lab.Names("feature", nil)
	case complete.Interfaces:
		return l.s.Lab.Names("interface", l.place(call))
	}
	return nil
}

// place is the namespace that a call is about.
func (l liveScope) place(call *interp.CallSite) starlark.Value {
	for n := len(call.Fn) - 1; n > 0; n-- {
		if v := l.s.Interp.Eval(call.Fn[:n], l.s.Globals); v != nil && l.s.Lab.Place(v) {
			return v
		}
	}
	if len(call.Args) > 0 {
		if v := l.s.Interp.Eval([]interp.Step{{Name: call.Args[0]}}, l.s.Globals); v != nil && l.s.Lab.Place(v) {
			return v
		}
	}
	return nil
}

func (l liveScope) Modules() []string              { return l.s.Interp.StdModules() }
func (l liveScope) Exports(module string) []string { return l.s.Interp.Exports(module) }
func (l liveScope) Programs() []string             { return l.s.Programs() }
func (l liveScope) Topics() []string               { return l.s.Library.Names() }
func (l liveScope) Dir() string                    { return "." }
