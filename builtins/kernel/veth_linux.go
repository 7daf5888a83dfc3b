package kernel

import (
	"net"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Veth is a virtual cable (veth(4)) that is to be made.
type Veth struct {
	Name, PeerName string
	MAC, PeerMAC   net.HardwareAddr // nil for the kernel's choice
	PeerNS         *NetNS
	MTU            int // bytes; 0 for the kernel's default
}

// AddVeth makes a cable from this namespace to another, both ends where they belong in
// one message. They are down.
func (n *NetNS) AddVeth(v Veth) error {
	c, err := n.route()
	if err != nil {
		return err
	}
	r, _ := linkRequest(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK, 0)
	for _, a := range vethEnd(v.Name, v.MAC, v.MTU) {
		r.AddData(a)
	}
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("veth"))
	peer := info.AddRtAttr(nl.IFLA_INFO_DATA, nil).AddRtAttr(nl.VETH_INFO_PEER, nil)
	nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC)
	for _, a := range vethEnd(v.PeerName, v.PeerMAC, v.MTU) {
		peer.AddChild(a)
	}
	if v.PeerNS.id != n.id {
		peer.AddRtAttr(unix.IFLA_NET_NS_FD, nl.Uint32Attr(uint32(v.PeerNS.Fd())))
	}
	r.AddData(info)
	_, err = c.change([]Change{{r}})
	return err
}

// vethEnd describes one end. It has one queue in place of one for each CPU that the
// machine may ever have (veth_get_num_queues): only XDP programs use the others, and
// each is a directory of sysfs that takes as long to make as an address does.
func vethEnd(name string, mac net.HardwareAddr, mtu int) []*nl.RtAttr {
	one := nl.Uint32Attr(1)
	attrs := []*nl.RtAttr{
		nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)),
		nl.NewRtAttr(unix.IFLA_NUM_TX_QUEUES, one), nl.NewRtAttr(unix.IFLA_NUM_RX_QUEUES, one),
	}
	if mtu != 0 {
		attrs = append(attrs, nl.NewRtAttr(unix.IFLA_MTU, nl.Uint32Attr(uint32(mtu))))
	}
	if mac != nil {
		attrs = append(attrs, nl.NewRtAttr(unix.IFLA_ADDRESS, mac))
	}
	return attrs
}
