package op

import (
	"context"
	"fmt"

	"github.com/vishvananda/netlink"

	"nsscript/builtins/kernel"
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

// Do makes the bond, and makes the interfaces that are to be its members such.
func (o *AddBond) Do(_ context.Context, s *System) error {
	bond := netlink.NewLinkBond(o.attrs())
	bond.Mode, bond.Miimon = netlink.StringToBondMode(o.Mode), o.Miimon
	if o.LACPRate != "" {
		bond.LacpRate = netlink.StringToBondLacpRate(o.LACPRate)
	}
	if o.HashPolicy != "" {
		bond.XmitHashPolicy = netlink.StringToBondXmitHashPolicy(o.HashPolicy)
	}
	n, l, err := o.make(s, bond, "")
	if err != nil {
		return err
	}
	for _, m := range o.Members {
		if err := o.enslave(s, l, m); err != nil {
			return err
		}
	}
	if o.Primary != "" {
		if err := o.setPrimary(s, l); err != nil {
			return err
		}
	}
	return o.finish(s, n, l)
}

// enslave makes an interface a member, which it can become only while it is down; the
// bond sets it up.
func (o *AddBond) enslave(s *System, bond *kernel.Link, member string) error {
	n, l, err := openLink(s, o.NS, member)
	if err != nil {
		return err
	}
	if !s.mine(o.NS, l) {
		return NotOurs(o.NS, fmt.Sprintf("interface %q", member))
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	if err := h.LinkSetDown(ref(l)); err != nil {
		return failed(err, "setting interface %q in %s down", member, quoteNS(o.NS))
	}
	if err := h.LinkSetMasterByIndex(ref(l), bond.Index); err != nil {
		return failed(err, "making interface %q a member of bond %q", member, o.Name)
	}
	s.awaits(n, l.Index)
	return nil
}

// setPrimary names the preferred member.
func (o *AddBond) setPrimary(s *System, bond *kernel.Link) error {
	n, l, err := openLink(s, o.NS, o.Primary)
	if err != nil {
		return err
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	change := netlink.NewLinkBond(netlink.LinkAttrs{Index: bond.Index, Name: bond.Name})
	change.Primary = l.Index
	if err := h.LinkModify(change); err != nil {
		return failed(err, "making %q the primary member of bond %q", o.Primary, o.Name)
	}
	return nil
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
