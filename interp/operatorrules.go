package interp

import (
	"fmt"

	"go.starlark.net/syntax"
)

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
	line := 0
	for _, st := range f.tree.Stmts {
		syntax.Walk(st, func(n syntax.Node) bool {
			id := &syntax.Ident{}
			switch n := n.(type) {
			case *syntax.AssignStmt:
				id, _ = n.LHS.(*syntax.Ident)
			case *syntax.DefStmt:
				id = n.Name
			}
			if id != nil && id.Name == name && line == 0 {
				line = int(id.NamePos.Line)
			}
			_, function := n.(*syntax.DefStmt)
			return !function
		})
	}
	return line
}
