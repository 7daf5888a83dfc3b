package builtins

import (
	"fmt"
	"maps"
	"slices"

	"go.starlark.net/starlark"
)

// module is a set of builtins under one name, such as nat; behind a namespace they
// are about that one.
type module struct {
	name    string
	members starlark.StringDict
}

var _ starlark.HasAttrs = (*module)(nil)

func (m *module) String() string        { return fmt.Sprintf("<module %q>", m.name) }
func (m *module) Type() string          { return "module" }
func (m *module) Freeze()               {}
func (m *module) Truth() starlark.Bool  { return true }
func (m *module) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: module") }

// ModuleName is the name under which help() explains it.
func (m *module) ModuleName() string { return m.name }

// AttrNames lists the members.
func (m *module) AttrNames() []string { return slices.Sorted(maps.Keys(m.members)) }

// Attr returns a member.
func (m *module) Attr(name string) (starlark.Value, error) {
	if v, ok := m.members[name]; ok {
		return v, nil
	}
	return nil, noMember(m.name, m.AttrNames(), name, fmt.Sprintf("%s has no function %q", m.name, name))
}
