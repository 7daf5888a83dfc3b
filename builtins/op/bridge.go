package op

import (
	"context"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// AddBridge makes a bridge (ip-link(8), type bridge).
type AddBridge struct {
	NS            string   `json:"ns"`
	Name          string   `json:"name"`
	Addrs         []string `json:"addrs,omitempty"`
	STP           bool     `json:"stp,omitempty"` // IEEE 802.1D spanning tree
	VLANFiltering bool     `json:"vlan_filtering,omitempty"`
	MTU           int      `json:"mtu,omitempty"` // bytes; 0 for the kernel's default
	MAC           string   `json:"mac,omitempty"`
	Up            bool     `json:"up"`
	Made          bool     `json:"made,omitempty"` // set once the kernel has made it
}

// Prepare picks the bridge's address where it can be told from other bridges by
// nothing else.
func (o *AddBridge) Prepare(s *System) error {
	if o.MAC == "" && !s.Owned(o.NS) && !s.Planned() {
		o.MAC = newMAC()
	}
	return nil
}

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
		if err := addAddr(h, l, o.NS, a); err != nil {
			return err
		}
	}
	if o.Up {
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

// Commands are those of `ip link` and `ip addr`.
func (o *AddBridge) Commands() []string {
	words := append([]string{"link", "add"}, linkName(o.Name)...)
	if o.MAC != "" {
		words = append(words, "address", o.MAC)
	}
	words = append(words, "type", "bridge")
	if o.STP {
		words = append(words, "stp_state", "1")
	}
	if o.VLANFiltering {
		words = append(words, "vlan_filtering", "1")
	}
	cmds := []string{ip(o.NS, words...)}
	if o.MTU != 0 {
		cmds = append(cmds, ip(o.NS, "link", "set", "dev", o.Name, "mtu", fmt.Sprint(o.MTU)))
	}
	for _, a := range o.Addrs {
		cmds = append(cmds, addrCommand(o.NS, o.Name, a))
	}
	if o.Up {
		cmds = append(cmds, ip(o.NS, "link", "set", "dev", o.Name, "up"))
	}
	return cmds
}

// Inside is the bridge's namespace.
func (o *AddBridge) Inside() []string { return []string{o.NS} }

// Model adds the bridge.
func (o *AddBridge) Model(p *picture.Picture) error {
	n, err := pictured(p, o.NS)
	if err != nil {
		return err
	}
	l, err := n.AddLink(picture.NewLink{Name: o.Name, Kind: "bridge", MAC: o.MAC, MTU: o.MTU})
	if err != nil {
		return takenName(o.NS, o.Name, "choose another name")
	}
	if o.STP {
		l.Options = append(l.Options, [2]string{"stp_state", "1"})
	}
	if o.VLANFiltering {
		l.Options = append(l.Options, [2]string{"vlan_filtering", "1"})
	}
	if err := modelAddrs(l, o.Addrs); err != nil {
		return err
	}
	l.SetUp(o.Up)
	return nil
}
