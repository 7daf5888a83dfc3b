package interp

import (
	"fmt"
	"strings"

	"go.starlark.net/syntax"
)

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
		return msg, missingAttr(m[2], m[3])
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
}

// AttrHint helps with a field or method that values of a type do not have.
func AttrHint(typ, name string) string {
	if typ == "None" {
		typ = "NoneType"
	}
	return missingAttr(typ, name)
}

// missingAttr helps with a field or method that a type of Starlark has under
// another name.
func missingAttr(typ, name string) string {
	switch typ {
	case "list", "tuple", "dict", "set", "string", "range":
	case "builtin_function_or_method", "function":
		return "a function is called with brackets before its result has fields: f(…)." + name
	default:
		return noneHint(typ)
	}
	switch name {
	case "length", "size", "len", "count":
		return "write: len(x)"
	case "push", "add", "append":
		if typ == "list" {
			return "write: x.append(value)"
		}
		if typ == "tuple" {
			return "a list can be changed: list(x)"
		}
	case "contains", "includes", "has", "has_key":
		return "write: value in x"
	case "sort", "sorted":
		return "write: sorted(x)"
	case "reverse":
		return "write: reversed(x)"
	case "copy":
		return fmt.Sprintf("write: %s(x)", typ)
	case "map", "filter":
		return "write: [f(y) for y in x if condition]"
	}
	if typ == "tuple" {
		return "its items are x[0], x[1] and so on, or take it apart: a, b = x"
	}
	if typ == "dict" {
		return fmt.Sprintf("the value of a key is d[%q]", name)
	}
	return ""
}

// addElementRules are about indexes, and about lists and dicts that cannot be
// changed.
func addElementRules(add adder) {
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
