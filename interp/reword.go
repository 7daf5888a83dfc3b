package interp

import (
	"errors"
	"regexp"
	"strings"
	"sync"

	"go.starlark.net/syntax"

	"nsscript/builtins/doc"
	"nsscript/builtins/near"
	"nsscript/builtins/pattern"
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
	refusal = pattern.Of(`^function (\S+) (missing \d|accepts |got )`)
	// suggestion matches what Starlark appends for a name nearly right.
	suggestion = pattern.Of(`^(?s)(.*) \(did you mean \.?([^()]+)\?\)$`)
)

// reword puts the evaluator's messages in sentences, without taking facts away.
// What a builtin of the host says stays as it is.
func (s *scene) reword(e *Error) {
	if m := suggestion().FindStringSubmatch(e.Msg); m != nil {
		e.Msg = m[1]
		if e.Hint == "" {
			e.Hint = near.DidYouMean(m[2])
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
			if hint == noReturn {
				hint = s.whyNone()
			}
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
	return doc.WithArticle(typ)
}

// WithArticle names a type as a message does: "an int", "a Namespace".
func WithArticle(typ string) string {
	head, _, _ := strings.Cut(typ, "[")
	switch head {
	case "None":
		return head
	case "int":
		return "a whole number"
	}
	return got(head)
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

// whyNone helps with a value that is None: a field is where there is nothing to
// tell, a call where the function has returned nothing.
func (s *scene) whyNone() string {
	var values []syntax.Expr
	switch n := s.node.(type) {
	case *syntax.BinaryExpr:
		values = []syntax.Expr{n.X, n.Y}
	case *syntax.DotExpr:
		values = []syntax.Expr{n.X}
	case *syntax.IndexExpr:
		values = []syntax.Expr{n.X}
	case *syntax.CallExpr:
		values = append(values, n.Fn)
		values = append(values, n.Args...)
	}
	for _, v := range values {
		if dot, ok := v.(*syntax.DotExpr); ok && s.file.text(dot) != "" {
			return s.file.text(dot) + " is None where there is nothing to tell"
		}
	}
	return noReturn
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
	addElementRules(add)
	return all
})

// An adder adds a rule.
type adder func(re string, word func(s *scene, m []string) (msg, hint string))

func prefixed(name, msg string) string {
	if name == "" {
		return msg
	}
	return name + ": " + msg
}
