package op

import (
	"fmt"
)

// Reverser is an operation whose Undo, which has only to leave nothing behind
// when the lab ends, does not bring back what was before. Reverse returns the
// operation that does, for a lab that lives on; an error says that nothing can.
type Reverser interface {
	Reverse() (Op, error)
}

var (
	_ Reverser = (*AddNamespace)(nil)
	_ Reverser = (*SetLink)(nil)
	_ Reverser = (*DelAddr)(nil)
)

// Reverse deletes the namespace with what is in it.
func (o *AddNamespace) Reverse() (Op, error) { return &DelNamespace{Name: o.Name}, nil }

// Reverse adds the address again.
func (o *DelAddr) Reverse() (Op, error) {
	return &AddAddr{NS: o.NS, Dev: o.Dev, Addr: o.Addr}, nil
}

// Reverse adds the route again.
func (o *DelRoute) Reverse() (Op, error) { return &AddRoute{RouteSpec: o.RouteSpec}, nil }

// Reverse adds the rule again.
func (o *DelRule) Reverse() (Op, error) { return &AddRule{RuleSpec: o.RuleSpec}, nil }

// Reverse gives the interface the properties that it had.
func (o *SetLink) Reverse() (Op, error) {
	if o.before == nil {
		return nil, lost("what interface %q was like", o.Name)
	}
	return o.before, nil
}

// Reverse is not possible.
func (o *DelNamespace) Reverse() (Op, error) {
	return nil, lost("namespace %q, which was deleted", o.Name)
}

// Reverse is not possible.
func (o *DelLink) Reverse() (Op, error) { return nil, lost("interface %q, which was deleted", o.Name) }

// Reverse is not possible: the addresses and routes were lost.
func (o *MoveLink) Reverse() (Op, error) {
	return nil, lost("the addresses and routes of interface %q, which was moved", o.Name)
}

// Reverse is not possible.
func (o *StopProcess) Reverse() (Op, error) {
	return nil, lost("process %d, which was ended", o.Process.PID)
}

func lost(what string, args ...any) error {
	return &Error{Msg: fmt.Sprintf("%s, cannot be brought back", fmt.Sprintf(what, args...))}
}
