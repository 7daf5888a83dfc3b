package interp

import (
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"nsscript/builtins/doc"
)

// Unfinished reports whether an input of an interactive session goes on on the
// next line: a bracket or a long string is open, the line ends in a backslash, or
// a def, for, if or while has begun, which an empty line ends.
func Unfinished(input string) bool {
	toks := tokenize([]byte(input))
	last := toks[len(toks)-1] // the end
	if last.open >= 0 || strings.HasSuffix(strings.TrimRight(input, " \t\n"), "\\") && !strings.HasSuffix(input, "\n\n") {
		return true
	}
	for _, t := range toks {
		if t.kind == unended {
			return strings.HasPrefix(strings.TrimLeft(t.text, "rb"), `"""`) || strings.HasPrefix(strings.TrimLeft(t.text, "rb"), "'''")
		}
	}
	if !IsBlock(input) || !hasColon(toks) {
		return false
	}
	lines := strings.Split(strings.TrimSuffix(input, "\n"), "\n")
	return len(lines) < 2 || strings.TrimSpace(lines[len(lines)-1]) != ""
}

// hasColon reports whether the first line of a block comes to its colon; without one
// it is wrong, and nothing more to be waited for.
func hasColon(toks []token) bool {
	for _, t := range toks {
		if t.kind == newline {
			return false
		}
		if t.is(":") && t.open < 0 {
			return true
		}
	}
	return false
}

// IsBlock reports whether an input begins with a statement that has a body.
func IsBlock(input string) bool {
	return tokenize([]byte(input))[0].is("def", "for", "if", "while")
}

// EndsBlock reports whether a line, though it belongs to no bracket or string
// opened before, can only follow the end of a block: it is not indented, and
// neither goes on with it.
func EndsBlock(block, line string) bool {
	toks := tokenize([]byte(block))
	if toks[len(toks)-1].open >= 0 || toks[len(toks)-1].kind == unended || strings.TrimSpace(line) == "" {
		return false
	}
	if len(toks) > 1 && toks[len(toks)-2].kind == unended {
		return false
	}
	first := tokenize([]byte(line))[0]
	return first.start.col == 1 && first.start.line == 1 && first.kind != end && !first.is("else", "elif")
}

// A Context says what is about to be written at one place of a script that is
// being typed.
type Context struct {
	Kind ContextKind
	// Prefix is the part of the word or string that is there already.
	Prefix string
	// Of is what stands before the dot.
	Of []Step
	// Call is the innermost call in whose brackets the place is, or nil.
	Call *CallSite
}

// ContextKind says what can stand at a place.
type ContextKind int

// The kinds of places.
const (
	AtNothing ContextKind = iota // a comment, a number
	AtName                       // a name, a keyword, an argument's name
	AtAttr                       // after a dot
	AtString                     // inside a string
)

// A Step is a part of a chain such as red.link("eth0").addrs[0].
type Step = doc.Step

// CallSite is a call that is being written.
type CallSite struct {
	Fn    []Step
	Index int      // how many arguments stand before the place
	Given []string // the arguments that are given by name elsewhere in the call
	Name  string   // the name of the argument that the place belongs to, "" where it has none
	Args  []string // the text of each argument before the place
}

// ContextAt reads the script up to a place, and what follows on the same line.
func ContextAt(before, after string) Context {
	toks := tokenize([]byte(before))
	toks = toks[:len(toks)-1]
	c := Context{Kind: AtName}
	n := len(toks)
	if inComment(before) {
		return Context{}
	}
	last := token{kind: newline}
	if n > 0 {
		last = toks[n-1]
	}
	touching := n > 0 && last.end == endOf(before)
	switch {
	case last.kind == unended && !strings.HasSuffix(before, "\n") || last.kind == unended && strings.Contains(last.text, "\n"):
		c.Kind, c.Prefix = AtString, strings.TrimLeft(strings.TrimLeft(last.text, "rb"), `"'`)
		toks = toks[:n-1]
	case last.kind == word && touching:
		c.Prefix = last.text
		toks = toks[:n-1]
	case last.kind == number && touching, last.kind == quoted && touching:
		return Context{}
	}
	if n = len(toks); c.Kind == AtName && n > 0 && toks[n-1].is(".") {
		c.Kind, c.Of = AtAttr, chainBefore(toks[:n-1])
		if c.Of == nil {
			return Context{}
		}
		toks = toks[:n-1]
	}
	c.Call = callAround(toks, after)
	return c
}

// endOf is the place after the last character.
func endOf(text string) place {
	lines := splitLines(text)
	return place{len(lines), len([]rune(lines[len(lines)-1])) + 1}
}

// inComment reports whether the end of the text lies in a comment.
func inComment(text string) bool {
	probe := tokenize([]byte(text + "x"))
	plain := tokenize([]byte(text))
	if len(plain) > 1 && plain[len(plain)-2].kind == unended {
		return false
	}
	last := text[strings.LastIndexByte(text, '\n')+1:]
	return strings.Contains(last, "#") && len(probe) == len(plain) && (len(plain) < 2 || probe[len(probe)-2].text == plain[len(plain)-2].text)
}

// chainBefore reads the chain of names, calls and indexes that ends the tokens.
func chainBefore(toks []token) []Step {
	var steps []Step
	i := len(toks) - 1
	for i >= 0 {
		step := Step{}
		switch t := toks[i]; {
		case t.is(")"):
			open := opening(toks, i)
			if open < 1 {
				return nil
			}
			step.Call = true
			i = open - 1
			if toks[i].kind != word {
				return nil
			}
			step.Name = toks[i].text
		case t.is("]"):
			open := opening(toks, i)
			if open < 1 {
				return nil
			}
			for _, in := range toks[open+1 : i] {
				step.Index += in.text
			}
			i = open - 1
			steps = append(steps, step)
			continue
		case t.kind == word:
			step.Name = t.text
		case t.kind == quoted:
			step.Index = t.text
			steps = append(steps, step)
			slices.Reverse(steps)
			return steps
		default:
			return nil
		}
		steps = append(steps, step)
		if i == 0 || !toks[i-1].is(".") {
			slices.Reverse(steps)
			return steps
		}
		i -= 2
	}
	return nil
}

// opening returns the index of the bracket that the one at i closes, -1 for none.
func opening(toks []token, i int) int { return toks[i].open }

// callAround finds the innermost call that is open behind the tokens.
func callAround(toks []token, after string) *CallSite {
	if len(toks) == 0 {
		return nil
	}
	open := toks[len(toks)-1].open
	if last := toks[len(toks)-1]; last.kind == sign && strings.Contains("([{", last.text) {
		open = len(toks) - 1
	} else if last.kind == sign && strings.Contains(")]}", last.text) && last.open >= 0 {
		open = toks[last.open].open
	}
	for open >= 0 {
		if t := toks[open]; t.is("(") && open > 0 {
			if fn := chainBefore(toks[:open]); fn != nil && !isKeyword(fn) && !(open > 1 && toks[open-2].is("def")) {
				return readCall(fn, toks, open, after)
			}
		}
		open = toks[open].open
	}
	return nil
}

func isKeyword(fn []Step) bool {
	last := fn[len(fn)-1].Name
	return len(fn) == 1 && slices.Contains(Keywords(), last) || last == ""
}

// Keywords are the words that a script cannot use as names.
func Keywords() []string {
	return []string{"and", "break", "continue", "def", "elif", "else", "for", "if", "in", "lambda", "not", "or", "pass", "return", "while"}
}

// readCall reads the arguments of a call from its bracket on.
func readCall(fn []Step, toks []token, open int, after string) *CallSite {
	c := &CallSite{Fn: fn}
	begin := open + 1
	argument := func(end int) {
		if begin+1 < end && toks[begin].kind == word && toks[begin+1].is("=") {
			c.Given = append(c.Given, toks[begin].text)
		}
		var text strings.Builder
		for _, t := range toks[begin:end] {
			text.WriteString(t.text)
		}
		c.Args = append(c.Args, text.String())
	}
	for i := open + 1; i < len(toks); i++ {
		if toks[i].is(",") && toks[i].open == open {
			argument(i)
			c.Index++
			begin = i + 1
		}
	}
	if begin+1 < len(toks) && toks[begin].kind == word && toks[begin+1].is("=") {
		c.Name = toks[begin].text
	}
	// What is given behind the place counts as well.
	rest := tokenize([]byte(after))
	for i := 0; i+1 < len(rest); i++ {
		if rest[i].open < 0 && rest[i].kind == word && rest[i+1].is("=") {
			c.Given = append(c.Given, rest[i].text)
		}
		if rest[i].is(")") && rest[i].open < 0 {
			break
		}
	}
	return c
}

// Eval returns the value of a chain of names, attributes and indexes that calls
// nothing; nil where it has none.
func (in *Interp) Eval(steps []Step, globals starlark.StringDict) starlark.Value {
	var v starlark.Value
	for i, s := range steps {
		switch {
		case s.Call:
			return nil
		case i == 0 && s.Name != "":
			v = in.lookup(s.Name, globals)
		case i == 0:
			if lit, err := syntax.LegacyFileOptions().ParseExpr("", s.Index, 0); err == nil {
				if l, ok := lit.(*syntax.Literal); ok && l.Token == syntax.STRING {
					v = starlark.String(l.Value.(string))
				}
			}
		case s.Name != "":
			v = attr(v, s.Name)
		default:
			v = element(v, s.Index, in, globals)
		}
		if v == nil {
			return nil
		}
	}
	return v
}

func (in *Interp) lookup(name string, globals starlark.StringDict) starlark.Value {
	for _, d := range []starlark.StringDict{globals, in.predeclared, starlark.Universe} {
		if v, ok := d[name]; ok {
			return v
		}
	}
	return nil
}

func attr(v starlark.Value, name string) starlark.Value {
	h, ok := v.(starlark.HasAttrs)
	if !ok {
		return nil
	}
	a, err := h.Attr(name)
	if err != nil {
		return nil
	}
	return a
}

// element is v[index] where the index is a number, a string or a name.
func element(v starlark.Value, index string, in *Interp, globals starlark.StringDict) starlark.Value {
	x, err := syntax.LegacyFileOptions().ParseExpr("", index, 0)
	if err != nil {
		return nil
	}
	var key starlark.Value
	switch x := x.(type) {
	case *syntax.Literal:
		switch n := x.Value.(type) {
		case string:
			key = starlark.String(n)
		case int64:
			key = starlark.MakeInt64(n)
		}
	case *syntax.Ident:
		key = in.lookup(x.Name, globals)
	}
	if key == nil {
		return nil
	}
	switch v := v.(type) {
	case starlark.Mapping:
		got, found, err := v.Get(key)
		if err != nil || !found {
			return nil
		}
		return got
	case starlark.Indexable:
		if i, err := starlark.AsInt32(key); err == nil && i >= 0 && i < v.Len() {
			return v.Index(i)
		}
	}
	return nil
}

// StatementStart returns the line, from 1, on which the statement begins that the
// end of a text belongs to.
func StatementStart(before string) int {
	toks := tokenize([]byte(before))
	line := strings.Count(before, "\n") + 1
	if last := toks[len(toks)-1]; last.open < 0 && strings.TrimSpace(before[strings.LastIndexByte(before, '\n')+1:]) == "" {
		return line // nothing has begun
	}
	for i := len(toks) - 2; i >= 0; i-- {
		if toks[i].first && toks[i].open < 0 && toks[i].kind != newline {
			return toks[i].start.line
		}
	}
	return line
}
