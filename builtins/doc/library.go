package doc

import (
	"slices"
	"strings"
)

// Library is the reference as a whole.
type Library struct {
	pages  []*Page
	byName map[string]*Page
	// Other are names of other tools for members, by type, each with what helps.
	Other map[string]map[string]string
	// Setters are how what a field shows is changed, by TYPE.FIELD.
	Setters map[string]string
}

// With is the library with more pages behind its own.
func (l *Library) With(pages ...*Page) *Library {
	all := NewLibrary(slices.Concat(l.pages, pages)...)
	all.Other, all.Setters = l.Other, l.Setters
	return all
}

// NewLibrary returns a library of these pages, which keep their order.
func NewLibrary(pages ...*Page) *Library {
	l := &Library{pages: pages, byName: map[string]*Page{}}
	for _, p := range pages {
		l.byName[p.Name] = p
	}
	return l
}

// Pages returns all pages in the order of the reference.
func (l *Library) Pages() []*Page { return l.pages }

// Names returns the names of all pages.
func (l *Library) Names() []string {
	names := make([]string, len(l.pages))
	for i, p := range l.pages {
		names[i] = p.Name
	}
	return names
}

// Page returns the page of a name, nil if there is none.
func (l *Library) Page(name string) *Page { return l.byName[name] }

// Find returns the pages that a reader may mean by a name: the page of that
// name, or those of all methods and fields so called.
func (l *Library) Find(name string) []*Page {
	if p := l.byName[name]; p != nil {
		return []*Page{p}
	}
	var found []*Page
	for _, p := range l.pages {
		if _, member, ok := CutName(p.Name); ok && member == name {
			found = append(found, p)
		}
	}
	return found
}

// CutName splits a name at its last dot.
func CutName(name string) (of, member string, ok bool) {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[:i], name[i+1:], true
	}
	return "", name, false
}

// Member describes what is behind a dot.
type Member struct {
	Name string
	Page *Page // of a function or a module
	Arg  Arg   // of a field
}

// OtherMember helps with a member that a type does not have, "" where nothing is
// known to.
func (l *Library) OtherMember(of, name string) string {
	if hint := l.Other[of][name]; hint != "" {
		return hint
	}
	if p := l.byName[of]; p != nil && p.Base != "" {
		return l.OtherMember(p.Base, name)
	}
	return ""
}

// Setter helps who wants to set a field, "" where nothing is known to.
func (l *Library) Setter(of, field string) string {
	if hint := l.Setters[of+"."+field]; hint != "" {
		return hint
	}
	if p := l.byName[of]; p != nil && p.Base != "" {
		return l.Setter(p.Base, field)
	}
	return ""
}

// Alternatives splits a type at its bars: a value of "Link | None" may be of two.
func Alternatives(t string) []string {
	if t == "" {
		return nil
	}
	return SplitOutside(t, " | ")
}

// SplitOutside splits at a separator outside of brackets.
func SplitOutside(s, sep string) []string {
	var parts []string
	depth, from := 0, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '[':
			depth++
		case s[i] == ']':
			depth--
		case depth == 0 && strings.HasPrefix(s[i:], sep):
			parts = append(parts, s[from:i])
			from = i + len(sep)
			i = from - 1
		}
	}
	return append(parts, s[from:])
}

// Members returns what values of a type, or a module, have: a type's fields in
// the order of the reference, then its methods. A type that is another one too,
// as a Bridge is a Link, has what that one has. "Namespace.nat" is the module as
// it stands behind a namespace, whose functions need none.
func (l *Library) Members(of string) []Member {
	var list []Member
	if alts := Alternatives(of); len(alts) > 1 {
		for _, alt := range alts {
			for _, m := range l.Members(alt) {
				if !slices.ContainsFunc(list, func(o Member) bool { return o.Name == m.Name }) {
					list = append(list, m)
				}
			}
		}
		return list
	}
	p := l.byName[of]
	if p == nil {
		if _, module, ok := CutName(of); ok && l.isModule(module) {
			for _, m := range l.Members(module) {
				m.Page = m.Page.Bound()
				list = append(list, m)
			}
		}
		return list
	}
	for _, f := range p.Fields {
		list = append(list, Member{Name: f.Name, Arg: f, Page: l.fieldPage(f)})
	}
	for _, q := range l.pages {
		module, name, ok := CutName(q.Name)
		switch {
		case ok && module == of:
			list = append(list, Member{Name: name, Page: q})
		case of == "Namespace" && !ok && q.Kind == Builtin && len(q.Args) > 0 && q.Args[0].Name == "ns" && q.Args[0].Type == of:
			list = append(list, Member{Name: name, Page: q.Bound()})
		}
	}
	if p.Base != "" {
		for _, m := range l.Members(p.Base) {
			if !slices.ContainsFunc(list, func(o Member) bool { return o.Name == m.Name }) {
				list = append(list, m)
			}
		}
	}
	return list
}

func (l *Library) isModule(name string) bool {
	p := l.byName[name]
	return p != nil && p.Kind == Module
}

// fieldPage is the page of a field that is a module, as red.nat is.
func (l *Library) fieldPage(f Arg) *Page {
	if l.isModule(f.Type) {
		return l.byName[f.Type]
	}
	return nil
}

// Member returns what is behind a dot by its name.
func (l *Library) Member(of, name string) (Member, bool) {
	for _, m := range l.Members(of) {
		if m.Name == name {
			return m, true
		}
	}
	return Member{}, false
}

// Bound returns the page of a function whose first argument is given by what
// stands before the dot.
func (p *Page) Bound() *Page {
	if !p.Callable() || len(p.Args) == 0 {
		return p
	}
	bound := *p
	bound.Args = p.Args[1:]
	bound.Signature = BoundSignature(p.Signature)
	return &bound
}

// BoundSignature is a signature without its first argument.
func BoundSignature(signature string) string {
	head, rest, _ := strings.Cut(signature, "(")
	_, rest, more := strings.Cut(strings.TrimSuffix(rest, ")"), ",")
	if !more {
		rest = ""
	}
	return head + "(" + strings.TrimSpace(rest) + ")"
}

// Group is a chapter of the reference.
type Group struct {
	Title string
	Pages []*Page
}

// Groups returns the pages by chapter, in the order in which these begin.
func (l *Library) Groups() []Group {
	var groups []Group
	for _, p := range l.pages {
		i := slices.IndexFunc(groups, func(g Group) bool { return g.Title == p.Group })
		if i < 0 {
			groups = append(groups, Group{Title: p.Group})
			i = len(groups) - 1
		}
		groups[i].Pages = append(groups[i].Pages, p)
	}
	return groups
}

// TypeOf returns the type of what a chain of steps leads to from a value of the
// given type, or, where that is "", from the names that every script has. It is ""
// where the reference does not say, or says more than one.
func (l *Library) TypeOf(from string, steps []Step) string {
	t := from
	for i, s := range steps {
		switch {
		case s.Name == "":
			t = Element(t)
		case i == 0 && from == "":
			p := l.byName[s.Name]
			if p == nil {
				return ""
			}
			t = p.Name // a module, or a value that is its own type
			if p.Callable() != s.Call {
				return ""
			}
			if p.Callable() || p.Kind == Value && p.Returns.Type != "" {
				t = p.Returns.Type
			}
		default:
			m, ok := l.Member(t, s.Name)
			switch {
			case !ok:
				return ""
			case m.Page == nil:
				t = m.Arg.Type
			case m.Page.Callable() && s.Call:
				t = m.Page.Returns.Type
			case m.Page.Kind == Module:
				t += "." + m.Page.Name
			default:
				return ""
			}
		}
		t = strings.TrimSuffix(t, " | None")
	}
	return t
}

// Step is a part of a chain such as red.link("eth0").addrs[0].
type Step struct {
	Name  string // of a variable or an attribute; "" for an index
	Call  bool   // it is called
	Index string // what stands in brackets, for a step without a name
}

// Element is the type of the elements of a list or tuple type.
func Element(t string) string {
	for _, kind := range []string{"list[", "tuple["} {
		if in, ok := strings.CutPrefix(t, kind); ok {
			in = strings.TrimSuffix(in, "]")
			first, rest, several := strings.Cut(in, ", ")
			if several && strings.Trim(strings.ReplaceAll(rest, first, ""), ", ") != "" {
				return ""
			}
			return first
		}
	}
	if t == "Network" {
		return "Address"
	}
	return ""
}
