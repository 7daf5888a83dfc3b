package op

import (
	"fmt"

	"nsscript/builtins/picture"
)

// AddBond makes one interface out of several (ip-link(8), type bond; the kernel's
// Documentation/networking/bonding.rst).
type AddBond struct {
	NewLink
	Members    []string `json:"members,omitempty"`
	Mode       string   `json:"mode"`
	Miimon     int      `json:"miimon"`                // how often carriers are looked at, in milliseconds
	LACPRate   string   `json:"lacp_rate,omitempty"`   // slow or fast, of mode 802.3ad
	HashPolicy string   `json:"hash_policy,omitempty"` // what picks the member that a packet leaves by
	Primary    string   `json:"primary,omitempty"`     // the member that is preferred, of mode active-backup
}

// BondModes are the modes that a bond has.
func BondModes() []string {
	return []string{"balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"}
}

// BondHashPolicies are what can pick the member that a packet leaves by.
func BondHashPolicies() []string {
	return []string{"layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4"}
}

func (o *AddBond) options() [][2]string {
	list := [][2]string{{"mode", o.Mode}, {"miimon", fmt.Sprint(o.Miimon)}}
	if o.LACPRate != "" {
		list = append(list, [2]string{"lacp_rate", o.LACPRate})
	}
	if o.HashPolicy != "" {
		list = append(list, [2]string{"xmit_hash_policy", o.HashPolicy})
	}
	return list
}

// Commands are those of `ip link`.
func (o *AddBond) Commands() []string {
	all := o.commands(kindWords("bond", o.options())...)
	cmds := all[:1:1]
	for _, m := range o.Members {
		cmds = append(cmds, ip(o.NS, "link", "set", "dev", m, "down"), ip(o.NS, "link", "set", "dev", m, "master", o.Name))
	}
	if o.Primary != "" {
		cmds = append(cmds, ip(o.NS, "link", "set", "dev", o.Name, "type", "bond", "primary", o.Primary))
	}
	return append(cmds, all[1:]...)
}

// Model adds the bond.
func (o *AddBond) Model(p *picture.Picture) error {
	l, err := o.model(p, "bond", 0, [2]string{"mode", o.Mode})
	if err != nil {
		return err
	}
	for _, name := range o.Members {
		m, err := picturedLink(p, o.NS, name)
		if err != nil {
			return err
		}
		if err := modelOurs(m); err != nil {
			return err
		}
		m.SetUp(false)
		m.SetMaster(l)
		m.SetUp(true)
		if l.MAC == "" { // a bond takes the address of its first member
			l.MAC = m.MAC
		}
	}
	return o.modelFinish(l)
}
