// Package op holds the operations: every change that nsscript makes to the
// system is a value of this package.
//
// An operation, an [Op], is a small struct that says what to do in the user's
// own terms: names of namespaces and interfaces, addresses as text. From that
// one description come doing it (Do), taking it back (Undo), the commands a
// person would type for the same (Commands), its effect on a picture where there
// is no kernel (Model), and, because it is plain data, the line of the lab's
// journal from which a later process can undo it ([Encode], [Decode]).
//
// Operations act on a [System]: the open namespaces of one lab, which of them
// the lab owns, and the mark that the lab puts on what it makes elsewhere.
//
// What an operation makes inside a namespace that the lab owns goes away with
// that namespace; Inside names the namespaces whose end takes the operation's
// effect along, so that it need not be undone one by one.
//
// Errors are [Error] values: one sentence with the user's names, the kernel's
// reason, a hint.
package op

import (
	"encoding/json"
	"fmt"
	"reflect"

	"nsscript/builtins/picture"
)

// Op is one change of the system.
type Op interface {
	doer
	// Commands are the shell commands that do the same.
	Commands() []string
	// Inside names the namespaces of which any one's end undoes the change.
	Inside() []string
	// Model changes a picture as Do changes the kernel, or fails as Do would.
	Model(p *picture.Picture) error
}

// Preparer is an operation that fills in facts before it is recorded: a value
// that it will overwrite, an address it picks.
type Preparer interface {
	Prepare(s *System) error
}

// kinds are the operations by the name they bear in a journal.
var kinds = func() map[string]reflect.Type {
	m := map[string]reflect.Type{}
	for _, o := range []Op{
		&AddNamespace{}, &JoinNamespace{}, &DelNamespace{},
		&AddVeth{}, &AddBridge{}, &SetLink{}, &DelLink{}, &MoveLink{},
		&AddAddr{}, &DelAddr{}, &AddRoute{}, &DelRoute{}, &AddRule{}, &DelRule{},
		&SetSysctl{}, &SetResolver{}, &AddFilterRules{}, &DelFilterRules{}, &SetPolicy{}, &FlushTable{}, &RunIptables{},
		&StartProcess{}, &StopProcess{},
		&AddDummy{}, &AddVLAN{}, &AddMacvlan{}, &AddIPvlan{}, &AddVXLAN{}, &AddBond{}, &AddVRF{}, &AddTunnel{},
		&AddWireguard{}, &SetWireguardPeer{}, &SetPortVLANs{}, &AddNeighbor{}, &SetShape{}, &SetOffload{},
	} {
		t := reflect.TypeOf(o).Elem()
		m[t.Name()] = t
	}
	return m
}()

// Encode turns an operation into its kind's name and its fields as JSON.
func Encode(o Op) (kind string, fields json.RawMessage, err error) {
	fields, err = json.Marshal(o)
	return Kind(o), fields, err
}

// Kind is the name of an operation's kind.
func Kind(o Op) string { return reflect.TypeOf(o).Elem().Name() }

// Decode is the inverse of Encode.
func Decode(kind string, fields json.RawMessage) (Op, error) {
	t, ok := kinds[kind]
	if !ok {
		return nil, fmt.Errorf("no operation is called %q", kind)
	}
	v := reflect.New(t)
	if err := json.Unmarshal(fields, v.Interface()); err != nil {
		return nil, fmt.Errorf("operation %s: %w", kind, err)
	}
	return v.Interface().(Op), nil
}
