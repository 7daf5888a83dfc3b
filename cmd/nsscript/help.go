package main

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/doc"
	"nsscript/builtins/near"
	"nsscript/builtins/op"
	"nsscript/interp"
)

// overview is help() without an argument.
const overview = `A lab is made of network namespaces and of cables between them. Try these lines:

    red = namespace("red")
    blue = namespace("blue")
    veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    ping(red, blue)
    red ping -c 2 blue       two words that are no Starlark: a command, in red
    red.routes               what red has; Tab after "red." shows all of it
    show()                   the lab as a table; graph() draws it

undo() takes back the last line that changed the lab, save("lab.star") writes
the lines as a script, explain() shows the ip command of every step from then
on. Ctrl-C stops what runs. Ctrl-D leaves and takes the lab down, unless keep()
was called.
`

// helper is help(): it explains a value, or nil for an overview.
func helper() func(starlark.Value) (string, error) {
	return func(x starlark.Value) (string, error) {
		lib, err := library()
		if err != nil {
			return "", err
		}
		style := docStyle()
		switch x := x.(type) {
		case nil:
			return overview + "\n" + chapters(lib, style), nil
		case starlark.String:
			return explainName(lib, string(x), style)
		case *starlark.Function:
			return functionHelp(x, style)
		case *starlark.Builtin:
			return builtinHelp(lib, x, style)
		}
		name := x.Type()
		if m, ok := x.(interface{ ModuleName() string }); ok {
			name = m.ModuleName()
		}
		if s := strings.Trim(x.String(), "<>"); name == "module" {
			name = strings.Trim(strings.TrimPrefix(s, "module "), `"`)
		}
		if lib.Page(name) == nil {
			return fmt.Sprintf("a value of type %s: %s\n", x.Type(), x), nil
		}
		return explainName(lib, name, style)
	}
}

// chapters lists what help can be asked for.
func chapters(lib *doc.Library, style doc.Style) string {
	var b strings.Builder
	b.WriteString("help(veth), or another of these, tells more:\n\n")
	for _, g := range lib.Groups() {
		var names []string
		for _, p := range g.Pages {
			if p.Kind == doc.Builtin || p.Kind == doc.Value || p.Kind == doc.Module && len(lib.Members(p.Name)) == 0 {
				names = append(names, p.Name)
			}
		}
		b.WriteString(style.Hang(g.Title, strings.Join(names, " "), 2, 28))
	}
	return b.String()
}

// functionHelp explains a function of a script by its own doc string, one of the
// library by its page.
func functionHelp(fn *starlark.Function, style doc.Style) (string, error) {
	if strings.HasPrefix(fn.Position().Filename(), "@std//") {
		if text, err := standardText(fn.Name(), style); text != "" || err != nil {
			return text, err
		}
	}
	text := style.Signature(interp.Signature(fn))
	if d := strings.TrimSpace(fn.Doc()); d != "" {
		text += "\n" + doc.Unindent(d) + "\n"
	}
	return text + fmt.Sprintf("\ndefined at %s\n", fn.Position()), nil
}

func builtinHelp(lib *doc.Library, b *starlark.Builtin, style doc.Style) (string, error) {
	if recv := b.Receiver(); recv != nil {
		if m, ok := lib.Member(recv.Type(), b.Name()); ok && m.Page != nil {
			return lib.Help(m.Page, style), nil
		}
	}
	return explainName(lib, b.Name(), style)
}

// chapterText lists the pages of a chapter by its title.
func chapterText(lib *doc.Library, title string, style doc.Style) string {
	for _, g := range lib.Groups() {
		if strings.EqualFold(g.Title, title) || strings.EqualFold(strings.TrimSuffix(g.Title, "s"), strings.TrimSuffix(title, "s")) {
			return doc.NewLibrary(g.Pages...).Contents(style)
		}
	}
	return ""
}

// unknownName is the error of a name that nothing has.
func unknownName(lib *doc.Library, name string) error {
	return &op.Error{Msg: fmt.Sprintf("nothing is called %q", name), Tip: near.Hint(lib.Names(), name)}
}
