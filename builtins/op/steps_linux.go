package op

import "nsscript/builtins/kernel"

// steps are changes of interfaces that are sent to the kernel in one call, each with
// the words for its error.
type steps struct {
	changes []kernel.Change
	explain []func(error) error
}

func (t *steps) add(c kernel.Change, explain func(error) error) {
	t.changes, t.explain = append(t.changes, c), append(t.explain, explain)
}

// take takes them in a namespace.
func (t *steps) take(n *kernel.NetNS) error {
	which, err := n.Change(t.changes...)
	if err != nil {
		return t.explain[which](err)
	}
	return nil
}
