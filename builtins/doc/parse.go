package doc

import (
	"fmt"
	"nsscript/builtins/pattern"
	"strings"
)

// Signature reads a signature such as `veth(a, b, *, name = None)`: the name of
// the function and its arguments. What comes after a star can only be given by
// name; what has a default can be left out, as can *rest and **rest.
func Signature(sig string) (name string, args []Arg) {
	name, rest, _ := strings.Cut(strings.TrimSuffix(sig, ")"), "(")
	byName := false
	for p := range strings.SplitSeq(rest, ",") {
		p = strings.TrimSpace(p)
		switch p {
		case "":
		case "*":
			byName = true
		default:
			n, value, optional := strings.Cut(p, "=")
			a := Arg{Name: strings.TrimSpace(n), ByName: byName, Optional: optional, Default: strings.TrimSpace(value)}
			if bare := strings.TrimLeft(a.Name, "*"); bare != a.Name {
				a.Rest, a.Name = a.Name[:len(a.Name)-len(bare)], bare
				a.ByName, a.Optional, byName = true, true, true
			}
			args = append(args, a)
		}
	}
	return name, args
}

var (
	argument = pattern.Of(`^(\*{0,2}\w+) \(([^()]+)\): (.+)$`)
	section  = pattern.Of(`^(errors|example|command|source):(?: (.+))?$`)
)

// Parse reads the description of a name. The signature is "" for what is no
// function.
func Parse(kind Kind, name, sig, text string) (*Page, error) {
	p := &Page{Name: name, Kind: kind, Signature: sig}
	if sig != "" {
		_, p.Args = Signature(sig)
	}
	r := reader{page: p, lines: strings.Split(strings.Trim(text, "\n"), "\n")}
	if err := r.read(); err != nil {
		return nil, fmt.Errorf("the description of %s: %w", name, err)
	}
	return p, nil
}

// reader reads a description line by line.
type reader struct {
	page  *Page
	lines []string
}

// block returns the indented lines at the top of what is left, without their
// indent.
func (r *reader) block() []string {
	var block []string
	for len(r.lines) > 0 {
		line := r.lines[0]
		text, indented := strings.CutPrefix(line, "    ")
		if !indented && strings.TrimSpace(line) != "" {
			break
		}
		block = append(block, text)
		r.lines = r.lines[1:]
	}
	for len(block) > 0 && strings.TrimSpace(block[len(block)-1]) == "" {
		block = block[:len(block)-1]
	}
	return block
}

// rest is what follows on indented lines, joined to the first.
func (r *reader) rest(first string) string {
	return strings.TrimSpace(first + " " + strings.Join(r.block(), " "))
}

func (r *reader) read() error {
	for len(r.lines) > 0 {
		line := r.lines[0]
		r.lines = r.lines[1:]
		var err error
		if m := argument().FindStringSubmatch(line); m != nil {
			err = r.argument(m[1], m[2], r.rest(m[3]))
		} else if m := section().FindStringSubmatch(line); m != nil {
			err = r.section(m[1], m[2])
		} else if strings.TrimSpace(line) != "" {
			err = r.paragraph(line)
		}
		if err != nil {
			return err
		}
	}
	if r.page.Summary == "" {
		return fmt.Errorf("it has no summary")
	}
	return nil
}

func (r *reader) paragraph(line string) error {
	if strings.HasPrefix(line, " ") {
		return fmt.Errorf("%q is indented, and belongs to nothing", line)
	}
	text := line
	for len(r.lines) > 0 && strings.TrimSpace(r.lines[0]) != "" &&
		!argument().MatchString(r.lines[0]) && !section().MatchString(r.lines[0]) {
		text += " " + strings.TrimSpace(r.lines[0])
		r.lines = r.lines[1:]
	}
	if r.page.Summary == "" {
		r.page.Summary = text
	} else {
		r.page.Prose = append(r.page.Prose, text)
	}
	return nil
}

// argument takes the description of an argument, a field or the result.
func (r *reader) argument(name, typ, text string) error {
	a := Arg{Name: name, Text: text}
	a.Type, a.Note = cutType(typ)
	if name == "is" && r.page.Kind == Type {
		r.page.Base = a.Type
		return nil
	}
	if name == "returns" || name == "type" && r.page.Kind == Value {
		r.page.Returns = a
		return nil
	}
	if !r.page.Callable() {
		r.page.Fields = append(r.page.Fields, a)
		return nil
	}
	for i := range r.page.Args {
		if to := &r.page.Args[i]; to.Name == name {
			to.Type, to.Note, to.Text = a.Type, a.Note, a.Text
			return nil
		}
	}
	return fmt.Errorf("there is no argument %q", name)
}

// cutType splits a type from what is said of its unit and bounds, at the first
// comma outside of brackets.
func cutType(s string) (typ, note string) {
	depth := 0
	for i, c := range s {
		switch c {
		case '[':
			depth++
		case ']':
			depth--
		case ',':
			if depth == 0 {
				return strings.TrimSpace(s[:i]), strings.TrimSpace(s[i+1:])
			}
		}
	}
	return s, ""
}

func (r *reader) section(name, first string) error {
	to := map[string]*string{"errors": &r.page.Errors, "source": &r.page.Source}[name]
	switch {
	case name == "example":
		r.page.Example = strings.Join(r.block(), "\n")
	case name == "command":
		if first != "" {
			r.page.Commands = append(r.page.Commands, first)
		}
		r.page.Commands = append(r.page.Commands, r.block()...)
	case *to != "":
		return fmt.Errorf("it says %q twice", name)
	default:
		*to = r.rest(first)
	}
	return nil
}
