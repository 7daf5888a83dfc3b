package repl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"nsscript/builtins/pattern"
	"nsscript/interp"
)

// A step is a successful input.
type step struct {
	text     string
	command  string                    // where it was a command in a namespace
	variable string                    // and the name for that namespace, if a script has it too
	from, to int                       // the changes of the lab that it made
	names    map[string]starlark.Value // what the names that it assigned were before; nil for nothing
	unsaved  bool                      // it is left out of what save() writes
	passed   bool                      // undo() has gone past it
}

// verbs are calls that are about the session, not the lab.
var verbs = pattern.Of(`^(help|undo|save|keep|explain|show|graph|interact)\s*\(`)

// remember keeps a successful input.
func (s *Session) remember(text string, before starlark.StringDict, from int) {
	st := &step{text: strings.TrimRight(text, "\n"), from: from, to: s.Lab.Steps(), names: map[string]starlark.Value{}}
	for name, v := range s.Globals {
		if old, had := before[name]; name != "_" && (!had || !identical(old, v)) {
			st.names[name] = old
		}
	}
	changed := st.to > st.from || len(st.names) > 0
	st.unsaved = verbs().MatchString(st.text) || isLook(st.text, changed)
	s.steps = append(s.steps, st)
}

// asking are the functions and methods that only ask something.
var asking = []string{"ping", "connect", "http", "traceroute", "pingall", "throughput", "trace", "capture", "rules", "print", "len", "type", "dir", "str", "repr", "hasattr", "has"}

// isLook reports whether an input only looks at something, as red.routes and
// ping(red, blue) do.
func isLook(text string, changed bool) bool {
	f, err := interp.Parse(interp.Source{Text: []byte(text)})
	if err != nil || len(f.Stmts) != 1 {
		return false
	}
	look := true
	syntax.Walk(f.Stmts[0], func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			fn := n.Fn
			if dot, ok := fn.(*syntax.DotExpr); ok {
				fn = dot.Name
			}
			id, ok := fn.(*syntax.Ident)
			look = ok && !changed && slices.Contains(asking, id.Name)
		case *syntax.AssignStmt, *syntax.DefStmt, *syntax.LoadStmt, *syntax.BranchStmt:
			look = false
		}
		return look
	})
	return look
}

// identical reports whether two values are one; values that cannot be compared
// count as different.
func identical(v, w starlark.Value) (same bool) {
	defer func() {
		if recover() != nil {
			same = false
		}
	}()
	return v == w
}

// Undo is undo().
func (s *Session) Undo() (string, error) {
	i := len(s.steps) - 1
	for i >= 0 && s.steps[i].to == s.steps[i].from {
		if st := s.steps[i]; changes(st.command) && !st.passed {
			st.passed = true
			return "", fmt.Errorf("%q is a command: what programs change cannot be taken back; undo() again goes on with the line before it", st.text)
		}
		i--
	}
	if i < 0 {
		return "", errors.New("no line of this session is left that has changed the lab")
	}
	last := s.steps[i]
	if _, err := s.Lab.Rewind(context.Background(), last.from, false); err != nil {
		return "", fmt.Errorf("%q: %w", firstLine(last.text), err)
	}
	s.restore = last.names
	// Later lines that use what is no more go with it.
	s.steps = slices.DeleteFunc(s.steps, func(st *step) bool {
		return st == last || slices.Index(s.steps, st) > i && st.mentions(last.names)
	})
	return "taken back: " + firstLine(last.text), nil
}

func firstLine(text string) string {
	if first, _, more := strings.Cut(text, "\n"); more {
		return first + " …"
	}
	return text
}

var names = pattern.Of(`[\pL_][\pL\d_]*`)

func (st *step) mentions(list map[string]starlark.Value) bool {
	for _, name := range names().FindAllString(st.text, -1) {
		if _, ok := list[name]; ok {
			return true
		}
	}
	return false
}

// changing are the words by which a command of these programs changes a lab, and so
// belongs into a script that builds it again; without one it only shows something.
var changing = map[string]func() *regexp.Regexp{
	"ip": objects, "bridge": objects, "tc": objects,
	"sysctl": pattern.Of(`=|\s-p`), "ethtool": pattern.Of(`\s-[A-Zs]`),
	"iptables": chains, "ip6tables": chains, "nft": pattern.Of(`\s(add|create|insert|replace|delete|flush|rename|-f)\b`),
	"brctl": pattern.Of(`\s(add|del|set|stp)`), "ifconfig": pattern.Of(`^\S+\s+\S+\s+\S`),
	"route": pattern.Of(`\s(add|del)\b`), "arp": pattern.Of(`\s-[sd]\b`),
}

var (
	objects = pattern.Of(`\s(add|append|prepend|replace|change|set|up|down|del|delete|flush|exec)\b`)
	chains  = pattern.Of(`\s(-[ACDIFNPRXZE]\b|--(append|delete|insert|flush|new-chain|policy|replace|delete-chain|zero|rename-chain)\b)`)
)

// changes reports whether a command changes a lab.
func changes(command string) bool {
	program, _, _ := strings.Cut(command, " ")
	words := changing[program]
	return words != nil && words().MatchString(command)
}

// Save is save().
func (s *Session) Save(file string) (int, error) {
	var b strings.Builder
	if s.Base != "" {
		b.WriteString(strings.TrimRight(s.Base, "\n") + "\n\n")
	}
	lines := 0
	for _, st := range s.steps {
		if st.unsaved {
			continue
		}
		text := st.text
		switch {
		case st.variable != "" && changes(st.command):
			text = fmt.Sprintf("sh(%s, %s)", st.variable, syntax.Quote(st.command, false))
		case st.command != "":
			text = "# " + st.text
		}
		b.WriteString(text + "\n")
		lines += 1 + strings.Count(text, "\n")
	}
	return lines, os.WriteFile(file, []byte(b.String()), 0o644)
}
