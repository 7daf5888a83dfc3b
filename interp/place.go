package interp

import (
	"strings"

	"go.starlark.net/syntax"
)

// A place is a line and a column of a file, both from 1. Columns count
// characters, as Starlark's do.
type place struct{ line, col int }

func at(pos syntax.Position) place { return place{int(pos.Line), int(pos.Col)} }

// A span is a piece of one line.
type span struct{ line, col, width int }

// A mark is what a reported position is about.
type mark struct {
	span
	node syntax.Node // nil when unknown
}

// reported maps each position at which Starlark can report an error to the node
// that it is about.
func reported(tree *syntax.File) map[place]syntax.Node {
	nodes := map[place]syntax.Node{}
	syntax.Walk(tree, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			nodes[at(n.Lparen)] = n
		case *syntax.DotExpr:
			nodes[at(n.Dot)] = n
		case *syntax.IndexExpr:
			nodes[at(n.Lbrack)] = n
		case *syntax.SliceExpr:
			nodes[at(n.Lbrack)] = n
		case *syntax.BinaryExpr:
			nodes[at(n.OpPos)] = n
		case *syntax.UnaryExpr:
			nodes[at(n.OpPos)] = n
		case *syntax.Ident:
			nodes[at(n.NamePos)] = n
		case *syntax.DictEntry:
			nodes[at(n.Colon)] = n
		case *syntax.LoadStmt:
			nodes[at(n.Load)] = n
		case *syntax.ForStmt:
			nodes[at(n.For)] = n
		case *syntax.ForClause:
			nodes[at(n.For)] = n
		case *syntax.AssignStmt:
			nodes[at(n.OpPos)] = n
		}
		return true
	})
	return nodes
}

// mark returns what a reported position is about, and what a reader would point
// at.
func (f *file) mark(pos syntax.Position) mark {
	m := mark{span{int(pos.Line), int(pos.Col), 1}, f.nodes()[at(pos)]}
	switch n := m.node.(type) {
	case *syntax.CallExpr:
		m.span = f.spanOfCallee(n)
	case *syntax.DotExpr:
		m.span = f.spanOf(n.Name)
	case *syntax.IndexExpr:
		m.span = f.between(n.Lbrack, n.Rbrack)
	case *syntax.SliceExpr:
		m.span = f.between(n.Lbrack, n.Rbrack)
	case *syntax.BinaryExpr:
		m.width = operatorWidth(n.Op)
	case *syntax.UnaryExpr:
		m.width = operatorWidth(n.Op)
	case *syntax.Ident:
		m.span = f.spanOf(n)
	case *syntax.DictEntry:
		m.span = f.spanOf(n.Key)
	case *syntax.LoadStmt:
		m.width = len("load")
	case *syntax.ForStmt:
		m.span = f.spanOf(n.X)
	case *syntax.ForClause:
		m.span = f.spanOf(n.X)
	case *syntax.AssignStmt:
		if m.width = operatorWidth(n.Op); n.Op == syntax.EQ {
			m.span = f.spanOf(n.LHS)
		}
	default:
		if t := tokenAt(tokenize(f.src.Text), at(pos)); t != nil {
			m.width = t.width()
		}
	}
	return m
}

func operatorWidth(op syntax.Token) int {
	if op == syntax.NOT_IN { // reported at its second word
		return len("in")
	}
	return len(op.String())
}

// spanOf is the part of a node on its first line.
func (f *file) spanOf(n syntax.Node) span {
	start, end := n.Span()
	return f.firstLine(start, end)
}

// between is the text from an opening to its closing bracket.
func (f *file) between(open, shut syntax.Position) span {
	shut.Col++
	return f.firstLine(open, shut)
}

func (f *file) firstLine(start, end syntax.Position) span {
	s := span{int(start.Line), int(start.Col), int(end.Col - start.Col)}
	if end.Line != start.Line {
		s.width = len([]rune(strings.TrimRight(f.line(s.line), " \t"))) + 1 - s.col
	}
	s.width = max(s.width, 1)
	return s
}

// spanOfCallee is what is called: all of red.nat.masquerade. Of a callee of
// several lines it is the part on the last.
func (f *file) spanOfCallee(call *syntax.CallExpr) span {
	start, end := call.Fn.Span()
	if start.Line == end.Line {
		return f.firstLine(start, end)
	}
	if dot, ok := call.Fn.(*syntax.DotExpr); ok {
		return f.spanOf(dot.Name)
	}
	return span{int(call.Lparen.Line), int(call.Lparen.Col), 1}
}

// line returns a line by its number from 1.
func (f *file) line(n int) string {
	if n < 1 || n > len(f.lines) {
		return ""
	}
	return f.lines[n-1]
}

// text returns the text of a node of one line, "" of any other.
func (f *file) text(n syntax.Node) string {
	start, end := n.Span()
	line := []rune(f.line(int(start.Line)))
	if start.Line != end.Line || start.Col < 1 || int(end.Col)-1 > len(line) || end.Col < start.Col {
		return ""
	}
	return string(line[start.Col-1 : end.Col-1])
}
