package op

import (
	"context"

	"nsscript/builtins/picture"
)

// SetPolicy sets what becomes of packets that no rule of a built-in chain has
// decided on.
type SetPolicy struct {
	NS     string `json:"ns"`
	V6     bool   `json:"v6,omitempty"`
	Chain  string `json:"chain"`  // INPUT, FORWARD, OUTPUT of the filter table
	Policy string `json:"policy"` // ACCEPT or DROP
	Old    string `json:"old"`    // filled in by Prepare
	Loan   string `json:"loan,omitempty"`
	usedTables
}

// policyKey names the policy of a chain among the settings that labs borrow.
func policyKey(v6 bool, table, chain string) string {
	program := "iptables"
	if v6 {
		program = "ip6tables"
	}
	return program + " -t " + table + " -P " + chain
}

func (o *SetPolicy) set(ctx context.Context, s *System, policy string) error {
	n, x, err := s.filter(o.NS, o.V6)
	if err != nil {
		return err
	}
	return iptablesError(x.SetPolicy(ctx, n, "filter", o.Chain, policy), o.NS)
}

// Commands is `iptables -P`.
func (o *SetPolicy) Commands() []string {
	return []string{iptablesCommand(o.NS, o.V6, "filter", "-P", o.Chain, o.Policy)}
}

// Inside is the namespace.
func (o *SetPolicy) Inside() []string { return []string{o.NS} }

// Model sets the policy.
func (o *SetPolicy) Model(p *picture.Picture) error {
	t, err := picturedTable(p, o.NS, o.V6, "filter")
	if err != nil {
		return err
	}
	return modelSaid(t.SetPolicy(o.Chain, o.Policy), o.NS)
}
