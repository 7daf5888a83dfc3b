package static

import (
	"slices"

	"go.starlark.net/syntax"
)

// enclosing returns the nodes around a position, the outermost first.
func enclosing(root syntax.Node, pos syntax.Position) []syntax.Node {
	var list []syntax.Node
	syntax.Walk(root, func(n syntax.Node) bool {
		if n == nil {
			return true
		}
		if n == root {
			list = append(list, n)
			return true
		}
		start, end := n.Span()
		// The end is behind the last character: a cursor may stand there.
		in := !before(pos, start) && !before(end, pos)
		if in {
			list = append(list, n)
		}
		return in
	})
	return list
}

// A Place is what stands at a position.
type Place struct {
	Node  syntax.Node     // the identifier or string
	Value Value           // what is known of it
	Name  *Name           // the name that a script has bound, nil for others
	In    *View           // the script that has bound it
	Dot   *syntax.DotExpr // behind whose dot it stands
	Arg   string          // the argument of Value.Func that it names
}

// At returns what stands at a position, nil for nothing of interest.
func (v *View) At(pos syntax.Position) *Place {
	if v.Script.Tree == nil {
		return nil
	}
	nodes := enclosing(v.Script.Tree, pos)
	slices.Reverse(nodes)
	id, ok := nodes[0].(*syntax.Ident)
	if !ok {
		if lit, ok := nodes[0].(*syntax.Literal); ok && len(nodes) > 1 {
			return v.atLoad(lit, nodes[1])
		}
		return nil
	}
	p := &Place{Node: id}
	for i, n := range nodes[1:] {
		switch n := n.(type) {
		case *syntax.DotExpr:
			if n.Name == id {
				p.Value, p.Dot = v.ValueOf(n), n
				return p
			}
		case *syntax.BinaryExpr:
			if call := callOf(nodes[1:], i+1); n.Op == syntax.EQ && n.X == syntax.Expr(id) && call != nil {
				p.Value, p.Arg = v.ValueOf(call.Fn), id.Name
				return p
			}
		case *syntax.LoadStmt:
			v.atLoaded(p, n, id)
			return p
		}
		break
	}
	p.Value, p.Name, p.In = v.ValueOf(id), v.nameOf(id), v
	if f := p.Value.Func; f != nil && f.View != nil && p.Name != nil && p.Name.Defs[0].Kind == Loaded {
		p.In, p.Name = v.loadedName(p.Name.Defs[0])
	} else if p.Name != nil && p.Name.Defs[0].Kind == Loaded {
		if m, n := v.loadedName(p.Name.Defs[0]); n != nil {
			p.In, p.Name = m, n
		}
	}
	return p
}

// callOf is the call that is the i-th of the nodes.
func callOf(nodes []syntax.Node, i int) *syntax.CallExpr {
	if i >= len(nodes) {
		return nil
	}
	call, _ := nodes[i].(*syntax.CallExpr)
	return call
}

// atLoad is the name of a module in a load statement.
func (v *View) atLoad(lit *syntax.Literal, parent syntax.Node) *Place {
	if st, ok := parent.(*syntax.LoadStmt); ok {
		if st.Module == lit {
			if m := v.module(st); m != nil {
				return &Place{Node: lit, In: m}
			}
		}
	}
	return nil
}

// atLoaded is a name in a load statement.
func (v *View) atLoaded(p *Place, st *syntax.LoadStmt, id *syntax.Ident) {
	for i := range st.From {
		if st.From[i] == id || st.To[i] == id {
			d := Def{Kind: Loaded, Stmt: st, Path: []int{i}}
			p.In, p.Name = v.loadedName(d)
			p.Value = v.loaded(d)
		}
	}
}

// Visible are the names that the script has bound and that can be used at a
// position.
func (v *View) Visible(pos syntax.Position) []*Name {
	if v.Script.Tree == nil {
		return nil
	}
	around := enclosing(v.Script.Tree, pos)
	var list []*Name
	for _, n := range v.names {
		if n.Home == nil || slices.Contains(around, n.Home) {
			list = append(list, n)
		}
	}
	return list
}
