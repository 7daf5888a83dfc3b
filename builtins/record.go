package builtins

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// record is a result: a value with fields that does not change.
type record struct {
	kind   string
	fields []field
	truth  bool
	text   string // the printed form; "" for the fields in brackets
}

type field struct {
	name  string
	value starlark.Value
}

var _ starlark.HasAttrs = (*record)(nil)

func (r *record) String() string {
	if r.text != "" {
		return r.text
	}
	parts := make([]string, len(r.fields))
	for i, f := range r.fields {
		parts[i] = fmt.Sprintf("%s = %s", f.name, f.value)
	}
	return r.kind + "(" + strings.Join(parts, ", ") + ")"
}
func (r *record) Type() string          { return r.kind }
func (r *record) Freeze()               {}
func (r *record) Truth() starlark.Bool  { return starlark.Bool(r.truth) }
func (r *record) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: %s", r.kind) }

// AttrNames lists the fields.
func (r *record) AttrNames() []string {
	names := make([]string, len(r.fields))
	for i, f := range r.fields {
		names[i] = f.name
	}
	slices.Sort(names)
	return names
}

// Attr returns a field.
func (r *record) Attr(name string) (starlark.Value, error) {
	for _, f := range r.fields {
		if f.name == name {
			return f.value, nil
		}
	}
	return nil, noAttr(r, name)
}

// strOrNone is a string, or None for the empty one.
func strOrNone(s string) starlark.Value {
	if s == "" {
		return starlark.None
	}
	return starlark.String(s)
}

// intOrNone is a number, or None for 0.
func intOrNone(i int) starlark.Value {
	if i == 0 {
		return starlark.None
	}
	return starlark.MakeInt(i)
}

// listOf turns a slice into a Starlark list.
func listOf[T any](items []T, value func(T) starlark.Value) *starlark.List {
	list := make([]starlark.Value, len(items))
	for i, x := range items {
		list[i] = value(x)
	}
	return starlark.NewList(list)
}
