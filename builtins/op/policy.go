package op

import (
	"context"
	"errors"

	"nsscript/builtins/kernel"
)

// SetPolicy sets what becomes of packets that no rule of a built-in chain has
// decided on.
type SetPolicy struct {
	NS     string `json:"ns"`
	V6     bool   `json:"v6,omitempty"`
	Chain  string `json:"chain"`  // INPUT, FORWARD, OUTPUT of the filter table
	Policy string `json:"policy"` // ACCEPT or DROP
	Old    string `json:"old"`    // filled in by Prepare
	usedTables
}

// Prepare notes the policy that is to be given back.
func (o *SetPolicy) Prepare(s *System) error {
	n, x, err := s.filter(o.NS, o.V6)
	if err != nil {
		return err
	}
	if o.Old, err = x.Policy(context.Background(), n, "filter", o.Chain); err != nil {
		return iptablesError(err, o.NS)
	}
	if s.Owned(o.NS) {
		return nil
	}
	if err := o.noteTables(s, o.NS, kernel.NFTable{V6: o.V6, Name: "filter"}); err != nil {
		return err
	}
	return s.borrow(o.NS, policyKey(o.V6, o.Chain), o.Old)
}

// policyKey names the policy of a chain of the filter table among the settings
// that labs borrow.
func policyKey(v6 bool, chain string) string {
	if v6 {
		return "ip6tables -P " + chain
	}
	return "iptables -P " + chain
}

// Do sets the policy.
func (o *SetPolicy) Do(ctx context.Context, s *System) error { return o.set(ctx, s, o.Policy) }

func (o *SetPolicy) set(ctx context.Context, s *System, policy string) error {
	n, x, err := s.filter(o.NS, o.V6)
	if err != nil {
		return err
	}
	if err := x.SetPolicy(ctx, n, "filter", o.Chain, policy); err != nil {
		return iptablesError(err, o.NS)
	}
	return nil
}

// Undo gives the old policy back.
func (o *SetPolicy) Undo(ctx context.Context, s *System) error {
	old, restore := o.Old, o.Old != ""
	if !restore {
		return nil
	}
	o.Old = ""
	var err error
	if !s.Owned(o.NS) {
		old, restore, err = s.giveBack(o.NS, policyKey(o.V6, o.Chain), old)
	}
	if err == nil && restore {
		err = o.set(ctx, s, old)
	}
	if errors.Is(err, kernel.ErrClosed) {
		return nil
	}
	err = errors.Join(err, o.dropTables(s, o.NS))
	o.Used = nil
	return err
}

// Commands is `iptables -P`.
func (o *SetPolicy) Commands() []string {
	return []string{iptablesCommand(o.NS, o.V6, "filter", "-P", o.Chain, o.Policy)}
}

// Inside is the namespace.
func (o *SetPolicy) Inside() []string { return []string{o.NS} }
