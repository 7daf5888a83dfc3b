package op

import (
	"context"
	"fmt"

	"github.com/vishvananda/netlink"

	"nsscript/builtins/kernel"
)

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
