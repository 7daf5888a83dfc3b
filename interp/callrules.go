package interp

import (
	"fmt"
	"strings"

	"nsscript/builtins/near"

	"go.starlark.net/syntax"
)

// addCallRules are about calls and their arguments.
func addCallRules(add adder) {
	add(`^invalid call of non-function \((.+)\)$`, func(s *scene, m []string) (string, string) {
		if c, ok := s.node.(*syntax.CallExpr); ok {
			if text := s.file.text(c.Fn); text != "" {
				hint := noneHint(m[1])
				if _, field := c.Fn.(*syntax.DotExpr); field && hint == "" {
					hint = "without brackets: " + text
				}
				return fmt.Sprintf("%s is %s, not a function, and cannot be called", text, got(m[1])), hint
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
		if best := near.Name(s.params(), m[2]); best != "" {
			return fmt.Sprintf("%s: there is no argument %q", m[1], m[2]), near.DidYouMean(best)
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

// params returns the parameters of the function that refused its arguments.
func (s *scene) params() []string {
	if s.called == nil {
		return nil
	}
	return paramNames(s.called.params)
}
