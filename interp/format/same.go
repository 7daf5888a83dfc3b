package format

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.starlark.net/syntax"
)

// same reports whether two scripts mean the same, and say the same in their
// comments. Positions, brackets around an expression, the way in which a value
// is spelled, the order of the names of a load statement and the indent of a
// docstring do not count.
func same(a, b *syntax.File) bool {
	return outline(a) == outline(b) && slices.Equal(comments(a), comments(b))
}

// comments are the texts of all comments, sorted: one may move to another node.
func comments(f *syntax.File) []string {
	var list []string
	syntax.Walk(f, func(n syntax.Node) bool {
		if n == nil || n.Comments() == nil {
			return true
		}
		c := n.Comments()
		for _, comment := range slices.Concat(c.Before, c.Suffix, c.After) {
			list = append(list, strings.TrimSpace(strings.TrimLeft(comment.Text, "#")))
		}
		return true
	})
	slices.Sort(list)
	return list
}

// outline writes down what matters of a tree.
func outline(f *syntax.File) string {
	var b strings.Builder
	body(&b, f.Stmts)
	return b.String()
}

func body(b *strings.Builder, stmts []syntax.Stmt) {
	for i, s := range stmts {
		x, ok := s.(*syntax.ExprStmt)
		if lit, text := docstring(x); i == 0 && ok && lit {
			fmt.Fprintf(b, "docstring %q\n", text)
			continue
		}
		node(b, reflect.ValueOf(s))
		b.WriteByte('\n')
	}
}

// docstring returns the words of a statement that is a string.
func docstring(x *syntax.ExprStmt) (bool, string) {
	if x == nil {
		return false, ""
	}
	lit, ok := x.X.(*syntax.Literal)
	if !ok || lit.Token != syntax.STRING {
		return false, ""
	}
	return true, strings.Join(strings.Fields(lit.Value.(string)), " ")
}

// node writes down a node, without what does not count.
func node(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		switch n := v.Interface().(type) {
		case *syntax.ParenExpr:
			node(b, reflect.ValueOf(n.X))
		case *syntax.Literal:
			fmt.Fprintf(b, "%v %v", n.Token, n.Value)
		case *syntax.LoadStmt:
			load(b, n)
		default:
			node(b, v.Elem())
		}
	case reflect.Slice:
		if stmts, ok := v.Interface().([]syntax.Stmt); ok {
			body(b, stmts)
			return
		}
		b.WriteByte('[')
		for i := range v.Len() {
			node(b, v.Index(i))
			b.WriteByte(' ')
		}
		b.WriteByte(']')
	case reflect.Struct:
		fields(b, v)
	default:
		fmt.Fprintf(b, "%v", v.Interface())
	}
}

func fields(b *strings.Builder, v reflect.Value) {
	t := v.Type()
	fmt.Fprintf(b, "%s(", t.Name())
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || f.Type == reflect.TypeFor[syntax.Position]() {
			continue
		}
		switch f.Name {
		case "Function", "Binding": // what the resolver adds
			continue
		}
		fmt.Fprintf(b, "%s=", f.Name)
		node(b, v.Field(i))
		b.WriteByte(' ')
	}
	b.WriteByte(')')
}

func load(b *strings.Builder, n *syntax.LoadStmt) {
	type pair struct{ from, to string }
	var names []pair
	for i := range n.From {
		names = append(names, pair{n.From[i].Name, n.To[i].Name})
	}
	slices.SortFunc(names, func(a, b pair) int {
		return cmp.Or(strings.Compare(a.from, b.from), strings.Compare(a.to, b.to))
	})
	fmt.Fprintf(b, "load %q %q", n.ModuleName(), names)
}
