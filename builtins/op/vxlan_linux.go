package op

import (
	"context"
	"net"
	"nsscript/builtins/kernel/abi"

	"github.com/vishvananda/netlink"

	"nsscript/builtins/kernel"
)

// flood has frames to all, and to those of whom it is not known where they are, sent
// to each of the remotes.
func (o *AddVXLAN) flood(n *kernel.NetNS, l *kernel.Link) error {
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	for _, r := range o.Remotes {
		if err := h.NeighAppend(&netlink.Neigh{
			LinkIndex: l.Index, Family: abi.FamilyBridge, State: netlink.NUD_NOARP | netlink.NUD_PERMANENT,
			Flags: netlink.NTF_SELF, IP: net.ParseIP(r), HardwareAddr: make(net.HardwareAddr, 6),
		}); err != nil {
			return failed(err, "the remote %s of VXLAN %q", r, o.Name)
		}
	}
	return nil
}

// Do makes the interface.
func (o *AddVXLAN) Do(_ context.Context, s *System) error {
	v := &netlink.Vxlan{
		LinkAttrs: o.attrs(), VxlanId: o.VNI, SrcAddr: net.ParseIP(o.Local), Port: o.Port, TTL: o.TTL, Learning: o.Learning, UDPCSum: true,
	}
	if len(o.Remotes) == 1 {
		v.Group = net.ParseIP(o.Remotes[0])
	}
	if o.Dev != "" {
		_, l, err := openLink(s, o.NS, o.Dev)
		if err != nil {
			return err
		}
		v.VtepDevIndex = l.Index
	}
	n, l, err := o.make(s, v, o.twin())
	if err != nil {
		return err
	}
	if len(o.Remotes) > 1 {
		if err := o.flood(n, l); err != nil {
			return err
		}
	}
	return o.finish(s, n, l)
}
