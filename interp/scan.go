package interp

import (
	"maps"
	"slices"

	"go.starlark.net/resolve"
	"go.starlark.net/syntax"
)

// A Usage is what occurs in a script and in all that it loads. Each position is
// that of the first occurrence; the script comes before its modules.
type Usage struct {
	// Names are the predeclared and universal names that are used.
	Names map[string]syntax.Position
	// Attrs are the names used after a dot.
	Attrs map[string]syntax.Position
	// Params are the literal first arguments of calls of param.
	Params map[string]syntax.Position
	// AnyParam says that param is also used in a way that does not show the
	// name of the parameter: Params is not complete.
	AnyParam bool
	// Files are the names of the script and of all modules, in the order in
	// which they are met.
	Files []string
}

// Scan reads a script and all that it loads, without running anything. The error
// is an *[Error]: of the syntax, of a name that does not exist, or of a module
// that does not, or that loads itself.
func (in *Interp) Scan(src Source) (Usage, error) {
	f, e := in.prepare(src)
	if e != nil {
		return Usage{}, e
	}
	u := Usage{
		Names:  map[string]syntax.Position{},
		Attrs:  map[string]syntax.Position{},
		Params: map[string]syntax.Position{},
	}
	u.addFile(f, map[*file]bool{})
	return u, nil
}

func (u *Usage) addFile(f *file, seen map[*file]bool) {
	if seen[f] {
		return
	}
	seen[f] = true
	u.Files = append(u.Files, f.src.Name)
	u.addTree(f.tree)
	for _, name := range slices.Sorted(maps.Keys(f.loads)) {
		u.addFile(f.loads[name], seen)
	}
}

func (u *Usage) addTree(tree *syntax.File) {
	called := map[*syntax.Ident]bool{}
	syntax.Walk(tree, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			if id, ok := n.Fn.(*syntax.Ident); ok && id.Name == "param" && isPredeclared(id) {
				called[id] = true
				u.addParam(n)
			}
		case *syntax.DotExpr:
			note(u.Attrs, n.Name.Name, n.Name.NamePos)
		case *syntax.Ident:
			if isPredeclared(n) {
				note(u.Names, n.Name, n.NamePos)
				u.AnyParam = u.AnyParam || n.Name == "param" && !called[n]
			}
		}
		return true
	})
}

// addParam notes which parameter a call of param declares.
func (u *Usage) addParam(call *syntax.CallExpr) {
	for i, arg := range call.Args {
		if kv, ok := arg.(*syntax.BinaryExpr); ok && kv.Op == syntax.EQ {
			if kv.X.(*syntax.Ident).Name != "name" {
				continue
			}
			arg = kv.Y
		} else if i > 0 {
			continue
		}
		if lit, ok := arg.(*syntax.Literal); ok {
			if name, ok := lit.Value.(string); ok && lit.Token == syntax.STRING {
				note(u.Params, name, lit.TokenPos)
				return
			}
		}
		break
	}
	u.AnyParam = true
}

func note(m map[string]syntax.Position, name string, pos syntax.Position) {
	if _, ok := m[name]; !ok {
		m[name] = pos
	}
}

func isPredeclared(id *syntax.Ident) bool {
	b, ok := id.Binding.(*resolve.Binding)
	return ok && (b.Scope == resolve.Predeclared || b.Scope == resolve.Universal)
}
