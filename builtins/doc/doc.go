// Package doc is the reference of the language: the one form in which every
// name that a script can use is described, and what is made of it.
//
// Whoever declares a name writes its description beside it, as text in this
// form:
//
//	A cable between two namespaces.
//
//	What else is to be said, in paragraphs.
//
//	a (Namespace | Bridge): where the first end goes
//	mtu (int, 68 to 65535 bytes): the largest packet; a longer text
//	    goes on in indented lines
//	returns (tuple[Link, Link]): both ends
//	errors: what goes wrong, and when
//	example:
//	    red, blue = namespace("red"), namespace("blue")
//	    veth(red, blue)
//	command: ip link add … type veth peer name …
//	source: veth(4)
//
// [Parse] reads it into a [Page], together with the signature, of which come
// the defaults. A [Library] holds the pages of all names. From it come help()
// and the doc command ([Page.Text]), the reference in Markdown
// ([Library.Markdown]), and what completion, the checker and the language
// server know of arguments and results.
//
// Types are written as in Python's annotations: `list[Link]`, `Link | None`.
package doc

import "strings"

// Kind says what a name stands for.
type Kind string

// The kinds of names.
const (
	Builtin Kind = "builtin" // a function
	Method  Kind = "method"
	Field   Kind = "field"
	Module  Kind = "module"
	Type    Kind = "type"
	Value   Kind = "value"
)

// Page describes one name.
type Page struct {
	Name      string // as it is written: veth, nat.snat, Link.set, Link
	Kind      Kind
	Group     string // the chapter of the reference
	Signature string // of a function; that of a method has no receiver
	Summary   string // one or two sentences
	Prose     []string
	Args      []Arg
	Fields    []Arg  // of a type
	Base      string // the type that a type is too, as a Bridge is a Link
	Returns   Arg    // of a function; of a value its type
	Errors    string
	Example   string
	Commands  []string // the commands that do the same
	Source    string   // the manual page, kernel document or RFC
}

// Arg describes an argument, a field or a result.
type Arg struct {
	Name     string
	Rest     string // "*" or "**" where it takes all further ones, by position or by name
	Type     string // Namespace | Bridge
	Note     string // its unit or bounds: 68 to 65535 bytes
	Text     string
	ByName   bool   // it can only be given by name
	Optional bool   // it can be left out
	Default  string // as written in the signature
}

// Label is the argument as it stands in a signature.
func (a Arg) Label() string {
	switch {
	case a.Rest != "":
		return a.Rest + a.Name
	case a.Optional:
		return a.Name + " = " + a.Default
	}
	return a.Name
}

// Callable reports whether the name is a function's.
func (p *Page) Callable() bool { return p.Kind == Builtin || p.Kind == Method }

// Arg returns the argument of that name.
func (p *Page) Arg(name string) (Arg, bool) {
	for _, a := range p.Args {
		if a.Name == name {
			return a, true
		}
	}
	return Arg{}, false
}

// WithArticle puts an article before the name of a type.
func WithArticle(name string) string {
	if strings.ContainsRune("aeiouAEIO", rune(name[0])) || strings.HasPrefix(name, "FDB") {
		return "an " + name
	}
	return "a " + name
}
