package op

import (
	"context"
	"maps"
	"slices"
	"strings"

	"nsscript/builtins/picture"
)

// SetOffload switches on and off what an interface does in place of the kernel, such
// as cutting large packets up (ethtool(8), -K).
type SetOffload struct {
	NS       string          `json:"ns"`
	Dev      string          `json:"dev"`
	Features map[string]bool `json:"features"`

	before map[string]bool
}

// Undo does nothing: only the lab's own interfaces can be changed, and they go.
func (o *SetOffload) Undo(context.Context, *System) error { return nil }

// Reverse gives the interface the features that it had.
func (o *SetOffload) Reverse() (Op, error) {
	if o.before == nil {
		return nil, lost("the features of interface %q", o.Dev)
	}
	return &SetOffload{NS: o.NS, Dev: o.Dev, Features: o.before}, nil
}

// Commands is `ethtool -K`.
func (o *SetOffload) Commands() []string {
	words := []string{"ethtool", "-K", o.Dev}
	for _, name := range slices.Sorted(maps.Keys(o.Features)) {
		state := "off"
		if o.Features[name] {
			state = "on"
		}
		words = append(words, strings.ReplaceAll(name, "_", "-"), state)
	}
	return []string{InNS(o.NS, words...)}
}

// Inside is the namespace of the interface.
func (o *SetOffload) Inside() []string { return []string{o.NS} }

// Model looks whether there is the interface.
func (o *SetOffload) Model(p *picture.Picture) error {
	l, err := picturedLink(p, o.NS, o.Dev)
	if err != nil {
		return err
	}
	return modelOurs(l)
}
