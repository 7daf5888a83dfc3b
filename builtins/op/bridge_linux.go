package op

import (
	"context"
	"errors"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// Do makes the bridge.
func (o *AddBridge) Do(_ context.Context, s *System) error {
	n, err := s.NS(o.NS)
	if err != nil {
		return err
	}
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr = o.Name, parseMAC(o.MAC)
	br := &netlink.Bridge{LinkAttrs: attrs}
	if o.VLANFiltering {
		br.VlanFiltering = &o.VLANFiltering
	}
	if err := h.LinkAdd(br); err != nil {
		if errors.Is(err, unix.EEXIST) {
			return takenName(o.NS, o.Name, "choose another name")
		}
		if o.VLANFiltering && errors.Is(err, unix.EOPNOTSUPP) {
			return &kernel.MissingError{What: "this kernel's bridges cannot filter VLANs (vlan_filtering)", Err: err,
				Remedy: "use a kernel that was built with CONFIG_BRIDGE_VLAN_FILTERING"}
		}
		return failed(err, "bridge %q in %s", o.Name, quoteNS(o.NS))
	}
	o.Made = true
	if o.MTU != 0 {
		// One given when the bridge is made holds only until its first port;
		// one that is set holds.
		if err := h.LinkSetMTU(br, o.MTU); err != nil {
			return failed(err, "the MTU of bridge %q", o.Name)
		}
	}
	if err := s.mark(o.NS, h, br); err != nil {
		return failed(err, "marking bridge %q", o.Name)
	}
	if o.STP {
		if err := n.Do(func() error { return enableSTP(br.Index) }); err != nil {
			return failed(err, "switching spanning tree on for bridge %q", o.Name)
		}
	}
	l, err := n.LinkByIndex(br.Index)
	if err != nil {
		return failed(err, "bridge %q", o.Name)
	}
	for _, a := range o.Addrs {
		if err := addAddr(n, l, o.NS, a); err != nil {
			return err
		}
	}
	switch {
	case o.Up && !o.STP:
		s.putOff(lateBridge{ns: n, where: o.NS, name: o.Name, index: br.Index, addrs: o.Addrs})
	case o.Up:
		if err := h.LinkSetUp(br); err != nil {
			return failed(err, "setting bridge %q up", o.Name)
		}
		return awaitIPv6(n, br.Index, o.Addrs)
	}
	return nil
}

// enableSTP sets IFLA_BR_STP_STATE, which the netlink package has no field for,
// in the namespace of the calling thread.
func enableSTP(index int) error {
	req := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index = int32(index)
	req.AddData(msg)
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("bridge"))
	data := info.AddRtAttr(nl.IFLA_INFO_DATA, nil)
	data.AddRtAttr(nl.IFLA_BR_STP_STATE, nl.Uint32Attr(1))
	req.AddData(info)
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// Undo deletes the bridge.
func (o *AddBridge) Undo(_ context.Context, s *System) error {
	if s.Owned(o.NS) && !o.Made {
		return nil // it may be another one's
	}
	return removeLink(s, o.NS, o.Name, o.MAC)
}
