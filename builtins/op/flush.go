package op

import (
	"context"

	"nsscript/builtins/picture"
)

// FlushTable deletes the rules and the chains of a table: all of them in a
// namespace of the lab, only the lab's own rules elsewhere. Policies stay.
type FlushTable struct {
	NS    string `json:"ns"`
	V6    bool   `json:"v6,omitempty"`
	Table string `json:"table"`

	before snapshots
}

// Undo puts the table back in a namespace of the lab. Elsewhere it does nothing:
// what was deleted was the lab's own.
func (o *FlushTable) Undo(ctx context.Context, s *System) error {
	return o.before.restore(ctx, s, o.NS)
}

// Commands are `iptables -F` and `iptables -X`.
func (o *FlushTable) Commands() []string {
	return []string{iptablesCommand(o.NS, o.V6, o.Table, "-F"), iptablesCommand(o.NS, o.V6, o.Table, "-X")}
}

// Inside is the namespace.
func (o *FlushTable) Inside() []string { return []string{o.NS} }

// Model empties the table.
func (o *FlushTable) Model(p *picture.Picture) error {
	t, err := picturedTable(p, o.NS, o.V6, o.Table)
	if err == nil {
		err = modelSaid(t.Flush(""), o.NS)
	}
	if err == nil {
		err = modelSaid(t.DeleteChain(""), o.NS)
	}
	return err
}
