package interp

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"go.starlark.net/syntax"
)

// A scene is where a message is reworded.
type scene struct {
	file   *file       // nil when unknown
	node   syntax.Node // what failed; nil when unknown
	called *function   // what refused its arguments, or nil
	at     *span       // what is marked; may be changed
}

// A rule rewords the messages that match. It gets the submatches and returns
// message and hint.
type rule struct {
	re   *regexp.Regexp
	word func(s *scene, m []string) (msg, hint string)
}

var (
	// refusal matches the message of a function that refuses its arguments.
	refusal = regexp.MustCompile(`^function (\S+) (missing \d|accepts |got )`)
	// suggestion matches what Starlark appends for a name nearly right.
	suggestion = regexp.MustCompile(`^(?s)(.*) \(did you mean \.?([^()]+)\?\)$`)
)

// reword puts the evaluator's messages in sentences, without taking facts away.
// What a builtin of the host says stays as it is.
func (s *scene) reword(e *Error) {
	if m := suggestion.FindStringSubmatch(e.Msg); m != nil {
		e.Msg = m[1]
		if e.Hint == "" {
			e.Hint = didYouMean(m[2])
		}
	}
	var h Hinter
	if errors.As(e.Err, &h) {
		return
	}
	for _, r := range rules() {
		if m := r.re.FindStringSubmatch(e.Msg); m != nil {
			msg, hint := r.word(s, m)
			e.Msg = msg
			if e.Hint == "" {
				e.Hint = hint
			}
			return
		}
	}
}

// a puts an article before the name of a type.
func a(typ string) string {
	switch typ {
	case "NoneType":
		return "None"
	case "builtin_function_or_method":
		return "a builtin function"
	case "callable":
		return "a function"
	case "iterable":
		return "a list or another iterable"
	case "bool":
		return "True or False"
	}
	if strings.ContainsRune("aeiouAEIO", rune(typ[0])) {
		return "an " + typ
	}
	return "a " + typ
}

// got is a for a value that was found, not asked for.
func got(typ string) string {
	if typ == "bool" {
		return "a bool"
	}
	return a(typ)
}

const noReturn = "a function without a return gives None"

// noneHint helps where a value is None.
func noneHint(types ...string) string {
	for _, t := range types {
		if t == "NoneType" {
			return noReturn
		}
	}
	return ""
}

// rules returns the rules; the first that matches is used.
var rules = sync.OnceValue(func() []rule {
	var all []rule
	add := func(re string, word func(s *scene, m []string) (msg, hint string)) {
		all = append(all, rule{regexp.MustCompile(re), word})
	}
	addCallRules(add)
	addOperatorRules(add)
	addValueRules(add)
	return all
})

type adder func(re string, word func(s *scene, m []string) (msg, hint string))

// addCallRules are about calls and their arguments.
func addCallRules(add adder) {
	add(`^invalid call of non-function \((.+)\)$`, func(s *scene, m []string) (string, string) {
		if c, ok := s.node.(*syntax.CallExpr); ok {
			if text := s.file.text(c.Fn); text != "" {
				return fmt.Sprintf("%s is %s, not a function, and cannot be called", text, got(m[1])), noneHint(m[1])
			}
		}
		return got(m[1]) + " cannot be called: it is no function", noneHint(m[1])
	})
	add(`^function (\S+) missing \d+ arguments? \((.*)\)$`, func(s *scene, m []string) (string, string) {
		names := strings.Split(m[2], ", ")
		for i, n := range names {
			names[i] = fmt.Sprintf("%q", n)
		}
		noun := "argument"
		if len(names) > 1 {
			noun = "arguments"
		}
		return fmt.Sprintf("%s: missing %s %s", m[1], noun, strings.Join(names, ", ")), s.signature()
	})
	add(`^function (\S+) accepts no arguments \((\d+) given\)$`, func(s *scene, m []string) (string, string) {
		return fmt.Sprintf("%s: takes no arguments, got %s", m[1], m[2]), s.signature()
	})
	add(`^function (\S+) accepts (at most )?(\d+) positional (arguments?) \((\d+) given\)$`, func(s *scene, m []string) (string, string) {
		return fmt.Sprintf("%s: takes %s%s positional %s, got %s", m[1], m[2], m[3], m[4], m[5]), s.signature()
	})
	add(`^function (\S+) got an unexpected keyword argument "?([^"]+)"?$`, func(s *scene, m []string) (string, string) {
		if best := nearest(m[2], s.paramNames()); best != "" {
			return fmt.Sprintf("%s: there is no argument %q", m[1], m[2]), didYouMean(best)
		}
		return fmt.Sprintf("%s: there is no argument %q", m[1], m[2]), s.signature()
	})
	add(`^function (\S+) got multiple values for parameter "?([^"]+)"?$`, func(s *scene, m []string) (string, string) {
		return fmt.Sprintf("%s: the argument %q is given twice", m[1], m[2]), s.signature()
	})
	add(`^(\S+): for parameter "?(\w+)"?: got (\S+), want (.+)$`, func(_ *scene, m []string) (string, string) {
		return fmt.Sprintf("%s: argument %s: want %s, got %s", m[1], argument(m[2]), a(m[4]), got(m[3])), noneHint(m[3])
	})
	add(`^(\S+): for parameter "?(\w+)"?: (.+)$`, func(_ *scene, m []string) (string, string) {
		return fmt.Sprintf("%s: argument %s: %s", m[1], argument(m[2]), m[3]), ""
	})
	add(`^(\S+): missing argument for (\S+)$`, func(_ *scene, m []string) (string, string) {
		return fmt.Sprintf("%s: missing argument %q", m[1], m[2]), ""
	})
	add(`^(\S+): unexpected keyword argument "?([^"]+)"?$`, func(_ *scene, m []string) (string, string) {
		return fmt.Sprintf("%s: there is no argument %q", m[1], m[2]), ""
	})
	add(`^(\S+): unexpected keyword arguments$`, func(_ *scene, m []string) (string, string) {
		return m[1] + ": takes no keyword arguments", "leave out the `name =`"
	})
	add(`^(\S+?):? got (\d+) arguments?, wants? (at most |at least |exactly )?(\d+)$`, func(_ *scene, m []string) (string, string) {
		noun := "arguments"
		if m[4] == "1" {
			noun = "argument"
		}
		return fmt.Sprintf("%s: takes %s%s %s, got %s", m[1], m[3], m[4], noun, m[2]), ""
	})
}

// argument is a parameter's name in quotes, or its number.
func argument(p string) string {
	if p[0] >= '0' && p[0] <= '9' {
		return p
	}
	return fmt.Sprintf("%q", p)
}

// signature is a hint that shows how the function is called.
func (s *scene) signature() string {
	if s.called == nil || !s.called.pos.IsValid() {
		return ""
	}
	var params []string
	for _, p := range s.called.params {
		text := s.called.file.text(p)
		if text == "" {
			text = "…"
		}
		params = append(params, text)
	}
	return fmt.Sprintf("%s(%s) is defined at %s", s.called.name, strings.Join(params, ", "), s.called.pos)
}

func (s *scene) paramNames() []string {
	if s.called == nil {
		return nil
	}
	var names []string
	for _, p := range s.called.params {
		switch p := p.(type) {
		case *syntax.Ident:
			names = append(names, p.Name)
		case *syntax.BinaryExpr:
			names = append(names, p.X.(*syntax.Ident).Name)
		}
	}
	return names
}

// addOperatorRules are about operators, loops and assignments.
func addOperatorRules(add adder) {
	add(`^unknown binary op: (\S+) (.+) (\S+)$`, func(_ *scene, m []string) (string, string) {
		hint := noneHint(m[1], m[3])
		if hint == "" && m[2] == "+" && (m[1] == "string") != (m[3] == "string") {
			hint = "str(…) makes a string of any value"
		}
		return fmt.Sprintf("%s and %s do not go together with %s", got(m[1]), got(m[3]), m[2]), hint
	})
	add(`^(\S+) (<|>|<=|>=|==|!=) (\S+) not implemented$`, func(_ *scene, m []string) (string, string) {
		return fmt.Sprintf("%s and %s cannot be compared with %s", got(m[1]), got(m[3]), m[2]), noneHint(m[1], m[3])
	})
	add(`^unknown unary op: (\S+) (\S+)$`, func(_ *scene, m []string) (string, string) {
		return fmt.Sprintf("%s cannot stand after %s", got(m[2]), m[1]), ""
	})
	add(`^'in <(\w+)>' requires (\w+) as left operand, not (\w+)$`, func(_ *scene, m []string) (string, string) {
		return fmt.Sprintf("only %s can be in a %s, not %s", a(m[2]), m[1], got(m[3])), ""
	})
	add(`^(?:floating-point|floored|integer) (division|modulo) by zero$`, func(_ *scene, m []string) (string, string) {
		return m[1] + " by zero", ""
	})
	add(`^(\S+) value is not iterable$`, func(_ *scene, m []string) (string, string) {
		hint := noneHint(m[1])
		if m[1] == "int" {
			hint = "range(n) counts from 0 to n-1"
		} else if m[1] == "string" {
			hint = "x.elems() gives its characters"
		}
		return "cannot go through " + got(m[1]) + " item by item: it is no list or other iterable", hint
	})
	add(`^too (many|few) values to unpack \(got (-?\d+), want (\d+)\)$`, func(s *scene, m []string) (string, string) {
		s.markNames()
		if m[2] == "-1" {
			return fmt.Sprintf("too %s values for %s names", m[1], m[3]), ""
		}
		return fmt.Sprintf("too %s values: got %s for %s names", m[1], m[2], m[3]), ""
	})
	add(`^got (\S+) in sequence assignment$`, func(s *scene, m []string) (string, string) {
		s.markNames()
		return got(m[1]) + " is one value, and cannot be given to several names", noneHint(m[1])
	})
	add(`^(local|global) variable (\S+) referenced before assignment$`, func(s *scene, m []string) (string, string) {
		return fmt.Sprintf("%q is used before it has a value", m[2]), s.assignedHint(m[1], m[2])
	})
	add(`^duplicate key: (.+)$`, func(_ *scene, m []string) (string, string) {
		return fmt.Sprintf("the key %s is twice in this dict", m[1]), ""
	})
}

// markNames marks the names of a loop instead of what is looped over.
func (s *scene) markNames() {
	switch n := s.node.(type) {
	case *syntax.ForStmt:
		*s.at = s.file.spanOf(n.Vars)
	case *syntax.ForClause:
		*s.at = s.file.spanOf(n.Vars)
	}
}

// assignedHint tells where a name gets its value.
func (s *scene) assignedHint(scope, name string) string {
	if scope == "local" {
		return fmt.Sprintf("an assignment to %q anywhere in a function makes it a name of that function alone; "+
			"pass the value in as an argument, and return the new one", name)
	}
	if s.file == nil {
		return ""
	}
	if line := s.file.firstAssigned(name); line > s.at.line {
		return fmt.Sprintf("it gets its value further down, in line %d", line)
	}
	return ""
}

// firstAssigned returns the line that defines a global, 0 when unknown.
func (f *file) firstAssigned(name string) int {
	for _, st := range f.tree.Stmts {
		switch st := st.(type) {
		case *syntax.AssignStmt:
			if id, ok := st.LHS.(*syntax.Ident); ok && id.Name == name {
				return int(id.NamePos.Line)
			}
		case *syntax.DefStmt:
			if st.Name.Name == name {
				return int(st.Def.Line)
			}
		}
	}
	return 0
}

// addValueRules are about values and what they have.
func addValueRules(add adder) {
	add(`^(?:(getattr): )?(\S+) has no \.(\S+) (?:field or method|attribute)$`, func(s *scene, m []string) (string, string) {
		what := got(m[2])
		if dot, ok := s.node.(*syntax.DotExpr); ok && m[2] == "module" {
			what = s.file.text(dot.X)
		}
		msg := fmt.Sprintf("%s has no field or method %q", what, m[3])
		if m[1] != "" {
			msg = m[1] + ": " + msg
		}
		hint := noneHint(m[2])
		if m[2] == "dict" {
			hint = fmt.Sprintf("the value of a key is d[%q]", m[3])
		}
		return msg, hint
	})
	add(`^can't assign to \.(\S+) field of (\S+)$`, func(_ *scene, m []string) (string, string) {
		return fmt.Sprintf("the field %q of %s cannot be set", m[1], got(m[2])), noneHint(m[2])
	})
	add(`^key (.+) not in (\S+)$`, func(_ *scene, m []string) (string, string) {
		hint := ""
		if m[2] == "dict" {
			hint = "d.get(key) gives None for a key that is not there"
		}
		return fmt.Sprintf("this %s has no key %s", m[2], m[1]), hint
	})
	add(`^(?:(\S+): )?unhashable(?: type)?: (\S+)$`, func(_ *scene, m []string) (string, string) {
		msg := got(m[2]) + " can be neither the key of a dict nor the element of a set"
		if m[1] != "" {
			msg = m[1] + ": " + msg
		}
		if m[2] == "list" {
			return msg, "a tuple can: tuple(x)"
		}
		return msg, ""
	})
	add(`^unhandled index operation (\S+)\[(\S+)\]$`, func(_ *scene, m []string) (string, string) {
		return got(m[1]) + " has no elements to pick with [ ]", noneHint(m[1])
	})
	add(`^invalid slice operand (\S+)$`, func(_ *scene, m []string) (string, string) {
		return got(m[1]) + " has no parts to take with [ : ]", noneHint(m[1])
	})
	add(`^invalid (start|end) index: got (\S+), want int$`, func(_ *scene, m []string) (string, string) {
		return fmt.Sprintf("the %s of a slice must be an int, not %s", m[1], got(m[2])), noneHint(m[2])
	})
	add(`^(\S+) value does not support item assignment$`, func(_ *scene, m []string) (string, string) {
		hint := noneHint(m[1])
		if m[1] == "tuple" {
			hint = "a list can be changed: list(x)"
		}
		return "the elements of " + got(m[1]) + " cannot be set", hint
	})
	add(`^(?:(\S+): )?(\S+) index (-?\d+) out of range \[-(\d+):\d+\]$`, func(_ *scene, m []string) (string, string) {
		noun := "elements"
		if m[4] == "1" {
			noun = "element"
		}
		return prefixed(m[1], fmt.Sprintf("index %s is out of range: the %s has %s %s, counted from 0", m[3], m[2], m[4], noun)), ""
	})
	add(`^(?:(\S+): )?index (-?\d+) out of range: empty (\S+)$`, func(_ *scene, m []string) (string, string) {
		return prefixed(m[1], fmt.Sprintf("index %s is out of range: the %s is empty", m[2], m[3])), ""
	})
	add(`^(\S+) index: got (\S+), want int$`, func(_ *scene, m []string) (string, string) {
		return fmt.Sprintf("the index of a %s must be an int, not %s", m[1], got(m[2])), noneHint(m[2])
	})
	add(`^(?:(\S+): )?cannot (.+) frozen (list|hash table|\w+)$`, func(_ *scene, m []string) (string, string) {
		what, copied := m[3], "list(x)"
		if what == "hash table" {
			what, copied = "dict or set", "dict(x) or set(x)"
		}
		return prefixed(m[1], fmt.Sprintf("cannot %s this %s: it can no longer be changed", m[2], what)),
			"what comes from load() cannot be changed; make a copy: " + copied
	})
	add(`^(?:(\S+): )?cannot (.+) (list|hash table) during iteration$`, func(_ *scene, m []string) (string, string) {
		what := strings.Replace(m[3], "hash table", "dict or set", 1)
		return prefixed(m[1], fmt.Sprintf("cannot %s this %s while a loop goes through it", m[2], what)), "loop over a copy: for x in list(xs)"
	})
	add(`^len: value of type (\S+) has no len$`, func(_ *scene, m []string) (string, string) {
		return "len: " + got(m[1]) + " has no length", noneHint(m[1])
	})
	add(`^int: invalid literal with base (\d+): (.*)$`, func(_ *scene, m []string) (string, string) {
		msg := fmt.Sprintf("int: %q is no whole number", m[2])
		if m[1] != "10" {
			msg += " in base " + m[1]
		}
		return msg, ""
	})
	add(`^int: cannot convert (\S+) to int$`, func(_ *scene, m []string) (string, string) {
		return "int: " + got(m[1]) + " is no number", noneHint(m[1])
	})
	add(`^pop: missing key$`, func(*scene, []string) (string, string) {
		return "pop: this dict has no such key", "d.pop(key, None) gives None for a key that is not there"
	})
	add(`^invalid float literal: (.*)$`, func(_ *scene, m []string) (string, string) {
		return fmt.Sprintf("float: %q is no number", m[1]), ""
	})
	add(`^not enough arguments for format string$`, func(*scene, []string) (string, string) {
		return "there are fewer values than % places in the string", "several values go in a tuple: \"%s %s\" % (a, b)"
	})
	add(`^too many arguments for format string$`, func(*scene, []string) (string, string) {
		return "there are more values than % places in the string", "a tuple as one value needs another around it: \"%s\" % (t,)"
	})
	add(`^load: name (\S+) not found in module (.+)$`, func(s *scene, m []string) (string, string) {
		if st, ok := s.node.(*syntax.LoadStmt); ok {
			for _, from := range st.From {
				if from.Name == m[1] {
					*s.at = s.file.spanOf(from)
				}
			}
		}
		return fmt.Sprintf("%q does not define %q", m[2], m[1]), ""
	})
}

func prefixed(name, msg string) string {
	if name == "" {
		return msg
	}
	return name + ": " + msg
}
