package interp

import (
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/doc"
)

// Params are the parameters of a function of a script.
func Params(fn *starlark.Function) []doc.Arg {
	var params, last []doc.Arg
	n := fn.NumParams()
	if fn.HasKwargs() {
		n--
		name, _ := fn.Param(n)
		last = append(last, doc.Arg{Name: name, Rest: "**", ByName: true, Optional: true})
	}
	var varargs []doc.Arg
	if fn.HasVarargs() {
		n--
		name, _ := fn.Param(n)
		varargs = append(varargs, doc.Arg{Name: name, Rest: "*", ByName: true, Optional: true})
	}
	byName := n - fn.NumKwonlyParams()
	for i := range n {
		if i == byName {
			params = append(params, varargs...)
			varargs = nil
		}
		name, _ := fn.Param(i)
		a := doc.Arg{Name: name, ByName: i >= byName}
		if def := fn.ParamDefault(i); def != nil {
			a.Optional, a.Default = true, def.String()
		}
		params = append(params, a)
	}
	return append(append(params, varargs...), last...)
}

// Signature shows how a function of a script is called: f(a, *, b = 2, **rest).
func Signature(fn *starlark.Function) string {
	var texts []string
	starred := false
	for _, a := range Params(fn) {
		if a.Rest == "" && a.ByName && !starred {
			texts = append(texts, "*")
		}
		starred = starred || a.ByName
		texts = append(texts, a.Label())
	}
	return fn.Name() + "(" + strings.Join(texts, ", ") + ")"
}
